"""The features that the ranker sees of a candidate, in the order of `vector.NAMES`."""

from collections.abc import Iterator
from math import inf

from features.affinity import HALF_LIFE_MS, MAX_NAMES
from features.decay import DAY_MS
from features.feature import Feature
from features.standing import FAR
from features.touches import MAX_TOUCHES
from features.vector import NAMES

_ORDER = {name: place for place, name in enumerate(NAMES)}

_SCORES = {
    "forward_last": "the chance of the candidate after the user's last item",
    "forward": "the chance of the candidate after the user's items, the last weighing most",
    "cosine_last": "how often the candidate goes together with the user's last item (cosine)",
    "cosine": "how often the candidate goes together with the user's items (cosine), the last "
    "weighing most",
    "lift_last": "how much likelier the user's last item makes the candidate than it is anyway",
    "lift": "how much likelier the user's items make the candidate than it is anyway",
    "bought": "the chance that the candidate is bought after the user's items, the last weighing "
    "most",
    "title": "how well the words of the search match the candidate (BM25)",
    "query_exact": "its share of the clicks that this very query led to",
    "query_squashed": "its share of the clicks that this query led to, spaces apart",
    "query_terms": "its shares of the clicks that each word of the query led to, summed",
}
"""What the generators' scores say; see `ranker.scores`, `ranker.evidence`."""
_LOGITS = {
    "attention": "the attention model's score of the candidate after the user's history",
    "factors": "the matrix factorisation's score of the candidate for the user",
}
_RANKS = {
    "forward": "chance after the user's items",
    "cosine": "cosine with the user's items",
    "attention": "attention score",
    "factors": "factorisation score",
    "popular_1h": "popularity over an hour",
    "popular_1d": "popularity over a day",
    "popular_7d": "popularity over a week",
    "popular_30d": "popularity over a month",
    "title": "title match",
    "query": "what the query led to",
}


def list_features() -> Iterator[Feature]:
    """Yield every feature of the ranker's vector; what is absent is 0 in all of them."""
    described = {feature.name: feature for feature in _all()}
    unknown = [name for name in NAMES if name not in described]
    if unknown or len(described) != len(NAMES):
        gone = sorted(set(described) - set(NAMES))
        raise LookupError(f"describe {unknown} here and drop {gone}: NAMES of features.vector")
    return (described[name] for name in NAMES)


def _all() -> Iterator[Feature]:
    for name, said in _SCORES.items():
        yield _of(f"{name}_relative", f"{said}, as a part of the list's highest", high=1)
        yield _of(
            f"{name}_relative_log",
            f"ln(1 + 1000 x) of that part: {said}",
            unit="ln",
            high=6.91,
        )
        yield _of(f"{name}_any", f"1 where there is any of it: {said}", unit="0 or 1", high=1)
        if name != "title":
            yield _of(f"{name}_log", f"ln(1 + 100,000 x) of {said}", unit="ln")
    for name, said in _LOGITS.items():
        yield _of(f"{name}_close", f"1 at the list's best, 0 far behind it: {said}", high=1)
        yield _of(f"{name}_ratio", f"odds against the list's best: {said}", high=1)
        yield _of(f"{name}_softmax", f"share of all candidates' odds: {said}", high=1)
        yield _of(f"{name}_known", f"1 where there is {said}", unit="0 or 1", high=1)
    yield _of(
        "attention_tenth", f"a tenth of {_LOGITS['attention']}", unit="logits / 10", low=-3, high=3
    )
    yield _of("factors_sigmoid", f"as a probability, {_LOGITS['factors']}", high=1)
    for name, said in _RANKS.items():
        yield _of(
            f"rank_{name}",
            f"1 / rank among the candidates by {said}; 0 past rank 32",
            unit="1 / rank",
            high=1,
        )
    yield from _support()
    yield from _popularity()
    yield from _own()
    yield from _attributes()


def _support() -> Iterator[Feature]:
    yield _of(
        "support_share", "of the user's last 20 items, how many have it as a neighbour", high=1
    )
    yield _of(
        "support_log",
        "ln(1 + n) of the user's last 20 items that have it as a neighbour",
        unit="ln",
        high=3.05,
    )


def _popularity() -> Iterator[Feature]:
    for name, said in (("1h", "an hour"), ("1d", "a day"), ("7d", "a week"), ("30d", "a month")):
        yield _of(
            f"popular_{name}_log",
            f"ln(1 + n) of its clicks and purchases, each counting half after {said}",
            unit="ln",
        )
    for name, said in (("1h", "an hour"), ("1d", "a day"), ("7d", "a week")):
        yield _of(
            f"popular_{name}_relative",
            f"its popularity over {said}, as a part of the list's highest",
            high=1,
        )
    for name, said, high in (
        ("hour", "this hour than in its day", 3.18),
        ("day", "today than in its week", 1.95),
        ("week", "this week than in its month", 1.46),
    ):
        yield _of(f"trend_{name}", f"how much more popular {said}", unit="ln", low=-inf, high=high)


def _own() -> Iterator[Feature]:
    for name, when, age in (
        ("own_visit", "in the visit that goes on", "hours"),
        ("own_earlier", "in earlier visits alone", "days"),
    ):
        yield _of(name, f"1 where the user acted on it {when}", unit="0 or 1", high=1)
        yield _of(
            f"{name}_recency",
            "1 / place among the user's distinct items, the last first, where so",
            unit="1 / rank",
            high=1,
        )
        yield _of(
            f"{name}_log",
            "ln(1 + n) of the user's clicks and purchases of it "
            + ("in that visit" if name == "own_visit" else "before that visit"),
            unit="ln",
            high=3.94,
        )
        yield _of(f"{name}_fresh", f"1 / (1 + {age} since the last of them), where so", high=1)
        yield _of(f"{name}_bought", "1 where the user bought it at any time", unit="0 or 1", high=1)
        yield _of(
            f"{name}_again",
            f"share of the user's last {MAX_TOUCHES} touches that came back to an item, where this "
            f"one was touched {when}",
            high=1,
        )
    yield _of("own_visit_last", "1 where it is the last item of that visit", unit="0 or 1", high=1)


def _attributes() -> Iterator[Feature]:
    yield _of("price_fit", "1 at the user's usual price, half at twice or half of it", high=1)
    yield _of("category_share", "of the user's last 20 items, those of its category", high=1)
    yield _of("brand_share", "of the user's last 20 items, those of its brand", high=1)
    last = "the attention model's vectors of it and of the user's last item, where it is another"
    yield _of("similar_last", f"cosine of {last}", unit="cosine", low=-1, high=1)
    yield _of("similar_last_ratio", f"odds against the list's best: cosine of {last}", high=1)
    yield _of(
        "over_expected",
        "ln of how many times as often as the ranker expected it was taken of its lists lately",
        unit="ln",
        low=-inf,
        high=inf,
    )
    yield from _leanings()


def _leanings() -> Iterator[Feature]:
    for name, said in (("category", "category"), ("brand", "brand"), ("price", "price band")):
        yield _of(
            f"affinity_{name}",
            f"share of its {said} among the {MAX_NAMES} that the user leans to most; weights halve "
            f"after every {HALF_LIFE_MS // DAY_MS}d",
            high=1,
        )
    for name, said in (("demand", "clicks and purchases"), ("conversion", "purchases per click")):
        yield _of(
            f"{name}_lead",
            f"how far it was ahead of its category in {said} when it last changed, as the standing "
            "of an item says it",
            unit=f"ln / ln {FAR}",
            low=-1,
            high=1,
        )


def _of(
    name: str, meaning: str, *, unit: str = "share", low: float = 0.0, high: float = inf
) -> Feature:
    place = _ORDER.get(name, -1)
    return Feature(
        "list",
        name,
        name,
        f"{meaning if meaning.startswith('ln(') else meaning[0].upper() + meaning[1:]}.",
        unit,
        lambda vector, _: float(vector[place]),
        low=low,
        high=high,
    )
