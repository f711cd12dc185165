"""What an evaluation found, in words: the same for the terminal and for the page."""

from collections.abc import Mapping, Sequence

from streams.figures.result import Curve, Evaluation, Rates, Reliability, Segment
from streams.pages.parts import Bar, Bars, Line, Table, line, number
from streams.quality.words import bars

MEANINGS: Mapping[str, str] = {
    "hr": "part of the predictions whose item was among the first k",
    "mrr": "mean of 1 / place of the item, 0 past k",
    "ndcg": "mean of 1 / log2(1 + place), 0 past k",
    "recall": "part of what was taken that the first k places hold: of one item, the hit rate",
    "precision": "part of the k places that hold the item taken",
    "f1": "harmonic mean of a list's precision and recall, averaged",
    "coverage": "part of the catalogue that any list shows",
    "novelty": "how rare what is shown is, mean, in bits: 1 more is half as popular",
    "accuracy": "part of the predictions whose first item was the one taken",
    "auc": "chance that the item taken scores above another candidate, where it is a candidate",
    "candidate_recall": "part of the predictions whose item was a candidate at all",
    "calibration_error": "by how much scores are off as chances, mean over all shown items",
    "predictions": "lists that were held against what was then taken",
    "events": "events read",
    "seconds": "of the whole evaluation",
    "events_per_s": "events read a second, ranking and learning included",
    "list_ms_p50": "ms that ranking one list took, median",
    "list_ms_p99": "ms that 99 of 100 lists took at most",
    "configuration": "hash of all that decides how lists are made",
}
COMPONENTS: Mapping[str, str] = {
    "forward_last": "what others went on to from the last item",
    "forward": "what others went on to from the last 20 items",
    "cosine_last": "what is touched together with the last item",
    "cosine": "what is touched together with the last 20 items",
    "lift_last": "what others went on to more than usual, from the last item",
    "lift": "what others went on to more than usual, from the last 20 items",
    "bought": "what others went on to buy",
    "support": "neighbour of how many items of the history",
    "title": "words of the query in the item's text (BM25)",
    "query_exact": "taken after the same query",
    "query_squashed": "taken after the same query, squashed",
    "query_terms": "taken after queries with the same words",
    "own_position": "the user's own items, last first",
    "own_count": "the user's own items, most touched first",
    "own_visit": "the same, touches of this visit alone",
    "own_again": "the user's own items, by how often they came back to any",
    "own_age_h": "the user's own items, newest touch first",
    "own_bought": "bought by the user before",
    "attention": "attention over the history",
    "factors": "matrix factorisation",
    "popular_1h": "popularity, shortest half-life (1 hour)",
    "popular_1d": "popularity, second half-life (1 day)",
    "popular_7d": "popularity, third half-life (7 days)",
    "popular_30d": "popularity, longest half-life (30 days)",
    "price_fit": "price close to that of the history",
    "category_share": "category of the history",
    "brand_share": "brand of the history",
    "affinity_category": "category that the user leans to",
    "affinity_brand": "brand that the user leans to",
    "affinity_price": "price band that the user leans to",
    "demand_lead": "ahead of its category in demand",
    "conversion_lead": "ahead of its category in purchases per click",
    "similar_last": "like the last item, as the attention model sees them",
    "over_expected": "taken more often than the ranker expected",
}
"""What each component ranks by."""

NOTES = (
    (
        "Every list was made, by the steps that a worker runs, before anything learnt what was "
        "then taken; it is right where it shows that one item."
    ),
    (
        "A score is the item's share among the candidates of its list: those of all candidates sum "
        "to 1, even where what was taken is none of them."
    ),
    (
        "A component alone ranks the same candidates by its own score; equal ones share their mean "
        "place. Candidates come from all components: a shop without the others would have fewer."
    ),
    "Times are of the machine that evaluated. A list's is its part of its micro-batch's.",
)


def summary(found: Evaluation) -> str:
    """Return the result in one sentence."""
    figures = found.figures
    if not figures["predictions"]:
        return "No prediction was made: the log is too short, or nobody in it came back."
    hits, first = figures[f"hr@{found.k}"], figures["accuracy"]
    return (
        f"In {percent(hits)} of {figures['predictions']:,} cases the item that the user took next "
        f"was among the {found.k} shown; in {percent(first)} it was the first."
    )


def headline(found: Evaluation) -> list[tuple[str, str]]:
    """Return what matters most, as (name, value)."""
    figures, k = found.figures, found.k
    return [
        (f"hit rate at {k}", percent(figures[f"hr@{k}"])),
        (f"MRR at {k}", f"{figures[f'mrr@{k}']:.4f}"),
        (f"NDCG at {k}", f"{figures[f'ndcg@{k}']:.4f}"),
        ("accuracy: the first is right", percent(figures["accuracy"])),
        ("AUC among candidates", f"{figures['auc']:.3f}"),
        ("catalogue shown", percent(figures[f"coverage@{k}"])),
        ("scores are off by", percent(figures["calibration_error"])),
        ("predictions", f"{figures['predictions']:,}"),
        ("events", f"{figures['events']:,}"),
        ("ms a list, p50", number(found.list_ms.p50)),
        ("ms a list, p99", number(found.list_ms.p99)),
        ("configuration", figures["configuration"]),
    ]


def tables(found: Evaluation) -> list[Table]:
    """Return everything that is a list; those that have nothing to say are left out."""
    k = found.k
    heads = (f"HR@{k}", f"MRR@{k}", f"NDCG@{k}")
    told = [name for name in found.figures if any(name in one.figures for one in found.published)]
    made = [
        segments_table(found.segments, k),
        Table(
            "Beside what others published",
            ("method", *told),
            _published(found, told),
        ),
        Table(
            "Every component alone, and all together",
            ("component", "ranks by", "finds the item", *heads),
            _components(found),
        ),
        Table(
            "All figures",
            ("figure", "value", "meaning"),
            [
                (name, _plain(value), MEANINGS[name.partition("@")[0]])
                for name, value in found.figures.items()
            ],
        ),
    ]
    return [table for table in made if table.rows]


def lines(found: Evaluation) -> list[Line]:
    """Return the learning curves."""
    made = [_line(curve, f"hit rate at {found.k}", "hr") for curve in found.curves]
    made += [_line(curve, "loss, nats", "loss") for curve in found.curves]
    return [one for one in made if one is not None]


def charts(found: Evaluation) -> list[Bars]:
    """Return what is drawn as bars: calibration, and time of a list."""
    made = [calibration(found.reliability)] if found.reliability else []
    return made + ([bars(found.list_ms)] if found.list_ms.count else [])


def calibration(reliability: Sequence[Reliability]) -> Bars:
    """Return the chart of what scores said beside what came true; of one bin at least."""
    most = max(max(one.predicted, one.taken) for one in reliability)
    rows = [
        (
            f"{one.least:g} to {one.most:g}",
            [
                Bar(f"{one.predicted:.2%} said", one.predicted / most),
                Bar(f"{one.taken:.2%} of {one.shown:,} taken", one.taken / most),
            ],
        )
        for one in reliability
    ]
    return Bars("Calibration", "by score of shown items", rows)


def _published(found: Evaluation, names: Sequence[str]) -> list[Sequence[str]]:
    """Return a row for each who published any of the figures, after ours; none without any."""
    ours = ("this run", *(_plain(found.figures[name]) for name in names))
    others = [
        (one.method, *(_plain(one.figures[name]) if name in one.figures else "" for name in names))
        for one in found.published
        if not one.figures.keys().isdisjoint(names)
    ]
    return [ours, *others] if others else []


def segments_table(segments: Sequence[Segment], k: int) -> Table:
    """Return a row for each segment; only the first of a group names it."""
    groups = [None, *(one.group for one in segments)]
    return Table(
        "By segment",
        ("segment", "", "predictions", f"HR@{k}", f"MRR@{k}", f"NDCG@{k}"),
        [
            (
                one.group if one.group != last else "",
                one.name,
                f"{one.predictions:,}",
                *_cells(one.rates),
            )
            for last, one in zip(groups, segments, strict=False)
        ],
    )


def _components(found: Evaluation) -> list[Sequence[str]]:
    if found.components is None or not found.figures["predictions"]:
        return []
    k, figures = found.k, found.figures
    together = Rates(hr=figures[f"hr@{k}"], mrr=figures[f"mrr@{k}"], ndcg=figures[f"ndcg@{k}"])
    return [
        (
            "together",
            "the ranker, over all of them",
            percent(figures["candidate_recall"]),
            *_cells(together),
        ),
        *(
            (one.name, COMPONENTS[one.name], percent(one.found), *_cells(one.rates))
            for one in found.components
            if one.found
        ),
    ]


def _line(curve: Curve, title: str, field: str) -> Line | None:
    """Return a curve's line; None where it has no value."""
    points = [
        (one.event, value) for one in curve.points if (value := getattr(one, field)) is not None
    ]
    unit = f"{curve.name}, by event"
    return line(f"{title[0].upper()}{title[1:]}", unit, points) if points else None


def _cells(rates: Rates) -> tuple[str, str, str]:
    return f"{rates.hr:.4f}", f"{rates.mrr:.4f}", f"{rates.ndcg:.4f}"


def percent(value: float) -> str:
    """Return a part, 0..1, as people read it."""
    return f"{value:.1%}"


def _plain(value: float | str | None) -> str:
    return str(value) if value is None or isinstance(value, str) else f"{value:,g}"
