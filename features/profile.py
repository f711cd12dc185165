"""The user row: what a user did, folded one event at a time, in about 2 KB.

Whatever is a function of the set of events does not depend on the order in which they arrive:
totals, windows, decayed counts, price level, session, recent searches, and the recent touches (of
which only equal times are kept in order of arrival).
"""

from hashlib import blake2b
from itertools import pairwise
from math import log, sqrt
from typing import Protocol, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from features import decay, windows
from features.decay import DAY_MS, HOUR_MS, Decayed
from features.events import Event, Kind, Search
from features.rows import Format
from features.windows import MINUTE_MS, Windows

VERSION = 1
HALF_LIVES_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
MAX_TOUCHES = 50
MAX_QUERIES = 5
SESSION_GAP_MS = 30 * MINUTE_MS
ID_BYTES = 6  # of a remembered event id: a chance of 2e-13 per event that a new one looks known
MAX_IDS = 48


class Touch(Struct, array_like=True, frozen=True, gc=False):
    """The user acted on an item."""

    item_id: str
    kind: int  # Kind.CLICK or Kind.PURCHASE
    ts: int


class Query(Struct, array_like=True, frozen=True, gc=False):
    """The user searched."""

    event_id: str
    query: str
    ts: int


class Session(Struct, frozen=True):
    """A visit: events no two of which are more than `SESSION_GAP_MS` apart in a row."""

    start: int = 0  # ms
    last: int = 0  # ms
    length: int = 0  # events; 0 before any


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


class Profile(Struct, array_like=True, frozen=True):
    """What is known of a user.

    Attributes:
        version: Of this layout; new fields go to the end, with a default.
        newest_ts: Event time in ms of the newest event, 0 before any.
        activity: One for each `Kind`, in its order.
        recent: The newest `MAX_TOUCHES` clicks and purchases, oldest first.
        queries: The newest `MAX_QUERIES` searches, oldest first.
        prices: Price level of clicks and purchases.
        factors: float32 little endian, b"" before any were learnt.
        bias: Goes with the factors.
        applied: Source (a partition of a topic, as one int) -> highest offset applied.
        event_ids: Digests of the last `MAX_IDS` events in order of arrival, `ID_BYTES` each.
        forgotten_at: When the user last asked to be forgotten, 0 for never (see `privacy`).
    """

    version: int = VERSION
    newest_ts: int = 0
    activity: tuple[Activity, ...] = (Activity(),) * len(Kind)
    recent: tuple[Touch, ...] = ()
    queries: tuple[Query, ...] = ()
    prices: Prices = Prices()
    factors: bytes = b""
    bias: float = 0.0
    applied: dict[int, int] = field(default_factory=dict)
    event_ids: bytes = b""
    forgotten_at: int = 0

    @property
    def session(self) -> Session:
        """The visit that the newest event belongs to, as far back as the row remembers."""
        times = sorted([*(t.ts for t in self.recent), *(q.ts for q in self.queries)])
        if not times:
            return Session()
        length = 1
        for later, earlier in pairwise(reversed(times)):
            if later - earlier > SESSION_GAP_MS:
                break
            length += 1
        return Session(times[-length], times[-1], length)


_NEW = Profile()
_FORMAT = Format(Profile, VERSION, "a user row")


def new_profile() -> Profile:
    """Return the row of a user who has done nothing."""
    return _NEW


def seen(profile: Profile, event: Event, source: int, offset: int) -> bool:
    """Tell whether the row has the event: its offset was applied, or its id came by lately."""
    return offset <= profile.applied.get(source, -1) or _known(profile.event_ids, _digest(event))


def learn(profile: Profile, event: Event, source: int, offset: int) -> Profile:
    """Return the row after an event; a replay changes nothing, a duplicate only moves `applied`.

    Args:
        profile: The row before.
        event: A clean event of the row's user.
        source: The partition the event was read from.
        offset: Its place there. Offsets of one source come in ascending order, replays apart.
    """
    if offset <= profile.applied.get(source, -1):
        return profile
    applied = {**profile.applied, source: offset}
    digest = _digest(event)
    if _known(profile.event_ids, digest):
        return replace(profile, applied=applied)
    recent, queries, prices = profile.recent, profile.queries, profile.prices
    if isinstance(event, Search):
        queries = _inserted(queries, Query(event.event_id, event.query, event.ts), MAX_QUERIES)
    else:
        recent = _inserted(recent, Touch(event.item_id, event.kind.value, event.ts), MAX_TOUCHES)
        if event.price:
            at = log(event.price)
            prices = Prices(prices.count + 1, prices.total + at, prices.squares + at * at)
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
        (profile.event_ids + digest)[-MAX_IDS * ID_BYTES :],
        profile.forgotten_at,
    )


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
    """Return the row that `encode_profile` wrote.

    Raises:
        BadRow: it is not one, or of another version.
    """
    return _FORMAT.decode(row)


class _Timed(Protocol):
    @property
    def ts(self) -> int: ...


_T = TypeVar("_T", bound=_Timed)


def _inserted(events: tuple[_T, ...], event: _T, most: int) -> tuple[_T, ...]:
    """Put an event behind all that are not newer; keep the newest `most`."""
    place = len(events)
    while place and events[place - 1].ts > event.ts:
        place -= 1
    if place == len(events):
        return (*events[-(most - 1) :], event)
    return (*events[:place], event, *events[place:])[-most:]


def _counted(activity: tuple[Activity, ...], kind: Kind, ts: int) -> tuple[Activity, ...]:
    now = activity[kind]
    after = Activity(
        now.total + 1,
        decay.add(now.decayed, 1.0, ts, HALF_LIVES_MS),
        windows.add(now.windows, ts),
    )
    return (*activity[:kind], after, *activity[kind + 1 :])


def _digest(event: Event) -> bytes:
    # Ids are unique within a kind: a shop may number its clicks and its purchases alike.
    return blake2b(b"%d%b" % (event.kind, event.event_id.encode()), digest_size=ID_BYTES).digest()


def _known(ids: bytes, digest: bytes) -> bool:
    place = ids.find(digest)
    while place % ID_BYTES and place != -1:  # found across two ids
        place = ids.find(digest, place + 1)
    return place != -1
