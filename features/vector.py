"""What the ranker sees of a candidate: its raw scores, made comparable between lists.

A raw score means little by itself: a chance of .2 is high for one shopper and low for another. So
most of these features compare a score with the highest of its list. All are finite for any finite
input, and 0 says "nothing known", so that absent evidence moves no list. What is the same for all
candidates of a list (the length of the history, whether it is a search) moves no order and is not
here; the ranker blends its weights by it instead.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

# The raw scores, in the order in which the candidates carry them; the ranker says what each means.
SCORES = (
    "forward_last",
    "forward",
    "cosine_last",
    "cosine",
    "lift_last",
    "lift",
    "bought",
    "support",
    "title",
    "query_exact",
    "query_squashed",
    "query_terms",
    "own_position",
    "own_count",
    "own_age_h",
    "own_bought",
    "own_visit",
    "own_again",
    "attention",
    "attention_known",
    "factors",
    "factors_known",
    "popular_1h",
    "popular_1d",
    "popular_7d",
    "popular_30d",
    "price_fit",
    "category_share",
    "brand_share",
    "affinity_category",
    "affinity_brand",
    "affinity_price",
    "demand_lead",
    "conversion_lead",
    "similar_last",
    "over_expected",
    "rank_forward",
    "rank_cosine",
    "rank_attention",
    "rank_factors",
    "rank_popular_1h",
    "rank_popular_1d",
    "rank_popular_7d",
    "rank_popular_30d",
    "rank_title",
    "rank_query",
)
_SHARES = ("forward_last", "forward", "cosine_last", "cosine", "lift_last", "lift", "bought")
_MATCHES = ("title", "query_exact", "query_squashed", "query_terms")
_POPULAR = ("popular_1h", "popular_1d", "popular_7d", "popular_30d")
_TRENDS = (  # the part of the longer that falls to the shorter where an item is as popular as ever
    ("trend_hour", "popular_1h", "popular_1d", 1 / 24),
    ("trend_day", "popular_1d", "popular_7d", 1 / 7),
    ("trend_week", "popular_7d", "popular_30d", 7 / 30),
)
_PLAIN = (
    "attention_known",
    "factors_known",
    "price_fit",
    "category_share",
    "brand_share",
    "affinity_category",
    "affinity_brand",
    "affinity_price",
    "demand_lead",
    "conversion_lead",
    "similar_last",
    "over_expected",
)
_RELATIVE_FLOOR = 1e-3  # a score below this part of the highest is as good as none
_SHARE_FLOOR = 1e-5  # a share below this is as good as none
_ATTENTION_SPAN = 12.0  # logits: further behind the best there is no telling apart
_FACTORS_SPAN = 6.0
_SIMILAR_TEMPERATURE = 0.07  # of a cosine: as much less similar is e times less likely
_MANY = 20.0  # items of a history whose neighbours are read

_Plane = NDArray[np.float32]


def _of_best(x: _Plane) -> _Plane:
    """Return each value as a part of its list's highest; 0 where there is none above 0."""
    peak: _Plane = np.maximum(x.max(axis=1, keepdims=True, initial=0), np.float32(1e-12))
    return x / peak


def _relative(name: str, x: _Plane) -> Iterator[tuple[str, _Plane]]:
    """Yield x / max, its logarithm above the floor and whether there is any."""
    share = _of_best(x)
    yield f"{name}_relative", share
    yield f"{name}_relative_log", np.log(share / np.float32(_RELATIVE_FLOOR) + np.float32(1))
    yield f"{name}_any", (x > 0).astype(np.float32)


def _behind(x: _Plane, known: NDArray[np.bool_]) -> _Plane:
    """Return how far each value is from the list's best that is known, 0 or less; else -inf."""
    unknown = np.float32(-np.inf)
    best = np.where(known, x, unknown).max(axis=1, keepdims=True, initial=np.float32(-1e30))
    return np.where(known, x - best, unknown)


def _logit(name: str, x: _Plane, known: _Plane, span: float) -> Iterator[tuple[str, _Plane]]:
    """Yield how close to the list's best a logit comes, as it is and as a probability."""
    behind = _behind(x, known > 0)
    ratio = np.exp(behind)
    total = ratio.sum(axis=1, keepdims=True)
    yield f"{name}_close", np.maximum(behind / np.float32(span) + np.float32(1), np.float32(0))
    yield f"{name}_ratio", ratio
    yield f"{name}_softmax", ratio / np.maximum(total, np.float32(1e-9))


def _own(raw: Mapping[str, _Plane]) -> Iterator[tuple[str, _Plane]]:
    """Yield what the user did with an item, in this visit apart from earlier ones.

    What was just bought is hardly bought again in the same visit, and often in the next one. So
    one must not teach the weights of the other.
    """
    one = np.float32(1)
    own, visit = raw["own_position"] > 0, raw["own_visit"] > 0
    age_h = np.maximum(raw["own_age_h"], 0)
    earlier = np.maximum(raw["own_count"] - raw["own_visit"], 0)
    touches = {"own_visit": raw["own_visit"], "own_earlier": earlier}
    for name, when, age in (
        ("own_visit", visit, age_h),
        ("own_earlier", own & ~visit, age_h / np.float32(24)),
    ):
        there = when.astype(np.float32)
        yield name, there
        yield f"{name}_recency", np.divide(there, np.maximum(raw["own_position"], one))
        yield f"{name}_log", np.log1p(touches[name])
        yield f"{name}_fresh", np.divide(there, one + age)
        yield f"{name}_bought", there * raw["own_bought"]
        yield f"{name}_again", there * raw["own_again"]
    yield "own_visit_last", (visit & (raw["own_position"] == 1)).astype(np.float32)


def _popularity(raw: Mapping[str, _Plane]) -> Iterator[tuple[str, _Plane]]:
    """Yield how popular an item is over an hour to a month, and whether it rises."""
    for name in _POPULAR:
        yield f"{name}_log", np.log1p(raw[name])
    for name in _POPULAR[:-1]:
        yield f"{name}_relative", _of_best(raw[name])
    # One touch more on either side: the trend of an item that few know is near 0.
    one = np.float32(1)
    for trend, short, long, part in _TRENDS:
        usual = raw[long] * np.float32(part) + one
        yield trend, np.log((raw[short] + one) / usual)


def _features(scores: _Plane) -> Iterator[tuple[str, _Plane]]:
    """Yield (name, (B, C) values) of every feature; absent candidates may hold anything."""
    raw = {name: scores[..., i] for i, name in enumerate(SCORES)}
    for name in _SHARES + _MATCHES:
        x = raw[name]
        yield from _relative(name, x)
        if name != "title":
            yield f"{name}_log", np.log(x / np.float32(_SHARE_FLOOR) + np.float32(1))
    yield "support_share", np.minimum(raw["support"] / np.float32(_MANY), np.float32(1))
    yield "support_log", np.log1p(raw["support"])
    yield "attention_tenth", np.clip(raw["attention"] / np.float32(10), -3, 3)
    yield from _logit("attention", raw["attention"], raw["attention_known"], _ATTENTION_SPAN)
    one = np.float32(1)
    odds = np.exp(np.clip(raw["factors"], -30, 30))
    yield "factors_sigmoid", raw["factors_known"] * np.divide(odds, odds + one)
    yield from _logit("factors", raw["factors"], raw["factors_known"], _FACTORS_SPAN)
    yield from _popularity(raw)
    similar = raw["similar_last"]
    yield (
        "similar_last_ratio",
        np.exp(_behind(similar, similar != 0) / np.float32(_SIMILAR_TEMPERATURE)),
    )
    yield from _own(raw)
    for name in _PLAIN:
        yield name, raw[name]
    for name in SCORES:
        if name.startswith("rank_"):
            yield name, raw[name]


NAMES = tuple(name for name, _ in _features(np.zeros((1, 1, len(SCORES)), np.float32)))


def compute(scores: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the features of candidates, (B, C, F) in the order of `NAMES`.

    Args:
        scores: (B, C, G) raw scores in the order of `SCORES`; B lists of up to C candidates.
        mask: (B, C) where there is a candidate; all features are 0 elsewhere.

    Returns:
        An array whose (B, C) plane of each feature is contiguous in memory.

    Raises:
        ValueError: the last axis is not as long as `SCORES`.
    """
    if scores.shape[-1] != len(SCORES):
        raise ValueError(f"{scores.shape[-1]} scores a candidate, expected {len(SCORES)}: SCORES")
    planes = np.empty((len(NAMES), *mask.shape), np.float32)
    for plane, (_, values) in zip(planes, _features(scores), strict=True):
        np.multiply(values, mask, out=plane)
    return np.moveaxis(planes, 0, -1)
