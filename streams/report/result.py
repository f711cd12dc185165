"""What a report tells: plain values, also as JSON."""

from msgspec import Struct

from streams.figures.result import Reliability, Segment
from streams.quality.result import Histogram, Quality


class Revenue(Struct, frozen=True, kw_only=True):
    """Purchases of known price in one currency.

    Attributes:
        currency: As events name it; "" where they name none.
        purchases: How many.
        amount: What was paid, in all.
        judged: Of that, where it is known whether it came out of a list.
        recommended: Of what was judged, what did.
    """

    currency: str
    purchases: int
    amount: float
    judged: float
    recommended: float


class Figures(Struct, frozen=True, kw_only=True):
    """What is told of a period in a few numbers.

    Attributes:
        clicks, searches, purchases: Events.
        users, items: Distinct ones that acted or were acted on.
        lists: Lists that were made, those included that are not there any more.
        judged: Clicks and purchases of which it is known whether they came out of a list.
        out_of_lists: Of those, the ones that did.
        bought, bought_out_of_lists: The same, of purchases alone.
        predictions: Lists that were held against what their user then did.
        hr, mrr: Of those, at the length k; None without any.
        wait_ms: From event to list, median; None without any.
        revenue: By currency, the most purchases first.
        unpriced: Purchases without a price.
    """

    clicks: int
    searches: int
    purchases: int
    users: int
    items: int
    lists: int
    judged: int
    out_of_lists: int
    bought: int
    bought_out_of_lists: int
    predictions: int
    hr: float | None
    mrr: float | None
    wait_ms: float | None
    revenue: tuple[Revenue, ...]
    unpriced: int


class Step(Struct, frozen=True, kw_only=True):
    """A part of the period: an hour, a day.

    Attributes:
        begin: Its start, ms UTC.
        clicks, searches, purchases: Events.
        lists: That are still there.
        judged, predictions, hr, mrr: As in `Figures`.
        wait_p50_ms, wait_p99_ms: From event to list; None without a list.
    """

    begin: int
    clicks: int
    searches: int
    purchases: int
    lists: int
    judged: int
    predictions: int
    hr: float | None
    mrr: float | None
    wait_p50_ms: float | None
    wait_p99_ms: float | None


class ModelUse(Struct, frozen=True, kw_only=True):
    """A model, by what its lists say."""

    version: str
    first_ts: int  # of its first list in the period
    lists: int


class ItemUse(Struct, frozen=True, kw_only=True):
    """How often an item was clicked and bought, and its touches in the period before."""

    item_id: str
    title: str | None
    clicks: int
    purchases: int
    before: int | None


class Sight(Struct, frozen=True, kw_only=True):
    """What the report could see, and what not.

    Attributes:
        data_from: Time of the oldest event that Kafka still has; None without any.
        whole_from: Time from which on Kafka compacts no list yet; 0 where it never does.
        lists_read: Lists of the period that were there.
        lists_missing: Lists of the period that are known to be gone.
        touches: Clicks and purchases of the period, each event id once.
        judged: Of those, the ones whose lists of the time before are all still there.
        followed: One of so many users was followed, where there are most.
        users_exact, items_exact, top_exact: False where that is an estimate from a sample.
        broker_time: Whether all times are the broker's; else producers' clocks count.
    """

    data_from: int | None
    whole_from: int
    lists_read: int
    lists_missing: int
    touches: int
    judged: int
    followed: int
    users_exact: bool
    items_exact: bool
    top_exact: bool
    broker_time: bool


class Report(Struct, frozen=True, kw_only=True):
    """All that was found of a period.

    Attributes:
        source: Which installation.
        begin, end: Of the period, ms UTC, the end not included.
        zone_minutes: In which times are told, from UTC.
        k: Length at which lists are judged.
        now: The period.
        before: The period of the same length before; None where Kafka no longer has it whole.
        step_ms: Length of a step.
        steps: One after the other.
        models: In the order in which they came.
        metrics: Of lists, by name, as in an evaluation; empty without a prediction.
        segments: Group after group.
        reliability: By score, whether shown items were taken.
        wait: From event to list.
        dead_letters: By reason.
        quality: What is wrong with the events.
        top, risen: Items touched most, and those whose touches grew most.
        sight: What the report could see.
    """

    source: str
    begin: int
    end: int
    zone_minutes: int
    k: int
    now: Figures
    before: Figures | None
    step_ms: int
    steps: tuple[Step, ...]
    models: tuple[ModelUse, ...]
    metrics: dict[str, float]
    segments: tuple[Segment, ...]
    reliability: tuple[Reliability, ...]
    wait: Histogram
    dead_letters: dict[str, int]
    quality: Quality
    top: tuple[ItemUse, ...]
    risen: tuple[ItemUse, ...]
    sight: Sight
