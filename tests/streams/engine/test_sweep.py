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

TTL, EVERY = 100, 20
ROW = struct.Struct(">q")
Events = list[tuple[bytes, int]]

keys = st.integers(0, 30).map(lambda n: b"%02d" % n)
batches = st.lists(st.tuples(keys, st.integers(-5, 30)), min_size=1, max_size=8)
steps = st.lists(st.one_of(batches, batches, st.sampled_from(["commit", "crash"])), max_size=40)


def expired(row: bytes, now: int) -> bool:
    return now - int(ROW.unpack(row)[0]) > TTL


class Shop:
    """An agent that keeps the newest time of each key, with a sweep; it may crash at any point."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.table = bench.table
        self.sweep = Sweep(bench.table, expired, EVERY)
        self.flying: list[tuple[Events, dict[bytes, bytes | None], Turn]] = []
        self.last: dict[bytes, int] = {}  # newest time of each key ever
        self.newest = 0
        self.changelog: dict[bytes, bytes] = {}
        self.rest = 0  # `newest` when the story was over

    def handle(self, events: Events) -> None:
        names = [key for key, _ in events]
        stored = dict(zip(names, self.table.get_many(0, names), strict=True))
        for key, ts in events:
            before = stored[key]
            newest = max(ts, ROW.unpack(before)[0] if before else 0)
            stored[key] = ROW.pack(newest)
            self.last[key] = max(ts, self.last.get(key, 0))
            self.newest = max(self.newest, ts)
        turn = self.sweep.turn(0, max(ts for _, ts in events), len(events), stored)
        for key in turn.doomed:
            assert self.newest - self.last[key] > TTL
            assert key not in stored
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
        self.sweep = Sweep(self.table, expired, EVERY)
        lost, self.flying = self.flying, []
        for events, _, _ in lost:
            self.handle(events)

    async def end(self) -> dict[bytes, int]:
        """Let one key be active until a whole pass has begun and ended; return what is left."""
        while self.flying:
            await self.commit()
        for ahead in (EVERY, 2 * EVERY, 3 * EVERY):
            for _ in range(31):
                self.handle([(b"99", self.rest + ahead)])
                await self.commit()
        rows, _ = self.bench.disk()
        assert dict(rows) == self.changelog
        return {key: int(ROW.unpack(row)[0]) for key, row in rows}


@settings(max_examples=60, deadline=None)
@given(story=steps)
def test_only_expired_rows_go_and_all_of_them_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, story: list[Events | Literal["commit", "crash"]]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("sweep"))
    shop = Shop(bench)

    async def act() -> dict[bytes, int]:
        for step in story:
            if step == "crash":
                shop.crash()
            elif step == "commit":
                if shop.flying:
                    await shop.commit()
            else:
                shop.handle([(key, max(0, shop.newest + ahead)) for key, ahead in step])
        shop.rest = shop.newest
        return await shop.end()

    left = finish(act())
    bench.store.close()
    assert left == {key: ts for key, ts in shop.last.items() if shop.newest - ts <= TTL}


async def fill(bench: Bench, rows: int, ts: int = 0) -> None:
    await bench.table.commit(0, {b"%06d" % n: ROW.pack(ts) for n in range(rows)})


@run
async def test_a_sweep_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 50)
    found: list[bytes] = []
    for _ in range(6):
        sweep = Sweep(bench.table, expired, EVERY)  # as if started anew each time
        turn = sweep.turn(0, TTL + 1, 5, ())
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
    dropped = sweep.turn(0, TTL + 1, 5, ())
    bench.worker.epoch += 1  # a rebalance: nothing of it was committed
    assert sweep.turn(0, TTL + 1, 5, ()) == dropped
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
    assert len(sweep.turn(0, TTL + 1, 1_000_000, ()).doomed) == MOST_LOOKS
    assert len(sweep.turn(0, TTL + 1, 1_000_000, ()).doomed) == 100
    assert sweep.turn(0, TTL + 1, 1_000_000, ()) == Turn([], None)
    bench.store.close()


@run
async def test_a_row_that_a_batch_in_flight_has_staged_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 4)
    sweep = Sweep(bench.table, expired, EVERY)
    staged = {b"000001": ROW.pack(TTL + 1), b"000002": None}
    bench.table.stage(0, staged)
    assert sweep.turn(0, TTL + 1, 10, [b"000003"]).doomed == [b"000000"]
    bench.store.close()


@run
async def test_a_note_that_cannot_be_read_starts_the_sweep_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await fill(bench, 2)
    bench.store.partition(0).set_note(b"\xc1 what is this")
    assert len(Sweep(bench.table, expired, EVERY).turn(0, TTL + 1, 10, ()).doomed) == 2
    bench.store.close()
