"""Tallies -> what is told of them."""

from collections.abc import Mapping

from features.events import Kind
from streams.figures.rates import DIGITS, rates
from streams.quality.result import Quality
from streams.report.result import Figures, ItemUse, ModelUse, Report, Revenue, Sight, Step
from streams.report.tally import Tally

ITEMS = 10
"""Items in a table."""
CENTS = 2


def report(
    now: Tally,
    before: Tally | None,
    *,
    source: str,
    catalogue: int,
    titles: Mapping[str, str],
    quality: Quality,
    sight: Sight,
) -> Report:
    """Return the report of a period.

    Args:
        now: What was counted of it.
        before: Of the period before; None where that is not there whole.
        source: Which installation.
        catalogue: Items that there are.
        titles: Of the items that `told` names, as far as they have one.
        quality: What is wrong with the events.
        sight: What could be seen.
    """
    return Report(
        source=source,
        begin=now.period.begin,
        end=now.period.end,
        zone_minutes=now.period.zone_minutes,
        k=max(now.ks),
        now=figures(now),
        before=None if before is None else figures(before),
        step_ms=now.period.step_ms,
        steps=steps(now),
        models=tuple(
            ModelUse(version=version, first_ts=first, lists=lists)
            for version, (first, lists) in sorted(now.models.items(), key=lambda one: one[1])
        ),
        metrics=now.figures(catalogue),
        segments=now.segments.result(),
        reliability=now.calibration.bins(),
        wait=now.wait.histogram(),
        dead_letters=dict(now.dead_letters.most_common()),
        quality=quality,
        top=_uses(_top(now), now, before, titles),
        risen=() if before is None else _uses(_risen(now, before), now, before, titles),
        sight=sight,
    )


def told(now: Tally, before: Tally | None) -> list[str]:
    """Return the ids of the items that a report names."""
    return [*_top(now), *([] if before is None else _risen(now, before))]


def figures(tally: Tally) -> Figures:
    """Return what is told of a period in a few numbers."""
    clicks, searches, purchases = tally.events.sum(axis=0).tolist()
    positions, k = tally.positions.sum(axis=0), max(tally.ks)
    found = rates(positions, k) if positions.any() else None
    wait = tally.wait.histogram()
    return Figures(
        clicks=clicks,
        searches=searches,
        purchases=purchases,
        users=tally.users.distinct,
        items=tally.items_touched,
        lists=int(tally.lists.sum()) + tally.missing,
        judged=int(tally.judged.sum()),
        out_of_lists=int(tally.out_of_lists.sum()),
        bought=int(tally.judged[:, Kind.PURCHASE].sum()),
        bought_out_of_lists=int(tally.out_of_lists[:, Kind.PURCHASE].sum()),
        predictions=int(positions.sum()),
        hr=found.hr if found else None,
        mrr=found.mrr if found else None,
        wait_ms=_rounded(wait.p50),
        revenue=tuple(
            Revenue(
                currency=currency,
                purchases=one.purchases,
                amount=round(one.amount, CENTS),
                judged=round(one.judged, CENTS),
                recommended=round(one.recommended, CENTS),
            )
            for currency, one in sorted(
                tally.money.items(), key=lambda pair: (-pair[1].purchases, pair[0])
            )
        ),
        unpriced=tally.unpriced,
    )


def steps(tally: Tally) -> tuple[Step, ...]:
    """Return what happened in each part of the period."""
    k, period, made = max(tally.ks), tally.period, []
    for place in range(period.steps):
        positions = tally.positions[place]
        found = rates(positions, k) if positions.any() else None
        wait = tally.waits[place].histogram()
        clicks, searches, purchases = tally.events[place].tolist()
        made.append(
            Step(
                begin=period.begin + place * period.step_ms,
                clicks=clicks,
                searches=searches,
                purchases=purchases,
                lists=int(tally.lists[place].sum()),
                judged=int(tally.judged[place].sum()),
                predictions=int(positions.sum()),
                hr=found.hr if found else None,
                mrr=found.mrr if found else None,
                wait_p50_ms=_rounded(wait.p50),
                wait_p99_ms=_rounded(wait.p99),
            )
        )
    return tuple(made)


def _top(now: Tally) -> list[str]:
    touches = now.touches_of()
    return sorted(touches, key=lambda item: (-touches[item], item))[:ITEMS]


def _risen(now: Tally, before: Tally) -> list[str]:
    touches, earlier = now.touches_of(), before.touches_of()
    more = {item: count - earlier.get(item, 0) for item, count in touches.items()}
    best = sorted(more, key=lambda item: (-more[item], item))[:ITEMS]
    return [item for item in best if more[item] > 0]


def _uses(
    items: list[str], now: Tally, before: Tally | None, titles: Mapping[str, str]
) -> tuple[ItemUse, ...]:
    earlier = None if before is None else before.touches_of()
    return tuple(
        ItemUse(
            item_id=item,
            title=titles.get(item),
            clicks=now.touched[Kind.CLICK].counts.get(item, 0),
            purchases=now.touched[Kind.PURCHASE].counts.get(item, 0),
            before=None if earlier is None else earlier.get(item, 0),
        )
        for item in items
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
