"""Recommendations as apps read them: the wire contract of what the workers send."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from features.events import Id, Millis

SURFACES = ("for_you", "search")
"""Where lists are shown."""


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why an item is in a list: a generator or an earlier item, and how much it weighs."""

    kind: str  # of `ranker.reasons.KINDS`
    item_id: str | None = None  # the earlier item, where one is the reason
    category: str | None = None  # the item's own, where it is the reason
    weight: float


class RecommendedItem(Struct, frozen=True, kw_only=True, gc=False):
    """One place of a list."""

    item_id: Id
    score: float  # 0..1, higher is better
    rank: Annotated[int, Meta(ge=1)]
    reasons: tuple[Reason, ...] = ()


class Trigger(Struct, frozen=True, kw_only=True, gc=False):
    """The event that a list answers."""

    type: str  # "click", "search" or "purchase"
    event_id: Id


class Recommendation(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A list for one user, made when an event came in; also the wire format."""

    rec_id: str  # kind and event_id of the trigger: the same whenever it is answered again
    user_id: Id
    surface: Literal["for_you", "search"]
    trigger: Trigger
    generated_at: Millis  # wall clock of the worker
    event_ts: Millis  # event time of the trigger
    model_version: str
    items: tuple[RecommendedItem, ...]  # best first
    query: str | None = None  # of a search
    experiment: str | None = None  # the arm that the user is in
    domain: str | None = None  # that all items are of
