"""Make lists and put them into words: ids, ranks and reasons instead of slots and weights."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from features import profile as profiles
from features.events import Click, Event, Search
from features.shown import answer_to
from ranker.columns import HALF_LIVES_MS
from ranker.items import ItemIndex, ItemState
from ranker.model import Model
from ranker.rank import Ranked, Ranking
from ranker.reasons import NAMES
from ranker.request import Request
from streams import steps
from streams.lists import Reason, Recommendation, RecommendedItem, Trigger

_IN_CATEGORY = NAMES.index("popular_in_category")


class Asked(NamedTuple):
    """A list to make, and the event that it answers; `stored` says whether its user's row has it.

    The list for one that has not does not repeat what was searched for.
    """

    event: Event
    request: Request
    stored: bool = True


def ranked_for(asked: Sequence[Asked], index: ItemIndex, model: Model) -> Ranked:
    """Make the lists, with reasons, in order."""
    return steps.rank([one.request for one in asked], index, model, explained=True)


def recommendations(
    asked: Sequence[Asked], ranked: Ranked, index: ItemIndex, now_ms: int
) -> list[Recommendation]:
    """Put lists into words, in order.

    Args:
        asked: What they answer.
        ranked: The lists.
        index: All items.
        now_ms: Wall clock, for `generated_at`.
    """
    return [
        _recommendation(one, ranking, index, ranked.model_version, now_ms)
        for one, ranking in zip(asked, ranked.rankings, strict=True)
    ]


def warm_up(model: Model) -> None:
    """Make one list of each kind for nobody, and see what comes of it: no shopper need wait.

    What a list runs through is compiled or loaded on its first use: up to half a minute on a new
    machine, some 100 ms on one that has run it before.
    """
    # Cells of a large model's vectors are built for the index that stays, not for this one.
    index = ItemIndex(aside=lambda _: None)
    one = np.ones(1, np.float32)
    index.put(ItemState(item_id="a", terms=("a",), popularity=(1.0,) * len(HALF_LIVES_MS)))
    index.put(ItemState(item_id="b", predecessors=("a",), forward=one, passages=one))
    model.install(index)
    click = Click(event_id="a", user_id="a", item_id="a", ts=0)
    search = Search(event_id="b", user_id="a", query="a", ts=0)
    row = profiles.learn(profiles.new_profile(), click, 0, 0)
    asked = [
        Asked(event, steps.request(row, event, index, 2, uncounted=0)) for event in (click, search)
    ]
    ranked = ranked_for(asked, index, model)
    recommendations(asked, ranked, index, now_ms=0)
    kept = Ranked.together([ranked.only(position) for position in range(len(asked))])
    kept.count(kept.targets(kept.slots[:, 0]), index)


def reasons_of(
    slot: int, numbers: Iterable[tuple[int, int, float]], index: ItemIndex
) -> tuple[Reason, ...]:
    """Return the reasons of the item in a slot in words, from `Reasons.numbers`."""
    ids = index.ids
    return tuple(
        [
            Reason(
                kind=NAMES[kind],
                item_id=ids[basis] if basis >= 0 else None,
                category=index.leaf(slot) if kind == _IN_CATEGORY else None,
                weight=weight,
            )
            for kind, basis, weight in numbers
            if weight
        ]
    )


def _recommendation(
    asked: Asked,
    ranking: Ranking,
    index: ItemIndex,
    model_version: str,
    now_ms: int,
) -> Recommendation:
    event, ids = asked.event, index.ids
    items = tuple(
        [
            RecommendedItem(
                item_id=ids[slot],
                score=score,
                rank=rank,
                reasons=reasons_of(slot, ranking.reasons.numbers(rank - 1), index),
            )
            for rank, (slot, score) in enumerate(
                zip(ranking.slots.tolist(), ranking.scores.tolist(), strict=True), 1
            )
        ]
    )
    return Recommendation(
        rec_id=answer_to(event).rec_id,
        user_id=event.user_id,
        surface="search" if isinstance(event, Search) else "for_you",
        trigger=Trigger(type=event.kind.name.lower(), event_id=event.event_id),
        generated_at=now_ms,
        event_ts=event.ts,
        model_version=model_version,
        items=items,
        domain=index.domains[asked.request.domain],
        query=event.query if isinstance(event, Search) and asked.stored else None,
    )
