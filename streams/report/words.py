"""A report in words: the same for the terminal and for the page."""

from collections.abc import Callable

from streams.figures.words import percent
from streams.pages.parts import number
from streams.report.period import Period
from streams.report.result import Figures, Report
from streams.report.screen import WITHIN_MS

WITHIN_MIN = WITHIN_MS // 60_000
ENOUGH = 0.9
"""Where less of a period could be judged, it is not compared with another."""

NOTES = (
    (
        f"A click or purchase came out of a list when its item stood in the newest list that was "
        f"made for the user before it, at most {WITHIN_MIN} minutes earlier, or in the answer to "
        "the search that it names. A purchase also does when the item was clicked out of a list "
        f"in the {WITHIN_MIN} minutes before. It is not said that it would not have come without."
    ),
    (
        "Hit rate, MRR and NDCG are of every such list, by the place of the item; an event without "
        "a list before it is no prediction. Nothing looks ahead: what came later changes no figure."
    ),
    (
        "Kafka keeps every list for a day, or as long as its settings say; of older ones it keeps "
        "a user's newest alone. Figures on lists are only of clicks and purchases whose lists of "
        "the time before are all still there: anything else would count visits that led to nothing."
    ),
    (
        "Touches of the user before are those since the beginning of the period before. An item is "
        "new until its first click or purchase, whenever that was."
    ),
    (
        "A score is an item's share among the candidates of its list, a chance given that one of "
        "them is taken. Calibration holds each list against the first event after it."
    ),
    (
        "An event that is sent again under its id counts once. Dead letters count when they were "
        "written."
    ),
)


def period_of(found: Report) -> Period:
    """Return the period of a report."""
    return Period(found.begin, found.end, found.zone_minutes)


def title(found: Report) -> str:
    """Return the period in words."""
    return period_of(found).words


def summary(found: Report) -> str:
    """Return the result in a few sentences."""
    now = found.now
    said = (
        f"{now.users:,} users clicked {now.clicks:,} times, searched {now.searches:,} times and "
        f"bought {now.purchases:,} times; {now.lists:,} lists were made for them."
    )
    if not now.judged:
        return f"{said} Of no click or purchase it is still known whether it came out of a list."
    said += f" {percent(now.out_of_lists / now.judged)} of the clicks and purchases "
    if now.bought:
        said += f"({percent(now.bought_out_of_lists / now.bought)} of the purchases) "
    return f"{said}came out of a list that the user had just been shown."


def limits(found: Report) -> list[str]:
    """Return what the report could not see, the gravest first."""
    sight, clock = found.sight, period_of(found).clock
    said = []
    if sight.data_from is not None and sight.data_from > found.begin:
        said.append(f"Kafka has no event of before {clock(sight.data_from)}.")
    if sight.whole_from > found.begin and sight.judged < sight.touches:
        said.append(f"Of lists of before {clock(sight.whole_from)} only some are still there.")
    if sight.judged < sight.touches:
        part = percent(sight.judged / sight.touches)
        said.append(
            f"Figures on lists are of {sight.judged:,} of {sight.touches:,} clicks and purchases "
            f"({part}): of the others the lists are no longer all there, or their users were not "
            "followed."
        )
    if sight.lists_missing:
        said.append(
            f"{sight.lists_read:,} lists were read; {sight.lists_missing:,} or more are gone."
        )
    if sight.followed > 1:
        said.append(
            f"In the fullest partition one user in {sight.followed} was followed, by chance."
        )
    estimated = [
        name
        for name, exact in (
            ("users", sight.users_exact),
            ("items", sight.items_exact),
            ("counts of items", sight.top_exact),
        )
        if not exact
    ]
    if estimated:
        said.append(f"Estimated from a sample: {', '.join(estimated)}.")
    if found.before is None:
        said.append("Kafka has no whole period of the same length before: nothing is compared.")
    said.append(
        "Times are the broker's: of the event's record and of the list's."
        if sight.broker_time
        else "Some topics carry producers' times: how long lists took rests on their clocks."
    )
    return said


def headline(found: Report) -> list[tuple[str, str]]:
    """Return what matters most, as (name, value); behind it the change from the period before."""
    now, before = found.now, found.before

    def counted(value: Callable[[Figures], int]) -> str:
        return f"{value(now):,}{_change(value(now), None if before is None else value(before))}"

    def lists() -> str:  # of before, Kafka may no longer know how many there were
        if _comparable(found):
            return counted(lambda one: one.lists)
        return f"about {now.lists:,}" if found.sight.lists_missing else f"{now.lists:,}"

    def judged(value: Callable[[Figures], float | None], told: Callable[[float], str]) -> str:
        own = value(now)
        if own is None:
            return "-"
        other = None if before is None or not _comparable(found) else value(before)
        return told(own) + ("" if other is None else f" (before: {told(other)})")

    return [
        ("clicks", counted(lambda one: one.clicks)),
        ("searches", counted(lambda one: one.searches)),
        ("purchases", counted(lambda one: one.purchases)),
        ("users", counted(lambda one: one.users)),
        ("items clicked or bought", counted(lambda one: one.items)),
        ("lists made", lists()),
        ("clicks and purchases out of lists", judged(_share_of_all, percent)),
        ("purchases out of lists", judged(_share_of_purchases, percent)),
        (f"hit rate at {found.k}", judged(lambda one: one.hr, percent)),
        (f"MRR at {found.k}", judged(lambda one: one.mrr, lambda value: f"{value:.4f}")),
        ("from event to list, median", judged(lambda one: one.wait_ms, _ms)),
        ("dead letters", f"{sum(found.dead_letters.values()):,}"),
    ]


def _comparable(found: Report) -> bool:
    """Tell whether of both periods nearly all clicks and purchases could be judged."""
    return found.before is not None and all(
        one.judged >= ENOUGH * (one.clicks + one.purchases) for one in (found.now, found.before)
    )


def _share_of_all(one: Figures) -> float | None:
    return one.out_of_lists / one.judged if one.judged else None


def _share_of_purchases(one: Figures) -> float | None:
    return one.bought_out_of_lists / one.bought if one.bought else None


def _change(now: int, before: int | None) -> str:
    if before is None:
        return ""
    return f" ({(now - before) / before:+.0%})" if before else " (before: 0)"


def _ms(value: float) -> str:
    return f"{number(value)} ms"
