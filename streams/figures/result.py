"""What an evaluation found, as it is reported: plain values, also as JSON."""

from typing import Any

from msgspec import Struct

from streams.data import Kind
from streams.quality.result import Histogram


class Rates(Struct, frozen=True, kw_only=True):
    """How good some lists are, at the longest length that the protocol asks for."""

    hr: float
    mrr: float
    ndcg: float


class Segment(Struct, frozen=True, kw_only=True):
    """Predictions that have something in common; those of a group's segments sum to all."""

    group: str
    name: str
    predictions: int
    rates: Rates


class Component(Struct, frozen=True, kw_only=True):
    """The candidates of every list in the order of one raw score alone.

    Attributes:
        name: Of the score, as in `ranker.scores.SCORES`.
        found: Part of the predictions in which it says anything of the item that was taken, 0..1.
        rates: Of the lists in its order.
    """

    name: str
    found: float
    rates: Rates


class Point(Struct, frozen=True, kw_only=True):
    """The mean over so many lists, one after the other.

    Attributes:
        event: Number of the event, from 1, that the last of them was made for.
        lists: How many.
        hr: Part that shows the item taken, 0..1.
        loss: Of the scorer, nats a list; None where the item was a candidate of none of them.
    """

    event: int
    lists: int
    hr: float
    loss: float | None


class Curve(Struct, frozen=True, kw_only=True):
    """A metric over time."""

    name: str
    points: tuple[Point, ...]


class Reliability(Struct, frozen=True, kw_only=True):
    """Shown items whose scores lie in one bin.

    Attributes:
        least, most: Edges of the bin: least <= score < most, the last bin's most included.
        shown: How many.
        predicted: Mean score, 0..1.
        taken: Part that was taken, 0..1.
    """

    least: float
    most: float
    shown: int
    predicted: float
    taken: float


class Published(Struct, frozen=True, kw_only=True):
    """What others found of the same data, by the same protocol.

    Attributes:
        method: Whose or which.
        figures: By our names.
    """

    method: str
    figures: dict[str, float]


class Evaluation(Struct, frozen=True, kw_only=True):
    """What was found of one data set.

    Attributes:
        data: Its name.
        protocol: How it was walked.
        seed: Of everything random.
        k: Length of the lists: the longest that the protocol asks for.
        figures: Numbers by name, and the hash of the configuration.
        segments: Group after group.
        curves: Those that have a point.
        reliability: Bins that have a shown item, by score.
        list_ms: How long ranking a list took, in ms.
        components: The best first; None where they were not asked for.
        published: What the protocol says that others found.
    """

    data: str
    protocol: Kind
    seed: int
    k: int
    figures: dict[str, Any]
    segments: tuple[Segment, ...]
    curves: tuple[Curve, ...]
    reliability: tuple[Reliability, ...]
    list_ms: Histogram
    components: tuple[Component, ...] | None
    published: tuple[Published, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as one object, the figures among its own fields."""
        found: dict[str, Any] = {
            "data": self.data,
            "protocol": self.protocol,
            "seed": self.seed,
            **self.figures,
            "segments": self.segments,
            "curves": self.curves,
            "reliability": self.reliability,
            "published": self.published,
        }
        return found if self.components is None else found | {"components": self.components}
