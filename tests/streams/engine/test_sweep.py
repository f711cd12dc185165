"""Expired rows go, and no others, in the order of batches, whatever happens in between."""

import struct
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.sweep import LOOKS_PER_RECORD, MOST_LOOKS, Sweep, Turn
from tests.streams.engine.fakes import finish, run
from tests.streams.engine.test_table import Bench

TTL, LATE, EVERY = 100, 10, 20
GONE = TTL + LATE + 1  # when what was last active at 0 has expired
ROW = struct.Struct(">qq")
Events = list[tuple[bytes, int]]
Life = tuple[int, int]  # of a key: times of its first and newest event, without a pause above TTL

keys = st.integers(0, 30).map(lambda n: b"%02d" % n)
batches = st.lists(st.tuples(keys, st.integers(-5, 30)), min_size=1, max_size=8)
steps = st.lists(st.one_of(batches, batches, st.sampled_from(["commit", "crash"])), max_size=40)


def expired(row: bytes, now: int) -> bool:
    return now - int(ROW.unpack(row)[1]) > TTL + LATE


def lived(life: Life | None, ts: int) -> Life:
    """Fold one event: who comes back too late starts anew, row or no row."""
    if life is None or ts - life[1] > TTL:
        return ts, ts
    return life[0], max(life[1], ts)


class Shop:
    """An agent that follows the lives of keys, with a sweep; it may crash at any point."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.table = bench.table
        self.sweep = Sweep(bench.table, expired, EVERY)
        self.flying: list[tuple[Events, dict[bytes, bytes | None], Turn]] = []
        self.lives: dict[bytes, Life] = {}  # as they would be if no row ever went
        self.newest = 0
        self.changelog: dict[bytes, bytes] = {}

    def take(self, events: Events) -> None:
        """Handle a batch for the first time."""
        for key, ts in events:
            self.lives[key] = lived(self.lives.get(key), ts)
            self.newest = max(self.newest, ts)
        self.handle(events)

    def handle(self, events: Events) -> None:
        names = [key for key, _ in events]
        stored = dict(zip(names, self.table.get_many(0, names), strict=True))
        for key, ts in events:
            before = stored[key]
            first, newest = lived(ROW.unpack(before) if before else None, ts)
            stored[key] = ROW.pack(first, newest)
        turn = self.sweep.turn(0, max(ts for _, ts in events), len(events), stored)
        assert not stored.keys() & set(turn.doomed)
        stored |= dict.fromkeys(turn.doomed)
        self.table.stage(0, stored)
        self.flying.append((events, stored, turn))

    async def commit(self) -> None:
        _, stored, turn = self.flying.pop(0)
        await self.table.commit(0, stored)
        self.sweep.note(0, turn)
        for key, row in stored.items():
            if row is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = row

    def crash(self) -> None:
        """Lose all that is not on disk; what was not committed is delivered again."""
        self.bench.worker.epoch += 1
        self.bench.take()
        self.sweep = Sweep(self.table, expired, EVERY)
        lost, self.flying = self.flying, []
        for events, _, _ in lost:
            self.handle(events)

    async def end(self) -> dict[bytes, Life]:
        """Let one key be active until a whole pass has begun and ended; return what is left."""
        while self.flying:
            await self.commit()
        for _ in range(3):
            later = self.newest + EVERY
            for _ in range(31):
                self.take([(b"99", later)])
                await self.commit()
        rows, _ = self.bench.disk()
        assert dict(rows) == self.changelog
        return {key: ROW.unpack(row) for key, row in rows}


@settings(max_examples=150, deadline=None)
@given(story=steps)
def test_what_is_left_depends_on_the_events_alone(
    tmp_path_factory: pytest.TempPathFactory, story: list[Events | Literal["commit", "crash"]]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("sweep"))
    shop = Shop(bench)

    async def act() -> dict[bytes, Life]:
        for step in story:
            if step == "crash":
                shop.crash()
            elif step == "commit":
                if shop.flying:
                    await shop.commit()
            else:
                shop.take([(key, max(0, shop.newest + ahead)) for key, ahead in step])
        return await shop.end()

    left = finish(act())
    bench.store.close()
    assert left == {
        key: life for key, life in shop.lives.items() if shop.newest - life[1] <= TTL + LATE
    }


async def fill(bench: Bench, rows: int, ts: int = 0) -> None:
    await bench.table.commit(0, {b"%06d" % n: ROW.pack(ts, ts) for n in range(rows)})


@run
async def test_a_sweep_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 50)
    found: list[bytes] = []
    for _ in range(6):
        sweep = Sweep(bench.table, expired, EVERY)  # as if started anew each time
        turn = sweep.turn(0, GONE, 5, ())
        assert len(turn.doomed) <= 5 * LOOKS_PER_RECORD
        found += turn.doomed
        sweep.note(0, turn)
    bench.store.close()
    assert found == [b"%06d" % n for n in range(50)]


@run
async def test_a_turn_whose_batch_was_dropped_is_repeated(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 50)
    sweep = Sweep(bench.table, expired, EVERY)
    dropped = sweep.turn(0, GONE, 5, ())
    bench.worker.epoch += 1  # a rebalance: nothing of it was committed
    assert sweep.turn(0, GONE, 5, ()) == dropped
    bench.store.close()


@run
async def test_a_pass_begins_only_when_event_time_has_moved_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 3, ts=1000)
    looks: list[int] = []

    def look(row: bytes, now: int) -> bool:
        looks.append(now)
        return expired(row, now)

    sweep = Sweep(bench.table, look, EVERY)
    for ts in (1000, 1001, 1000 + EVERY - 1, 0, 1000 + EVERY, 1000 + EVERY + 1):
        sweep.note(0, sweep.turn(0, ts, 10, ()))
    bench.store.close()
    assert looks == [1000] * 3 + [1000 + EVERY] * 3


@run
async def test_one_turn_looks_at_few_rows_however_many_there_are(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, MOST_LOOKS + 100)
    sweep = Sweep(bench.table, expired, EVERY)
    assert len(sweep.turn(0, GONE, 1_000_000, ()).doomed) == MOST_LOOKS
    assert len(sweep.turn(0, GONE, 1_000_000, ()).doomed) == 100
    assert sweep.turn(0, GONE, 1_000_000, ()) == Turn([], None)
    bench.store.close()


@run
async def test_a_row_that_a_batch_in_flight_has_staged_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 4)
    sweep = Sweep(bench.table, expired, EVERY)
    staged = {b"000001": ROW.pack(GONE, GONE), b"000002": None}
    bench.table.stage(0, staged)
    assert sweep.turn(0, GONE, 10, [b"000003"]).doomed == [b"000000"]
    bench.store.close()


@run
async def test_a_note_that_cannot_be_read_starts_the_sweep_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 2)
    bench.store.partition(0).set_note(b"\xc1 what is this")
    assert len(Sweep(bench.table, expired, EVERY).turn(0, GONE, 10, ()).doomed) == 2
    bench.store.close()
