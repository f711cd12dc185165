"""What a pass over any amount of data remembers, within fixed bounds."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from math import ceil, log
from typing import Generic, TypeVar

from streams.quality.result import Bin, Histogram

V = TypeVar("V")

_HASHES = 1 << 64
_ERROR = 0.02  # of a quantile, relative
_GROWTH = (1 + _ERROR) / (1 - _ERROR)
_LEAST, _MOST = 1e-12, 1e15  # a quantile below is told as 0, one above as this
_NOTHING = -1_000_000  # the bucket of what is below: lower than any other


class Sample(Generic[V]):
    """A value for each distinct key: for all up to a bound, beyond it for a uniform sample.

    A key is in the sample while its hash lies below a threshold, which halves whenever the bound is
    passed. So what the kept keys say, times `scale`, is what all keys say; the number of distinct
    keys is off by about 1.2 / sqrt(bound), and exact as long as `scale` is 1.

    Args:
        bound: Keys kept at most.

    Attributes:
        kept: Hash of a key -> its value.
        scale: So many keys stand behind each that is kept.

    Source: Wegman's adaptive sampling, Flajolet, Computing 43, 1990.
    """

    def __init__(self, bound: int) -> None:
        self.kept: dict[int, V] = {}
        self.scale = 1
        self._bound = bound

    def key(self, text: str) -> int | None:
        """Return what the key is kept under; None where it is not in the sample."""
        digest = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
        return digest if digest < _HASHES // self.scale else None

    def put(self, key: int, value: V) -> None:
        """Set a key's value; make room where that is one too many."""
        self.kept[key] = value
        while len(self.kept) > self._bound:
            self.scale *= 2
            below = _HASHES // self.scale
            self.kept = {key: value for key, value in self.kept.items() if key < below}

    @property
    def distinct(self) -> int:
        """Estimate the distinct keys ever seen."""
        return len(self.kept) * self.scale

    def lacks(self, other: "Sample[V]") -> int:
        """Estimate how many keys of the other sample are not in this one."""
        scale = max(self.scale, other.scale)
        below = _HASHES // scale
        return scale * sum(key < below and key not in self.kept for key in other.kept)


class Recent(Generic[V]):
    """The values of the keys that were set last; of more than the bound the oldest is forgotten."""

    def __init__(self, bound: int) -> None:
        self._held: OrderedDict[str, V] = OrderedDict()
        self._bound = bound

    def holds(self, key: str) -> bool:
        """Tell whether a key is among those that were set last."""
        return key in self._held

    def swap(self, key: str, value: V) -> V | None:
        """Set a key's value, return the one before."""
        before = self._held.pop(key, None)
        self._held[key] = value
        if len(self._held) > self._bound:
            self._held.popitem(last=False)
        return before


class Distribution:
    """Counts values in bins, and finely enough for quantiles.

    Args:
        name, title, unit: What is distributed.
        edges: Lower edge of each bin but the first, ascending.
        labels: One a bin, so one more than edges.

    Source: logarithmic buckets as in DDSketch, Masson et al., VLDB 2019.
    """

    def __init__(
        self, name: str, title: str, unit: str, edges: Sequence[float], labels: Sequence[str]
    ) -> None:
        if len(labels) != len(edges) + 1:
            raise ValueError(f"{len(labels)} labels for {len(edges)} edges: one more is needed")
        self._about = (name, title, unit)
        self._edges, self._labels = edges, labels
        self._counts = [0] * len(labels)
        self._fine: dict[int, int] = {}
        self._total = 0.0
        self._least = self._most = 0.0
        self.count = 0

    def add(self, value: float, weight: int = 1) -> None:
        """Count a value, 0 or above, as often as the weight says."""
        if not self.count:
            self._least = self._most = value
        self.count += weight
        self._total += value * weight
        self._least, self._most = min(self._least, value), max(self._most, value)
        self._counts[bisect_right(self._edges, value)] += weight
        bucket = _NOTHING if value < _LEAST else ceil(log(min(value, _MOST)) / log(_GROWTH))
        self._fine[bucket] = self._fine.get(bucket, 0) + weight

    def histogram(self) -> Histogram:
        """Return what was counted."""
        name, title, unit = self._about
        p50, p90, p99 = (self._quantile(q) for q in (0.5, 0.9, 0.99))
        bins = zip(self._labels, self._counts, strict=True)
        return Histogram(
            name=name,
            title=title,
            unit=unit,
            count=self.count,
            mean=self._total / self.count if self.count else None,
            least=self._least if self.count else None,
            p50=p50,
            p90=p90,
            p99=p99,
            most=self._most if self.count else None,
            bins=tuple(Bin(label, count) for label, count in bins),
        )

    def _quantile(self, q: float) -> float | None:
        wanted, below = q * (self.count - 1), 0
        for bucket in sorted(self._fine):
            below += self._fine[bucket]
            if below > wanted:
                middle = 0.0 if bucket == _NOTHING else 2 * _GROWTH**bucket / (_GROWTH + 1)
                return min(max(middle, self._least), self._most)
        return None


class Heavy:
    """Counts keys, all of them up to a bound; of more, the frequent ones.

    A count is exact while no more than twice the bound of keys came; beyond that it is too low by
    at most the sum of all counts divided by the bound, and `exact` says so.

    Args:
        bound: Keys that are surely kept.

    Source: Misra and Gries, 1982, many decrements at once as in Anderson et al., IMC 2017.
    """

    def __init__(self, bound: int) -> None:
        self.counts: dict[str, int] = {}
        self.exact = True
        self._bound = bound

    def add(self, key: str) -> None:
        """Count a key."""
        self.counts[key] = self.counts.get(key, 0) + 1
        if len(self.counts) > 2 * self._bound:
            self.exact = False
            least = sorted(self.counts.values(), reverse=True)[self._bound]
            self.counts = {
                one: count - least for one, count in self.counts.items() if count > least
            }


class Top(Generic[V]):
    """The keys that reached the highest counts.

    Args:
        bound: Keys kept.
    """

    def __init__(self, bound: int) -> None:
        self._held: dict[str, tuple[int, V]] = {}
        self._bound = bound

    def offer(self, key: str, count: int, about: V) -> None:
        """Note a key's count; its highest one stays, and what was said with it."""
        held = self._held
        if key in held:
            if count > held[key][0]:
                held[key] = (count, about)
        elif len(held) < self._bound:
            held[key] = (count, about)
        else:
            least = min(held, key=lambda one: held[one][0])
            if count > held[least][0]:
                del held[least]
                held[key] = (count, about)

    def ranked(self) -> list[tuple[str, int, V]]:
        """Return (key, count, about), the highest first, equal ones by key."""
        found = [(key, count, about) for key, (count, about) in self._held.items()]
        return sorted(found, key=lambda one: (-one[1], one[0]))
