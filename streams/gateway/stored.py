"""A copy of the newest lists: what `recommendations` says of each user, on this machine's disk.

Each partition has a database of its own, which holds with its rows how far it has read. So a
restart goes on where the gateway stopped.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence

from aiokafka.structs import ConsumerRecord
from msgspec import Struct, msgpack

from streams.codec import BadEvent, decode_recommendation
from streams.engine.rocks import Memory, Rocks
from streams.following import Follower
from streams.lists import Recommendation
from streams.partitions import partition_of
from streams.settings import Settings

log = logging.getLogger(__name__)

SWEPT = 64
SWEEP_EVERY_MS = 100
"""So many rows are looked at so often, for such as have expired."""
NOTE_EVERY_MS = 60_000
"""How often it is noted that the copy is up to date."""
_CACHE_MB = 64
_KEY = b"u"  # before a user's id: no id meets the keys that the database keeps for itself


class Entry(Struct, array_like=True, frozen=True, gc=False):
    """A list as it came, and when Kafka stored it, ms."""

    at: int
    payload: bytes


Row = dict[str, Entry]
"""A user's newest list of each domain."""
_ROWS: msgpack.Decoder[Row] = msgpack.Decoder(Row)
_encode = msgpack.Encoder().encode


class StoredLists:
    """The copy. Made inside a running event loop.

    Args:
        settings: Broker, security, topic names, `gateway_dir` and `domains`.
        clock: Time of day, ms.
        heard: Told of each list that comes, also of such as are not kept.

    Raises:
        StoreError: the directory cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], int],
        heard: Callable[[Recommendation], None] = lambda _: None,
    ) -> None:
        self._topic = settings.topics.recommendations
        self._directory = settings.gateway_dir / self._topic
        (spec,) = (one for one in settings.topic_specs if one.name == self._topic)
        self._kept_ms = spec.retention_ms or 0
        self._deletions_ms = spec.tombstone_ms
        self._clock = clock
        self._heard = heard
        self._default = next(iter(settings.domains))
        self._memory = Memory(_CACHE_MB)
        self._parts: dict[int, Rocks] = {}
        self._whole = False
        self._noted_at = 0
        self._sweep = _Sweep()
        self._follower = Follower(settings, self._topic, self._apply)

    async def start(self) -> None:
        """Read what has come since the last time.

        Raises:
            KafkaError: no broker answers.
            LookupError: the topic does not exist.
            StoreError: the directory cannot be used.
        """
        await self._follower.start(self._open)
        self._whole = True
        self._note()

    async def follow(self) -> None:
        """Go on reading, until cancelled."""
        while True:
            await self._follower.poll()
            now = self._clock()
            if now - self._sweep.at >= SWEEP_EVERY_MS:
                self._expire(now)
            if now - self._noted_at >= NOTE_EVERY_MS:
                self._note()

    async def stop(self) -> None:
        """Leave the broker and the disk."""
        await self._follower.stop()
        if self._whole:
            self._note()
        for part in self._parts.values():
            part.close()

    async def behind(self) -> int:
        """Ask Kafka how many records the copy lacks; raises `KafkaError` where it is silent."""
        return await self._follower.behind()

    def newest(self, user_id: str, domain: str | None = None) -> Recommendation | None:
        """Return the newest list for a user, of a domain, by default the first; None for none."""
        (value,) = self._part(user_id).get_many([_KEY + user_id.encode()])
        entry = None if value is None else _ROWS.decode(value).get(domain or self._default)
        if entry is None or entry.at < self._clock() - self._kept_ms:
            return None
        return decode_recommendation(entry.payload)

    def drop(self, user_id: str) -> None:
        """Delete what is kept of a user at once; the workers' word for it comes later."""
        self._part(user_id).write([(_KEY + user_id.encode(), None)], None)

    def _part(self, user_id: str) -> Rocks:
        return self._parts[partition_of(user_id, len(self._parts))]

    def _open(self, ends: Mapping[int, int]) -> dict[int, int]:
        """Open the databases; return where to go on reading."""
        for number, end in ends.items():
            part = self._opened(number)
            if self._useless(part, end):
                part.close()
                shutil.rmtree(part.path)
                part = self._opened(number)
            self._parts[number] = part
        offsets = {number: part.offset() for number, part in self._parts.items()}
        return {number: offset + 1 for number, offset in offsets.items() if offset is not None}

    def _opened(self, number: int) -> Rocks:
        owner = f"lists of {self._topic}[{number}]"
        return Rocks(self._directory / str(number), owner, self._memory)

    def _useless(self, part: Rocks, end: int) -> bool:
        """Tell whether a database must be made anew, since it may hold lists that are taken back.

        Kafka forgets a deletion after a while, so one that was away for longer has not heard of
        all; and one that has read further than there is to read is of another topic of that name.
        """
        offset, note = part.offset(), part.note()
        if offset is None:
            return False
        noted = 0 if note is None else int.from_bytes(note, "big")
        return offset >= end or self._clock() - noted > self._deletions_ms

    def _note(self) -> None:
        """Note that everything up to now is known."""
        self._noted_at = self._clock()
        for part in self._parts.values():
            part.set_note(self._noted_at.to_bytes(8, "big"))

    async def _apply(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        part = self._parts[records[0].partition]
        rows: dict[bytes, Row] = {}
        for record in records:
            key = _KEY + (record.key or b"")
            if record.value is None:  # the user was forgotten
                rows[key] = {}
                continue
            try:
                made = decode_recommendation(record.value)
            except BadEvent as error:
                log.warning("offset %d of %s is skipped: %s", record.offset, self._topic, error)
                continue
            self._heard(made)
            if made.surface == "for_you":
                if key not in rows:
                    rows[key] = self._row(part, key)
                domain = made.domain or self._default
                rows[key][domain] = Entry(record.timestamp, record.value)
        written = [(key, _encode(row) if row else None) for key, row in rows.items()]
        part.write(written, records[-1].offset)
        await asyncio.sleep(0)  # requests come between two partitions

    def _row(self, part: Rocks, key: bytes) -> Row:
        """Return what is kept of a user, less what has expired."""
        (value,) = part.get_many([key])
        kept = {} if value is None else _ROWS.decode(value)
        oldest = self._clock() - self._kept_ms
        return {domain: entry for domain, entry in kept.items() if entry.at >= oldest}

    def _expire(self, now: int) -> None:
        """Look at the next few rows, and delete those that Kafka has deleted for their age."""
        part = self._parts[self._sweep.part % len(self._parts)]
        rows = part.scan(self._sweep.after, SWEPT)
        oldest = now - self._kept_ms
        dead = [
            key
            for key, value in rows
            if all(entry.at < oldest for entry in _ROWS.decode(value).values())
        ]
        if dead:
            part.write([(key, None) for key in dead], None)
        self._sweep.go_on(rows[-1][0] if len(rows) == SWEPT else None, now)


class _Sweep:
    """Where the search for expired rows stands."""

    def __init__(self) -> None:
        self.part = 0
        self.after: bytes | None = None
        self.at = 0

    def go_on(self, after: bytes | None, now: int) -> None:
        """Note the last row that was looked at; after None comes the next partition."""
        self.after, self.at = after, now
        self.part += after is None
