"""Steps of users who are forgotten or never agreed: whatever the order, and whatever crashes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from features.events import Click, Event, Kind, Purchase, Search
from features.item import ItemRow
from features.privacy import Unstored, marker_key
from features.profile import decode_profile, encode_profile, new_profile
from features.signals import Signals
from ranker.items import ItemIndex
from streams import steps
from streams.agents.user_rows import read_users

NOW = 1_700_000_000_000
FORGET = len(Kind)
"""The topic of requests, as a source."""
ITEMS = "abc"


class Record(NamedTuple):
    """A record of one of the four topics; an event of None asks to forget."""

    user_id: str
    event: Event | None
    arrived: int


class Act(NamedTuple):
    """A worker takes some records of a source; what it then gets done."""

    source: int
    records: int
    crash: str  # "" for none, else the step that it does not come to
    acked: bool


class Disk:
    """The users table: bytes to bytes, read as the agent reads it."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get_many(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        del partition
        return [self.rows.get(key) for key in keys]

    def write(self, rows: dict[bytes, bytes | None]) -> None:
        for key, value in rows.items():
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value


class World:
    """Topics, a worker's disk and item rows; a crash takes the worker back to what it has acked."""

    def __init__(self, records: Sequence[Record], *, refuse: bool) -> None:
        self.topics: list[list[Record]] = [[] for _ in range(FORGET + 1)]
        for record in records:
            kind = FORGET if record.event is None else record.event.kind
            self.topics[kind].append(record)
        self.refuse = refuse
        self.disk: Any = Disk()
        self.items: dict[str, ItemRow] = {}
        self.read = [0] * (FORGET + 1)
        self.acked = [0] * (FORGET + 1)
        self.done: list[tuple[int, int]] = []  # (source, offset), each when first applied
        self.unstored: list[tuple[Event, Unstored]] = []

    def act(self, act: Act) -> None:
        source, begin = act.source, self.read[act.source]
        batch = self.topics[source][begin : begin + act.records]
        if not batch:
            return
        names = [record.user_id for record in batch]
        rows = read_users(self.disk, 0, names)
        if source == FORGET:
            requests = [(r.user_id, r.arrived, begin + n) for n, r in enumerate(batch)]
            markers = steps.forget_users(rows, requests, source)
            stored: dict[bytes, bytes | None] = {name.encode(): None for name in markers}
            stored |= {marker_key(name): encode_profile(row) for name, row in markers.items()}
        else:
            events = [record.event for record in batch if record.event is not None]
            outcome = steps.learn_users(
                rows,
                events,
                source,
                range(begin, begin + len(batch)),
                ItemIndex(),
                arrived_ms=[record.arrived for record in batch],
                refuse=self.refuse,
            )
            self.unstored += [(events[at], why) for at, why in outcome.unstored.items()]
            for item_id, entries in sorted(outcome.signals.items()):
                message = Signals(source, tuple(entries))
                self.items |= steps.learn_items(
                    self.items, [(item_id, message)], neighbours=10, factors=4, seed=(0, 0)
                )
                if act.crash == "signals":
                    break
            stored = {name.encode(): encode_profile(row) for name, row in outcome.rows.items()}
        if act.crash == "signals":
            self.read = list(self.acked)
            return
        self.disk.write(stored)
        done = [(source, begin + n) for n in range(len(batch))]
        self.done += [one for one in done if one not in self.done]
        self.read[source] += len(batch)
        if act.crash:
            self.read = list(self.acked)
        elif act.acked:
            self.acked[source] = self.read[source]

    def finish(self) -> None:
        while self.read != [len(topic) for topic in self.topics]:
            for source in range(FORGET + 1):
                self.act(Act(source, 3, "", acked=True))


def event_of(number: int, what: str, user_id: str, item_id: str, consent: bool | None) -> Event:
    given: dict[str, Any] = {"event_id": str(number), "user_id": user_id, "consent": consent}
    if what == "search":
        return Search(query="mug", ts=NOW + number, **given)
    kind: type[Click | Purchase] = Click if what == "click" else Purchase
    return kind(item_id=item_id, ts=NOW + number, **given)


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    whats = ["click", "click", "purchase", "search", "forget"]
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(whats),
                st.sampled_from("uv"),
                st.sampled_from(ITEMS),
                st.sampled_from([None, None, True, False]),
            ),
            max_size=30,
        )
    )
    return [
        Record(
            user_id,
            None if what == "forget" else event_of(n, what, user_id, item_id, consent),
            NOW + n,
        )
        for n, (what, user_id, item_id, consent) in enumerate(drawn)
    ]


acts = st.lists(
    st.builds(
        Act,
        st.integers(0, FORGET),
        st.integers(1, 5),
        st.sampled_from(["", "", "signals", "ack"]),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=300)
@given(log=logs(), acts=acts, refuse=st.booleans())
def test_nothing_of_before_a_request_comes_back_and_items_count_every_event_once(
    log: list[Record], acts: list[Act], refuse: bool
) -> None:
    world = World(log, refuse=refuse)
    for act in acts:
        world.act(act)
    world.finish()

    touched = [r.event for r in log if isinstance(r.event, Click | Purchase)]
    expected = Counter(event.item_id for event in touched)
    assert {item_id: sum(row.touches) for item_id, row in world.items.items()} == dict(expected)

    for user_id in "uv":
        mine = [record for record in log if record.user_id == user_id]
        forgotten_at = max((r.arrived for r in mine if r.event is None), default=0)
        allowed = {
            r.event.event_id
            for r in mine
            if r.event is not None and r.event.consent is not False and r.arrived > forgotten_at
        }
        if refuse and forgotten_at:
            allowed = set()
        got, certain = learnt(world, user_id), allowed - read_before_requests(world, user_id)
        assert certain <= got <= allowed
        if not got:
            assert user_id.encode() not in world.disk.rows
        marker = world.disk.rows.get(marker_key(user_id))
        assert (marker is not None) == bool(forgotten_at)
        if marker is not None:
            left = decode_profile(marker)
            blank = structs.replace(
                new_profile(), applied=left.applied, forgotten_at=left.forgotten_at
            )
            assert left == blank
            assert left.applied.keys() == {FORGET}


def learnt(world: World, user_id: str) -> set[str]:
    """Return the ids of the events that a user's row knows; each must be in it once."""
    stored = world.disk.rows.get(user_id.encode())
    row = new_profile() if stored is None else decode_profile(stored)
    times = [*row.recent.at()]
    total = sum(activity.total for activity in row.activity)
    assert len(times) == len(set(times)) == total - row.activity[Kind.SEARCH].total
    queries = [query.event_id for query in row.queries]
    assert len(queries) == len(set(queries)) == min(5, row.activity[Kind.SEARCH].total)
    searched = [r for r in world.topics[Kind.SEARCH] if r.user_id == user_id]
    if row.activity[Kind.SEARCH].total > len(queries):  # older ones are known by their number only
        known = [r.event.event_id for r in searched if r.event and r.event.consent is not False]
        queries = known[-row.activity[Kind.SEARCH].total :]
    return {str(ts - NOW) for ts in times} | set(queries)


def read_before_requests(world: World, user_id: str) -> set[str]:
    """Return the events that a worker had applied before the last request that it applied."""
    last, events = -1, {}
    for when, (source, offset) in enumerate(world.done):
        record = world.topics[source][offset]
        if record.user_id == user_id and record.event is None:
            last = when
        elif record.event is not None:
            events[record.event.event_id] = when
    return {event_id for event_id, when in events.items() if when < last}


@given(log=logs(), refuse=st.booleans())
def test_what_is_not_stored_is_said_of_nobody(log: list[Record], refuse: bool) -> None:
    """Signals of what is not stored hold nothing of the row, and the row stays as it is."""
    rows = {"u": new_profile(), "v": new_profile()}
    events = [record.event for record in log if record.event is not None]
    for offset, event in enumerate(events):
        before = rows[event.user_id]
        outcome = steps.learn_users(rows, [event], 0, [offset], ItemIndex(), refuse=refuse)
        rows |= outcome.rows
        if event.consent is False:
            assert outcome.unstored == {0: Unstored.NO_CONSENT}
            assert (outcome.rows, outcome.fresh, dict(outcome.touches)) == ({}, [], {})
            for (said,) in outcome.signals.values():
                assert (said.offset, said.ts, said.kind) == (offset, event.ts, event.kind)
                assert (said.history, said.near, said.query) == ((), 0, "")
                assert (said.factors, said.bias) == (b"", 0.0)
            assert len(outcome.signals) == (not isinstance(event, Search))
        else:
            assert outcome.fresh == [0]
            assert rows[event.user_id] != before
