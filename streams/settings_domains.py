"""The setting `domains`: its shape, where it is read from, and what it means."""

import json
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from features.affinity import WEIGHTS
from features.decay import DAY_MS
from features.domains import MAX_DOMAINS, Domain, Domains
from features.events import Kind
from features.item import HALF_LIVES_MS

Weight = Annotated[float, Field(gt=0, le=1000)]
Days = Annotated[float, Field(ge=0.01, le=36_500)]
RULE = (
    f"1 to {MAX_DOMAINS} names (a-z, 0-9, _ and -, up to 32), each with `click` and `purchase` "
    "(above 0, to 1000) and `half_lives_days` (four, ascending, 0.01 to 36500)"
)

_HOUR, _DAY, _WEEK, _MONTH = (half_life / DAY_MS for half_life in HALF_LIVES_MS)


class DomainSetting(BaseModel):
    """What a domain's events weigh, and the half-lives of its items' popularities."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    click: Weight = WEIGHTS[Kind.CLICK]
    purchase: Weight = WEIGHTS[Kind.PURCHASE]
    half_lives_days: tuple[Days, Days, Days, Days] = (_HOUR, _DAY, _WEEK, _MONTH)

    @field_validator("half_lives_days")
    @classmethod
    def _ascend(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(shorter < longer for shorter, longer in pairwise(value)):
            raise ValueError("they must ascend")
        return value


def _decoded(value: object) -> object:
    """Read the JSON of an environment variable; what a TOML file holds is read already."""
    return json.loads(value) if isinstance(value, str) else value


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
DomainSettings = Annotated[
    dict[Name, DomainSetting],
    Field(min_length=1, max_length=MAX_DOMAINS),
    BeforeValidator(_decoded),
    NoDecode,
]
"""Name -> domain, the default one first."""
SHOP_ALONE = {"shop": DomainSetting()}


def domains_of(settings: dict[str, DomainSetting]) -> Domains:
    """Return what the setting means to events and items."""
    return Domains(
        *(
            Domain(
                name,
                {Kind.CLICK: one.click, Kind.PURCHASE: one.purchase},
                tuple(round(days * DAY_MS) for days in one.half_lives_days),
            )
            for name, one in settings.items()
        )
    )


def written(settings: dict[str, DomainSetting]) -> str:
    """Return the setting as an environment variable holds it."""
    return json.dumps({name: one.model_dump(mode="json") for name, one in settings.items()})
