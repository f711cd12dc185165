"""The page of an evaluation is whole by itself, and no text is taken for markup."""

import pytest

from streams.figures.curve import CurveOf
from streams.figures.published import Told, published
from streams.figures.report import page
from streams.figures.result import Evaluation
from streams.figures.segments import Before
from streams.figures.tally import Tally
from streams.figures.words import charts, headline, lines, summary, tables
from tests.figures.made import ABSENT, listed
from tests.pages import check_alone, check_colours, read

EVIL = '<script>alert("&")</script>'


def evaluation(lists: int) -> Evaluation:
    tally, curve = Tally((1, 2), components=True), CurveOf()
    for number in range(lists):
        taken = number % 4 if number % 5 else ABSENT
        one = listed((0.5, 0.3, 0.15, 0.05), taken, k=2, number=number + 1)
        one.answer.scores[:3, 1] = 0.5, 0.7, 0.1
        tally.add(one, Before(number, number, number, number, searched=bool(number % 2)))
        curve.add(one)
    return Evaluation(
        data=EVIL,
        protocol="prequential",
        seed=0,
        k=2,
        figures={
            **tally.figures({slot: slot + 1 for slot in range(4)}),
            "predictions": tally.predictions,
            "events": lists,
            "seconds": 1.5,
            "events_per_s": 20.0,
            "list_ms_p50": tally.list_ms().p50,
            "list_ms_p99": tally.list_ms().p99,
            "configuration": EVIL,
        },
        segments=tally.segments(),
        curves=(curve.curve(EVIL),) if lists else (),
        reliability=tally.reliability(),
        list_ms=tally.list_ms(),
        components=tally.components(),
        published=published([{"method": EVIL, "hit1": 0.25}, {"method": "none of ours", "auc": 1}]),
    )


@pytest.fixture(params=[0, 1, 200])
def found(request: pytest.FixtureRequest) -> Evaluation:
    return evaluation(request.param)


def test_the_page_is_alone_and_has_its_colours(found: Evaluation) -> None:
    check_alone(page(found))
    check_colours(page(found))


def test_all_that_is_told_is_on_the_page_as_it_is(found: Evaluation) -> None:
    read_page = read(page(found))
    text = "".join(read_page.text)
    assert summary(found) in text
    assert text.count(EVIL) >= 3
    for table in tables(found):
        assert table.title in text
        for cell in [*table.heads, *(cell for row in table.rows for cell in row)]:
            assert cell in text
    for name, value in headline(found):
        assert name in text
        assert value in text
    assert read_page.tags.count("polyline") == len(lines(found))
    assert read_page.tags.count("figure") == len(lines(found)) + len(charts(found))
    for chart in charts(found):
        for label, drawn in chart.rows:
            assert label in text
            assert all(bar.text in text and 0 <= bar.part <= 1 for bar in drawn)


def test_what_others_published_stands_below_ours_under_our_names() -> None:
    (table,) = (one for one in tables(evaluation(200)) if "published" in one.title)
    assert list(table.heads) == ["method", "hr@1"]
    assert [row[0] for row in table.rows] == ["this run", EVIL]
    assert table.rows[1][1] == "0.25"
    told: Told = {"method": "a", "hr20": 0.5, "hit@5": 0.25, "recall@10": 1, "note": "3", "f1@5": 0}
    (one,) = published([told])
    assert one.figures == {"hr@20": 0.5, "hr@5": 0.25, "recall@10": 1.0, "f1@5": 0.0}


def test_components_stand_below_what_they_make_together() -> None:
    (table,) = (one for one in tables(evaluation(200)) if "component" in one.title)
    assert [row[0] for row in table.rows] == ["together", "forward"]


def test_points_of_a_line_lie_within_its_frame() -> None:
    for one in lines(evaluation(200)):
        points = [tuple(map(float, point.split(","))) for point in one.points.split()]
        assert len(points) >= 2
        assert all(0 <= x <= 100 and 0 <= y <= 40 for x, y in points)
        assert min(y for _, y in points) == 0  # the highest value
