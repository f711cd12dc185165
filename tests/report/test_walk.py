"""What a report counts is what a plain recount of the same log says, and nothing looks ahead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from features.events import Click, Event, Kind, Purchase, Search
from streams.lists import Recommendation
from streams.report.facts import Facts
from streams.report.period import Period
from streams.report.screen import WITHIN_MS
from streams.report.tally import Tally
from streams.report.walk import Entry, Forgotten, Gap, Walk
from tests.report.made import KS, SHOP, START, compacted, logs, made_for, tallied, whole


def recount(log: list[Entry]) -> list[tuple[int, Kind, list[int], bool]]:
    """Return time, kind, positions and whether it came out of a list, for each touch."""
    found: list[tuple[int, Kind, list[int], bool]] = []
    led: list[tuple[int, str, str]] = []
    for place, (ts, event) in enumerate(log):
        if not isinstance(event, Click | Purchase):
            continue
        lists = [
            (at, made)
            for at, made in log[:place]
            if isinstance(made, Recommendation)
            and made.user_id == event.user_id
            and ts - WITHIN_MS <= at < ts
        ]
        newest = [made for _, made in lists if made.surface == "for_you"][-1:]
        if isinstance(event, Click) and event.search_id:
            newest += [made for _, made in lists if made.rec_id == f"search-{event.search_id}"]
        ids = [[item.item_id for item in made.items] for made in newest]
        positions = [one.index(event.item_id) + 1 if event.item_id in one else 0 for one in ids]
        before = any(
            (user, item) == (event.user_id, event.item_id) and at >= ts - WITHIN_MS
            for at, user, item in led
        )
        if any(positions) and isinstance(event, Click):
            led.append((ts, event.user_id, event.item_id))
        out = any(positions) or (isinstance(event, Purchase) and before)
        found.append((ts, event.kind, positions, out))
    return found


def positions_of(found: list[tuple[int, Kind, list[int], bool]]) -> list[int]:
    k = max(KS)
    every = [place if place <= k else 0 for _, _, places, _ in found for place in places]
    return [every.count(place) for place in range(k + 1)]


@given(log=logs())
def test_a_report_counts_what_a_plain_recount_does(log: list[Entry]) -> None:
    (tally,) = tallied(log, whole(log))
    found = recount(log)
    events = [event for _, event in log if isinstance(event, Event)]
    lists = [made for _, made in log if isinstance(made, Recommendation)]
    kinds = [sum(isinstance(one, kind) for one in events) for kind in (Click, Search, Purchase)]
    assert tally.events.sum(axis=0).tolist() == kinds
    assert tally.lists.sum() == len(lists)
    assert tally.positions.sum(axis=0).tolist() == positions_of(found)
    assert tally.judged.sum() == len(found)
    assert tally.out_of_lists.sum() == sum(out for *_, out in found)
    assert tally.wait.count == len(lists), "each list comes after its event here"
    money = tally.money.get("EUR")
    bought = [out for _, kind, _, out in found if kind == Kind.PURCHASE]
    assert (money.amount if money else 0) == 2.0 * len(bought)
    assert (money.recommended if money else 0) == 2.0 * sum(bought)
    assert tally.users.distinct == len({event.user_id for event in events})
    groups = tally.segments.result()
    for group in {one.group for one in groups}:
        parts = [one.predictions for one in groups if one.group == group]
        assert sum(parts) == tally.positions.sum()


@given(log=logs(), part=st.floats(0.05, 0.95))
def test_two_periods_add_up_to_the_whole(log: list[Entry], part: float) -> None:
    period = whole(log)
    cut = period.begin + int(part * (period.end - period.begin))
    (both,) = tallied(log, period)
    first, second = tallied(log, Period(period.begin, cut), Period(cut, period.end))
    for name in ("events", "lists", "judged", "out_of_lists", "positions"):
        parts = getattr(first, name).sum(axis=0) + getattr(second, name).sum(axis=0)
        assert parts.tolist() == getattr(both, name).sum(axis=0).tolist(), name
    assert first.wait.count + second.wait.count == both.wait.count
    shown = [sum(bin_.shown for bin_ in one.calibration.bins()) for one in (first, second, both)]
    assert shown[0] + shown[1] == shown[2]


@given(log=logs(), part=st.floats(0, 1))
def test_what_comes_later_changes_no_earlier_figure(log: list[Entry], part: float) -> None:
    period = whole(log)
    cut = period.place(period.begin + int(part * (period.end - period.begin - 1)))
    until = period.begin + cut * period.step_ms
    (full,) = tallied(log, period)
    (head,) = tallied([one for one in log if one[0] < until], period)
    for name in ("events", "lists", "judged", "out_of_lists", "positions"):
        earlier = [getattr(one, name)[:cut].tolist() for one in (full, head)]
        assert earlier[0] == earlier[1], name


@given(log=logs(), data=st.data())
def test_what_is_judged_after_compaction_is_what_the_whole_log_says(
    log: list[Entry], data: st.DataObject
) -> None:
    period = whole(log)
    lists = [at for at, made in log if isinstance(made, Recommendation)]
    gone = data.draw(
        st.frozensets(st.integers(0, len(lists) - 1)) if lists else st.just(frozenset())
    )
    read = compacted(log, gone, period)
    (tally,) = tallied(read, period)
    gaps = [(ts, gap.until + WITHIN_MS) for ts, gap in read if isinstance(gap, Gap)]
    seen = [one for one in recount(log) if not any(a < one[0] < b for a, b in gaps)]
    assert tally.positions.sum(axis=0).tolist() == positions_of(seen)
    assert tally.judged.sum() == len(seen)
    assert bool(gone) == bool(gaps)
    until, told = 0, 0
    for ts, what in read:
        until = max(until, what.until) if isinstance(what, Gap) else until
        told += isinstance(what, Recommendation) and ts > until
    assert tally.wait.count == told
    # What is gone from the head may be of before the period: the rest of it is counted exactly.
    head = next((place for place in range(len(lists)) if place not in gone), len(lists))
    assert tally.lists.sum() + tally.missing == len(lists) - head


CLICK = Click(event_id="1", user_id="ann", item_id="a", ts=START)
AGAIN = Click(event_id="2", user_id="ann", item_id="b", ts=START)
SHOWN = made_for(CLICK, "b")


@pytest.mark.parametrize(
    ("log", "judged", "hits"),
    [
        ([(1, CLICK), (2, SHOWN), (3, AGAIN)], 2, 1),
        ([(1, CLICK), (2, SHOWN), (2, AGAIN)], 2, 0),  # in the ms in which the list was made
        ([(1, CLICK), (2, SHOWN), (2 + WITHIN_MS, AGAIN)], 2, 1),
        ([(1, CLICK), (2, SHOWN), (3 + WITHIN_MS, AGAIN)], 2, 0),
        ([(1, CLICK), (2, SHOWN), (3, AGAIN), (4, AGAIN)], 2, 1),  # sent again
        ([(1, CLICK), (2, SHOWN), (3, Forgotten("ann")), (4, AGAIN)], 2, 0),
        ([(1, CLICK), (2, SHOWN), (2, Gap(3, 1)), (4, AGAIN)], 1, 0),
        ([(1, CLICK), (2, SHOWN), (2, Gap(3, 1)), (3 + WITHIN_MS, AGAIN)], 2, 0),
    ],
)
def test_what_came_out_of_a_list(log: list[Entry], judged: int, hits: int) -> None:
    moved = [
        (START + ts, Gap(START + what.until, what.missing) if isinstance(what, Gap) else what)
        for ts, what in log
    ]
    (tally,) = tallied(moved, whole(moved))
    assert (tally.judged.sum(), tally.out_of_lists.sum()) == (judged, hits)


def test_ids_are_of_a_user() -> None:
    """Shops may number each user's events alike; sent again, one of a user counts once."""
    other = structs.replace(CLICK, user_id="bob")
    events = [CLICK, other, CLICK]
    log: list[Entry] = [(START + number, one) for number, one in enumerate(events)]
    log += [(START + 10 + number, made_for(one, "b")) for number, one in enumerate(events)]
    (tally,) = tallied(log, whole(log))
    assert (tally.events.sum(), tally.lists.sum(), tally.wait.count) == (2, 2, 2)


def test_what_is_followed_of_a_partition_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.report.walk.USERS", 16)
    log: list[Entry] = []
    for number in range(400):
        user, ts = f"u{number}", START + 10 * number
        first = Click(event_id=f"a{number}", user_id=user, item_id="a", ts=ts)
        then = Click(event_id=f"b{number}", user_id=user, item_id="b", ts=ts)
        log += [(ts, first), (ts + 1, made_for(first, "b")), (ts + 2, then)]
    period = whole(log)
    tally = Tally(period, KS, SHOP)
    walk = Walk([tally], Facts(SHOP), SHOP)
    walk.partition(log)
    assert walk.followed >= 400 / 16 / 4
    assert 0 < tally.judged.sum() < 400
    # Of the followed, as of all: the second click, and no first one, came out of a list.
    assert tally.events.sum() == 800
    assert tally.out_of_lists.sum() == pytest.approx(tally.judged.sum() / 2, abs=1)
