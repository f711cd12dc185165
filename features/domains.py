"""Domains: parts of one system, such as things to buy, articles to read and people to follow.

Users are shared by all domains, an item is of one. What a click or a purchase weighs in a domain,
and how fast its items cease to be popular, is the operator's to say.
"""

from collections.abc import Mapping
from math import sqrt

from msgspec import Struct, field

from features.affinity import WEIGHTS
from features.events import Kind
from features.item import HALF_LIVES_MS

MAX_DOMAINS = 16


class Domain(Struct, frozen=True):
    """What is particular to a domain.

    Attributes:
        name: As events and items spell it.
        weights: Kind of event -> what it adds to a user's leanings, above 0.
        half_lives_ms: Of an item's four popularities, the shortest first.
    """

    name: str = "shop"
    weights: Mapping[Kind, float] = field(default_factory=lambda: WEIGHTS)
    half_lives_ms: tuple[int, ...] = HALF_LIVES_MS

    def pull(self, kind: Kind) -> float:
        """Return how hard an event pulls at factors: the root of its weight.

        A step of factors must not overshoot, a sum of leanings cannot.
        """
        return sqrt(self.weights[kind])


class Domains:
    """All domains of an installation, the default one first.

    Args:
        listed: 1 to `MAX_DOMAINS` of distinct names.

    Attributes:
        alone: The only one; None where there are several, and to look up an item's is worth while.
    """

    def __init__(self, *listed: Domain) -> None:
        self.listed = listed
        self.default = listed[0]
        self.alone = listed[0] if len(listed) == 1 else None
        self.names = tuple(domain.name for domain in listed)
        self.half_lives_ms = tuple(domain.half_lives_ms for domain in listed)
        self._by_name: dict[str | None, Domain] = {domain.name: domain for domain in listed}

    def of(self, name: str | None) -> Domain:
        """Return the domain of that name; the default one for None, or where it is not known."""
        return self._by_name.get(name, self.default)


ONE_SHOP = Domains(Domain())
"""The only domain of an installation whose operator names none."""
