"""What a pass over data found, as it is reported: plain values, also as JSON."""

from msgspec import Struct


class Bin(Struct, frozen=True):
    """A bar of a histogram."""

    label: str
    count: int


class Histogram(Struct, frozen=True, kw_only=True):
    """A distribution as it is reported.

    Attributes:
        name, title, unit: What is distributed.
        count: Values.
        mean, least, most: Of the values; None where there is none.
        p50, p90, p99: Quantiles, to within 2 %.
        bins: From low to high.
    """

    name: str
    title: str
    unit: str
    count: int
    mean: float | None
    least: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    most: float | None
    bins: tuple[Bin, ...]

    def trimmed(self) -> tuple[Bin, ...]:
        """Return the bins without those that are empty at either end."""
        full = [place for place, one in enumerate(self.bins) if one.count]
        return self.bins[full[0] : full[-1] + 1] if full else self.bins


class Invalid(Struct, frozen=True):
    """Lines or records that were refused for one reason."""

    reason: str
    count: int
    examples: tuple[str, ...]


class Missing(Struct, frozen=True):
    """An optional field, and how many of its kind come without."""

    kind: str
    field: str
    missing: int
    of: int


class Cardinality(Struct, frozen=True):
    """How many distinct values there are; an estimate where they were too many to keep."""

    name: str
    distinct: int
    exact: bool


class Burst(Struct, frozen=True):
    """The most events that a user had in one minute of event time."""

    user_id: str
    events: int
    minute: int  # its start, ms UTC


class Quality(Struct, frozen=True, kw_only=True):
    """What was found; counts that had to be estimated are named in `estimated`."""

    source: str
    events: dict[str, int]
    items: int
    first_ts: int | None
    last_ts: int | None
    invalid: tuple[Invalid, ...]
    missing: tuple[Missing, ...]
    repeated_ids: int  # the event_id came before, within its kind
    repeated_actions: int  # told twice, by the rule of `features.guard`
    behind_log: Histogram  # events behind the newest of their file or partition
    behind_user: Histogram  # events behind the newest of their user
    bursts: tuple[Burst, ...]
    cardinalities: tuple[Cardinality, ...]
    uncatalogued: int  # distinct items that were acted on and that no catalogue entry names
    histograms: tuple[Histogram, ...]
    estimated: tuple[str, ...]

    def drawn(self) -> tuple[Histogram, ...]:
        """Return the histograms that have anything to show."""
        every = (*self.histograms, self.behind_log, self.behind_user)
        return tuple(one for one in every if one.count)
