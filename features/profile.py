"""The user row: what a user did, folded one event at a time, in about 2 KB.

Whatever is a function of the set of events does not depend on the order in which they arrive:
totals, windows, decayed counts, price level, session, recent searches, and the recent touches (of
which only equal times are kept in order of arrival).
"""

from collections.abc import Mapping
from math import log, sqrt

from msgspec import Struct, field
from msgspec.structs import replace

from features import decay, windows
from features.affinity import WEIGHTS, lean, price_band
from features.decay import DAY_MS, HOUR_MS, Decayed
from features.events import Event, Kind, Purchase, Search
from features.guard import (
    ID_BYTES,
    MAX_IDS,
    NO_RULES,
    Rules,
    Verdict,
    asked_beside,
    digest,
    done_beside,
    known,
    too_many,
)
from features.recent import inserted
from features.rows import Fields, Format, extended
from features.session import Session, last_session
from features.shown import Shown, newer
from features.touches import Touch, Touches, touches_of, with_touch
from features.windows import Windows

VERSION = 3
HALF_LIVES_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
MAX_QUERIES = 5

SKIPPED = (Verdict.REPEATED, Verdict.TWIN, Verdict.FLOOD)
"""What a row counts of the events that do not count. Replays it cannot: they leave no trace."""


class Query(Struct, array_like=True, frozen=True, gc=False):
    """The user searched."""

    event_id: str
    query: str
    ts: int


class Prices(Struct, array_like=True, frozen=True, gc=False):
    """Sums over ln(price) of what was touched, of prices above 0."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        """Mean of ln(price), 0.0 where no price is known."""
        return self.total / self.count if self.count else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of ln(price), 0.0 below two prices."""
        if self.count <= 1:
            return 0.0
        return sqrt(max(self.squares / self.count - self.mean**2, 0.0))


class Activity(Struct, array_like=True, frozen=True, gc=False):
    """How much a user did of one kind: ever, under `HALF_LIVES_MS`, and in the last month."""

    total: int = 0
    decayed: Decayed = Decayed()
    windows: Windows = Windows()


class Profile(Struct, array_like=True, frozen=True, gc=False):
    """What is known of a user.

    Attributes:
        version: Of this layout; new fields go to the end, with a default.
        newest_ts: Event time in ms of the newest event, 0 before any.
        activity: One for each `Kind`, in its order.
        recent: The newest clicks and purchases. Since version 3 side by side.
        queries: The newest `MAX_QUERIES` searches, oldest first.
        prices: Price level of clicks and purchases.
        factors: float32 little endian, b"" before any were learnt.
        bias: Goes with the factors.
        applied: Source (a partition of a topic, as one int) -> highest offset applied.
        event_ids: Digests of the last `MAX_IDS` events in order of arrival, `ID_BYTES` each.
        forgotten_at: When the user last asked to be forgotten, 0 for never (see `privacy`).
        skipped: Since version 2, like what follows: events that did not count, one number for each
            of `SKIPPED`.
        shown: The list that answered the newest event, None before any.
        units: How many of anything the user bought; a purchase that tells no quantity is of 1.
        price_bands: `affinity.price_band` -> weight, of prices that events told.
        categories: Name of a category, the narrowest of its path -> weight (`features.affinity`).
        brands: Brand -> weight. Both are what the catalogue had told when the events were learnt:
            like factors, no function of the events alone.
    """

    version: int = VERSION
    newest_ts: int = 0
    activity: tuple[Activity, ...] = (Activity(),) * len(Kind)
    recent: Touches = Touches()
    queries: tuple[Query, ...] = ()
    prices: Prices = Prices()
    factors: bytes = b""
    bias: float = 0.0
    applied: dict[int, int] = field(default_factory=dict)
    event_ids: bytes = b""
    forgotten_at: int = 0
    skipped: tuple[int, ...] = (0,) * len(SKIPPED)
    shown: Shown | None = None
    units: float = 0.0
    price_bands: dict[int, float] = field(default_factory=dict)
    categories: dict[str, float] = field(default_factory=dict)
    brands: dict[str, float] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        """The visit that the newest event belongs to, as far back as the row remembers."""
        return last_session([*self.recent.at(), *(q.ts for q in self.queries)])


_NEW = Profile()


def _side_by_side(fields: Fields) -> Fields:
    """Upgrade a row of version 2, where touches were one after the other."""
    touches = touches_of(Touch(*one) for one in fields[3])
    return [*fields[:3], [touches.item_ids, touches.kinds, touches.times], *fields[4:]]


_FORMAT = Format(Profile, VERSION, "a user row", {1: extended, 2: _side_by_side})


def new_profile() -> Profile:
    """Return the row of a user who has done nothing."""
    return _NEW


def judge(
    profile: Profile, event: Event, source: int, offset: int, rules: Rules = NO_RULES
) -> tuple[Verdict, bytes]:
    """Tell whether an event counts (arguments as in `learn`).

    An act that is told twice counts when it is told first, whichever of the two is the older.

    Returns:
        The verdict, and the digest of the event's id (b"" for a replay), which `take` needs.
    """
    if offset <= profile.applied.get(source, -1):
        return Verdict.REPLAYED, b""
    one = digest(event)
    if known(profile.event_ids, one):
        return Verdict.REPEATED, one
    if rules.repeat_ms and _twin(profile, event, rules.repeat_ms):
        return Verdict.TWIN, one
    activity = profile.activity[event.kind]
    if too_many(activity.windows, activity.total, event.ts, rules):
        return Verdict.FLOOD, one
    return Verdict.COUNTS, one


def take(
    profile: Profile,
    event: Event,
    source: int,
    offset: int,
    judged: tuple[Verdict, bytes],
    *,
    leaf: str = "",
    brand: str = "",
    weights: Mapping[Kind, float] = WEIGHTS,
) -> Profile:
    """Return the row after an event that was judged by it (see `learn`).

    What is known of the event's item goes in as well: `leaf`, the narrowest category of its path,
    `brand` ("" where unknown), and the `weights` of its domain (`features.domains`).
    """
    verdict, one = judged
    if verdict is Verdict.REPLAYED:
        return profile
    applied = {**profile.applied, source: offset}
    if verdict is not Verdict.COUNTS:
        return _skip(profile, applied, verdict, one)
    recent, queries = profile.recent, profile.queries
    prices, bands, units = profile.prices, profile.price_bands, profile.units
    categories, brands = profile.categories, profile.brands
    if isinstance(event, Search):
        queries = inserted(queries, Query(event.event_id, event.query, event.ts), MAX_QUERIES)
    else:
        recent = with_touch(recent, event.item_id, event.kind, event.ts)
        if event.price:
            at = log(event.price)
            prices = Prices(prices.count + 1, prices.total + at, prices.squares + at * at)
            bands = lean(bands, price_band(event.price), weights[event.kind], event.ts)
        if leaf:
            categories = lean(categories, leaf, weights[event.kind], event.ts)
        if brand:
            brands = lean(brands, brand, weights[event.kind], event.ts)
        if isinstance(event, Purchase):
            units += event.quantity or 1.0
    return Profile(
        VERSION,
        max(profile.newest_ts, event.ts),
        _counted(profile.activity, event.kind, event.ts),
        recent,
        queries,
        prices,
        profile.factors,
        profile.bias,
        applied,
        (profile.event_ids + one)[-MAX_IDS * ID_BYTES :],
        profile.forgotten_at,
        profile.skipped,
        newer(profile.shown, event),
        units,
        bands,
        categories,
        brands,
    )


def learn(
    profile: Profile, event: Event, source: int, offset: int, rules: Rules = NO_RULES
) -> Profile:
    """Return the row after an event: `take` what `judge` says.

    A replay changes nothing; what else does not count moves `applied`, is remembered by its id,
    and is counted in `skipped`.

    Args:
        profile: The row before.
        event: A clean event of the row's user.
        source: The partition the event was read from.
        offset: Its place there. Offsets of one source come in ascending order, replays apart.
        rules: What else does not count.
    """
    return take(profile, event, source, offset, judge(profile, event, source, offset, rules))


def idle(profile: Profile, now: int, ttl_ms: int) -> bool:
    """Tell whether the user has done nothing for longer than `ttl_ms` up to the event time `now`.

    `now` is the newest event time that was seen anywhere near the row, never a clock: so a replay
    of old events finds the same users idle as the first run did.
    """
    return now - profile.newest_ts > ttl_ms


def anew(profile: Profile) -> Profile:
    """Return the row of a user who comes back after too long; what it applied, it still skips."""
    return replace(
        _NEW,
        applied=profile.applied,
        event_ids=profile.event_ids,
        forgotten_at=profile.forgotten_at,
    )


def encode_profile(profile: Profile) -> bytes:
    """Return the row as MessagePack."""
    return _FORMAT.encode(profile)


def decode_profile(row: bytes) -> Profile:
    """Return the row that `encode_profile` wrote, now or in an older version; or raise `BadRow`."""
    return _FORMAT.decode(row)


def _counted(activity: tuple[Activity, ...], kind: Kind, ts: int) -> tuple[Activity, ...]:
    now = activity[kind]
    after = Activity(
        now.total + 1,
        decay.add(now.decayed, 1.0, ts, HALF_LIVES_MS),
        windows.add(now.windows, ts),
    )
    return (*activity[:kind], after, *activity[kind + 1 :])


def _twin(profile: Profile, event: Event, within_ms: int) -> bool:
    if isinstance(event, Search):
        return asked_beside(profile.queries, event.query, event.ts, within_ms)
    return done_beside(profile.recent, event.item_id, event.kind, event.ts, within_ms)


def _skip(profile: Profile, applied: dict[int, int], verdict: Verdict, one: bytes) -> Profile:
    skipped = tuple(
        count + (verdict is reason) for count, reason in zip(profile.skipped, SKIPPED, strict=True)
    )
    ids = profile.event_ids
    if verdict is not Verdict.REPEATED:
        ids = (ids + one)[-MAX_IDS * ID_BYTES :]
    return replace(profile, applied=applied, event_ids=ids, skipped=skipped)
