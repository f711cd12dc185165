"""Sketches: exact within their bounds, close beyond them, and never larger than they may be."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.quality.sketches import Distribution, Heavy, Recent, Sample, Top

keys = st.lists(st.integers(0, 400).map(str), max_size=600)
values = st.lists(st.floats(0, 1e12), min_size=1, max_size=200)
EDGES, LABELS = (1.0, 10.0, 100.0), ("under 1", "1+", "10+", "100+")


def filled(bound: int, texts: list[str]) -> Sample[None]:
    sample: Sample[None] = Sample(bound)
    for text in texts:
        key = sample.key(text)
        if key is not None:
            sample.put(key, None)
    return sample


@given(texts=keys)
def test_a_sample_is_exact_up_to_its_bound(texts: list[str]) -> None:
    sample = filled(401, texts)
    assert sample.scale == 1
    assert sample.distinct == len(set(texts))


@given(texts=keys, bound=st.integers(1, 50))
def test_a_sample_keeps_its_bound_and_forgets_the_order(texts: list[str], bound: int) -> None:
    sample = filled(bound, texts)
    assert len(sample.kept) <= bound
    assert sample.kept.keys() == filled(bound, texts[::-1]).kept.keys()


def test_a_large_set_is_estimated_closely() -> None:
    sample = filled(4_096, [f"key {number}" for number in range(100_000)])
    assert sample.scale > 1
    assert sample.distinct == pytest.approx(100_000, rel=5 * 1.2 / 4_096**0.5)
    half = filled(4_096, [f"key {number}" for number in range(0, 100_000, 2)])
    assert half.lacks(sample) == pytest.approx(50_000, rel=0.15)
    assert sample.lacks(half) == 0


@given(one=keys, other=keys)
def test_what_one_set_lacks_of_another(one: list[str], other: list[str]) -> None:
    assert filled(500, one).lacks(filled(500, other)) == len(set(other) - set(one))


@given(texts=keys, bound=st.integers(1, 20))
def test_the_last_keys_are_remembered(texts: list[str], bound: int) -> None:
    recent: Recent[int] = Recent(bound)
    for place, text in enumerate(texts):
        latest = list(dict.fromkeys(texts[:place][::-1]))[:bound]
        expected = None
        if text in latest:
            expected = place - 1 - texts[:place][::-1].index(text)
        assert recent.swap(text, place) == expected


@given(texts=keys, bound=st.integers(1, 20))
def test_the_highest_counts_stay(texts: list[str], bound: int) -> None:
    """A key's count only grows, as events of a user in a minute do."""
    top: Top[int] = Top(bound)
    counts: Counter[str] = Counter()
    for place, text in enumerate(texts):
        counts[text] += 1
        top.offer(text, counts[text], place)
    found = top.ranked()
    highest = sorted(counts.values(), reverse=True)[:bound]
    assert [count for _, count, _ in found] == highest
    assert all(counts[key] == count for key, count, _ in found)


@given(given=values)
def test_a_distribution_counts_each_value_once(given: list[float]) -> None:
    distribution = Distribution("x", "X", "1", EDGES, LABELS)
    for value in given:
        distribution.add(value)
    found = distribution.histogram()
    assert found.count == len(given) == sum(one.count for one in found.bins)
    assert found.least == min(given)
    assert found.most == max(given)
    assert found.mean == pytest.approx(sum(given) / len(given))
    assert found.bins[0].count == sum(value < 1 for value in given)
    assert found.bins[-1].count == sum(value >= 100 for value in given)


@given(given=values)
def test_quantiles_are_within_two_percent(given: list[float]) -> None:
    distribution = Distribution("x", "X", "1", EDGES, LABELS)
    for value in given:
        distribution.add(value)
    found, ordered = distribution.histogram(), sorted(given)
    for q, told in ((0.5, found.p50), (0.9, found.p90), (0.99, found.p99)):
        assert told == pytest.approx(ordered[int(q * (len(given) - 1))], rel=0.0201, abs=1e-12)


def test_weights_count_as_often() -> None:
    once, often = (Distribution("x", "X", "1", EDGES, LABELS) for _ in range(2))
    for value in (0.0, 5.0, 5.0, 5.0):
        once.add(value)
    often.add(0.0)
    often.add(5.0, 3)
    assert once.histogram() == often.histogram()


def test_nothing_has_no_quantiles() -> None:
    found = Distribution("x", "X", "1", EDGES, LABELS).histogram()
    assert (found.mean, found.least, found.p50, found.most) == (None,) * 4


def test_edges_and_labels_must_match() -> None:
    with pytest.raises(ValueError, match="3 labels for 3 edges"):
        Distribution("x", "X", "1", EDGES, LABELS[1:])


@given(texts=keys, bound=st.integers(1, 50))
def test_heavy_keys_are_counted_to_within_their_bound(texts: list[str], bound: int) -> None:
    heavy, counts = Heavy(bound), Counter(texts)
    for text in texts:
        heavy.add(text)
    assert len(heavy.counts) <= 2 * bound
    assert heavy.exact or len(counts) > 2 * bound
    for text, count in counts.items():
        kept = heavy.counts.get(text, 0)
        assert kept <= count <= kept + (0 if heavy.exact else len(texts) / bound)
