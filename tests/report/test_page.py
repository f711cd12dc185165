"""The page of a report is whole by itself, and no text out of the data is taken for markup."""

from itertools import count
from typing import Any

import msgspec
import pytest

from features.events import Click, Event, Item, Purchase, Search
from streams.quality.measure import Measure
from streams.report.drawn import charts, lines, tables
from streams.report.facts import Facts
from streams.report.page import page
from streams.report.period import Period
from streams.report.result import Report, Sight
from streams.report.summing import report, told
from streams.report.tally import Tally
from streams.report.walk import Entry, Gap, Walk
from streams.report.words import NOTES, headline, limits, summary, title
from tests.pages import check_alone, check_colours, read
from tests.report.made import KS, START, made_for

EVIL = '<script>alert("&")</script>'
HOUR_MS = 3_600_000


def found_of(visits: int, *, compared: bool = True, gap: bool = False) -> Report:
    """Report on visits of one search, click and purchase each, and on half as many before."""
    period = Period(START, START + 4 * HOUR_MS)
    tallies = [Tally(one, KS, (EVIL, "other")) for one in (period.before, period)]
    facts, measure, numbers = Facts((EVIL, "other")), Measure(), count()
    facts.put(EVIL, START - HOUR_MS, None)
    walk = Walk(tallies, facts, (EVIL, "other"))
    log: list[Entry] = [(START, Gap(START + 10 * HOUR_MS, 5))] if gap else []
    for begin, times in ((period.before.begin, visits // 2), (START, visits)):
        for visit in range(times):
            ts = begin + visit * 60_000
            about: dict[str, Any] = {"user_id": f"{EVIL}{visit % 7}", "ts": ts}
            events: list[Event] = [
                Search(**about, event_id=f"{next(numbers)}", query=EVIL),
                Click(**about, event_id=f"{next(numbers)}", item_id=EVIL),
                Purchase(
                    **about,
                    event_id=f"{next(numbers)}",
                    item_id=EVIL if visit % 3 else "b",
                    price=2.5 if visit % 5 else None,
                    currency="EUR",
                ),
            ]
            for number, event in enumerate(events):
                model = EVIL if visit > times // 2 else "first"
                shown = msgspec.structs.replace(made_for(event, [EVIL, "a"], model), domain=EVIL)
                log += [(ts + 20 * number, event), (ts + 20 * number + 8, shown)]
                if begin == START:
                    measure.event(event, "0")
    measure.item(Item(item_id=EVIL))
    walk.partition(sorted(log, key=lambda one: one[0]))
    before, now = tallies
    now.dead_letters[EVIL] = 3
    earlier = before if compared else None
    return report(
        now,
        earlier,
        source=EVIL,
        catalogue=len(facts),
        titles=dict.fromkeys(told(now, earlier), EVIL),
        quality=measure.quality(EVIL),
        sight=Sight(
            data_from=START + 1 if gap else 0,
            whole_from=START + HOUR_MS if gap else 0,
            lists_read=int(now.lists.sum()),
            lists_missing=now.missing,
            touches=int(now.events[:, [0, 2]].sum()),
            judged=int(now.judged.sum()),
            followed=2 if gap else 1,
            users_exact=not gap,
            items_exact=True,
            top_exact=True,
            broker_time=not gap,
        ),
    )


FOUND = {
    "all": found_of(100),
    "a gap": found_of(100, compared=False, gap=True),
    "one visit": found_of(1, compared=False),
    "none before": found_of(3),
}


@pytest.fixture(params=FOUND)
def found(request: pytest.FixtureRequest) -> Report:
    return FOUND[request.param]


def test_the_page_is_alone_and_has_its_colours(found: Report) -> None:
    check_alone(page(found))
    check_colours(page(found))


def test_all_that_is_told_is_on_the_page_as_it_is(found: Report) -> None:
    read_page = read(page(found))
    text = "".join(read_page.text)
    for told_one in (title(found), summary(found), *limits(found), *NOTES):
        assert told_one in text
    assert text.count(EVIL) >= 5
    for table in tables(found):
        assert table.title in text
        for cell in [*table.heads, *(cell for row in table.rows for cell in row)]:
            assert cell in text
    for name, value in headline(found):
        assert name in text
        assert value in text
    assert read_page.tags.count("polyline") == len(lines(found))
    assert read_page.tags.count("figure") == len(lines(found)) + len(charts(found))
    assert read_page.tags.count("line") == sum(len(one.marks) for one in lines(found))


def test_a_report_is_the_same_after_json(found: Report) -> None:
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


def test_a_full_report_compares_and_marks_the_models() -> None:
    found = FOUND["all"]
    told_by = dict(headline(found))
    assert (told_by["clicks"], told_by["lists made"]) == ("100 (+100%)", "300 (+100%)")
    assert told_by["purchases out of lists"] == "66.0% (before: 66.0%)"
    assert [one.version for one in found.models] == ["first", EVIL]
    marked = [one.title for one in lines(found) if one.marks and EVIL in one.marks[0][1]]
    assert marked == ["Hit rate at 3", "MRR at 3", "From event to list, median"]
    (money,) = found.now.revenue
    assert (money.currency, money.purchases, money.amount) == ("EUR", 80, 200.0)
    assert (found.now.unpriced, found.before is None) == (20, False)
    assert {one.group for one in found.segments} >= {"domain", "shown by", "what was done"}


def test_what_could_not_be_seen_is_said_and_nothing_is_made_up() -> None:
    found = FOUND["a gap"]
    said = " ".join(limits(found))
    for part in ("of 0 of 200 clicks and purchases (0.0%)", "5 or more are gone", "nothing is"):
        assert part in said
    assert "Of lists of before 2023-11-14 23:13 only some are still there" in said
    for part in ("no event of before", "one user in 2", "a sample: users", "producers' times"):
        assert part in said
    told_by = dict(headline(found))
    names = ("clicks and purchases out of lists", "purchases out of lists", "hit rate at 3")
    assert [told_by[name] for name in names] == ["-", "-", "-"]
    assert (found.metrics, found.reliability, found.segments) == ({}, (), ())
    assert "Of no click or purchase it is still known" in summary(found)


def test_a_period_that_could_not_be_judged_before_is_not_compared() -> None:
    found = FOUND["all"]
    assert found.before is not None
    half = msgspec.structs.replace(found.before, judged=found.before.judged // 2)
    told_by = dict(headline(msgspec.structs.replace(found, before=half)))
    assert (told_by["purchases out of lists"], told_by["lists made"]) == ("66.0%", "300")
    assert told_by["clicks"] == "100 (+100%)"
