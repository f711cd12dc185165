"""A partition's database: rows and offset together, one budget, and clear refusals."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine import backups
from streams.engine.rocks import (
    Memory,
    Rocks,
    StoreCorrupt,
    StoreError,
    StoreForeign,
    StoreLocked,
    check_keys,
)

ROOT = Path(__file__).parents[3]
MEMORY = Memory(cache_mb=8, write_buffer_mb=4)
KEYS = st.binary(max_size=3)
WRITES = st.lists(
    st.tuples(
        st.dictionaries(KEYS, st.none() | st.binary(max_size=4)),
        st.none() | st.integers(0, 2**63 - 1),
    )
)


@settings(max_examples=25, deadline=None)
@given(writes=WRITES, looked_up=st.lists(KEYS))
def test_rows_are_those_of_a_dict_also_after_reopening(
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[tuple[dict[bytes, bytes | None], int | None]],
    looked_up: list[bytes],
) -> None:
    path = tmp_path_factory.mktemp("rocks") / "t.db"
    model: dict[bytes, bytes] = {}
    offset = None
    rocks = Rocks(path, "me", MEMORY)
    for rows, reached in writes:
        rocks.write(rows.items(), reached)
        offset = offset if reached is None else reached
        for key, value in rows.items():
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
    for _ in range(2):
        assert rocks.get_many(looked_up) == [model.get(key) for key in looked_up]
        assert rocks.scan(None, 1000) == sorted(model.items())
        assert rocks.offset() == offset
        rocks.close()
        rocks = Rocks(path, "me", MEMORY)
    rocks.close()


CRASH = """
import ast, os, sys
from pathlib import Path
from streams.engine.rocks import Memory, Rocks
memory = Memory(cache_mb=8, write_buffer_mb=4)
for number, writes in enumerate(ast.literal_eval(sys.argv[2])):
    rocks = Rocks(Path(sys.argv[1]) / str(number), "me", memory)
    for offset, (rows, logged) in enumerate(writes):
        rocks.write(rows.items(), offset, logged=logged)
os._exit(9)
"""


@settings(max_examples=3)
@given(
    crashes=st.lists(
        st.lists(st.tuples(st.dictionaries(KEYS, st.binary(max_size=4)), st.booleans())),
        min_size=10,
        max_size=10,
    )
)
def test_a_crash_leaves_rows_and_offset_of_one_moment_and_all_that_was_logged(
    tmp_path_factory: pytest.TempPathFactory,
    crashes: list[list[tuple[dict[bytes, bytes], bool]]],
) -> None:
    directory = tmp_path_factory.mktemp("rocks")
    crashed = subprocess.run(
        [sys.executable, "-c", CRASH, directory, repr(crashes)], check=False, cwd=ROOT
    )
    assert crashed.returncode == 9
    for number, writes in enumerate(crashes):
        moments: list[dict[bytes, bytes]] = [{}]
        safe = 0
        for offset, (rows, logged) in enumerate(writes):
            moments.append(moments[-1] | rows)
            safe = offset + 1 if logged else safe
        rocks = Rocks(directory / str(number), "me", MEMORY)
        found = rocks.offset()
        reached = 0 if found is None else found + 1
        assert safe <= reached
        assert dict(rocks.scan(None, 1000)) == moments[reached]
        rocks.close()


@settings(max_examples=25, deadline=None)
@given(keys=st.sets(KEYS, max_size=20), limit=st.integers(1, 5))
def test_a_scan_in_steps_sees_every_row_once(
    tmp_path_factory: pytest.TempPathFactory, keys: set[bytes], limit: int
) -> None:
    rocks = Rocks(tmp_path_factory.mktemp("rocks") / "t.db", "me", MEMORY)
    rocks.write([(key, b"") for key in keys], None)
    seen: list[bytes] = []
    while rows := rocks.scan(seen[-1] if seen else None, limit):
        assert len(rows) <= limit
        seen.extend(key for key, _ in rows)
    rocks.close()
    assert seen == sorted(keys)


def test_all_databases_draw_on_one_cache(tmp_path: Path) -> None:
    memory = Memory(cache_mb=8, write_buffer_mb=4)
    two = [Rocks(tmp_path / name, name, memory) for name in ("a", "b")]
    capacities = {rocks._db.property_value("rocksdb.block-cache-capacity") for rocks in two}
    before = memory.cache.get_usage()
    for rocks in two:
        rocks.write([(b"%d" % n, b"v" * 100) for n in range(20_000)], None)
    assert capacities == {str(8 * 2**20)}
    assert memory.cache.get_usage() > before  # memtables count against the budget
    for rocks in two:
        rocks.close()


def test_options_hold_when_a_database_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    for megabytes in (8, 16):
        rocks = Rocks(path, "me", Memory(cache_mb=megabytes, write_buffer_mb=megabytes))
        newest = max(path.glob("OPTIONS-*"), key=lambda file: int(file.name.split("-")[1]))
        options = newest.read_text()
        assert "filter_policy=bloomfilter" in options
        assert re.search(rf"^\s*write_buffer_size={megabytes * 2**18}$", options, re.MULTILINE)
        capacity = rocks._db.property_value("rocksdb.block-cache-capacity")
        assert capacity == str(megabytes * 2**20)
        rocks.close()


def test_filters_and_the_shared_cache_serve_databases_that_are_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(b"%06d" % (2 * n), b"v" * 100) for n in range(5_000)]
    for name in ("a", "b"):
        rocks = Rocks(tmp_path / name, name, MEMORY)
        rocks.write(rows, None)
        rocks.close()

    memory = Memory(cache_mb=64, write_buffer_mb=4)
    opened = [memory.options() for _ in range(2)]
    for options in opened:
        options.enable_statistics()
    monkeypatch.setattr(memory, "options", iter(opened).__next__)
    usage = [memory.cache.get_usage()]
    for name, options in zip(("a", "b"), opened, strict=True):
        rocks = Rocks(tmp_path / name, name, memory)
        assert rocks.get_many([b"%06d" % (2 * n + 1) for n in range(5_000)]) == [None] * 5_000
        found = re.search(r"rocksdb.bloom.filter.useful COUNT : (\d+)", options.get_statistics())
        assert found is not None
        assert int(found[1]) > 4_900  # of 5,000 reads that found nothing
        assert rocks.get_many([key for key, _ in rows]) == [value for _, value in rows]
        usage.append(memory.cache.get_usage())
        rocks.close()
    first, second = usage[1] - usage[0], usage[2] - usage[1]
    assert first > 500_000  # the rows' own blocks
    assert second > 500_000  # beside them, in the same cache


def test_closing_frees_the_directory_at_once(tmp_path: Path) -> None:
    rocks = Rocks(tmp_path / "t.db", "me", MEMORY)
    rocks.write([(b"k", b"v")], 7)
    rocks.scan(None, 1)
    rocks.close()
    Rocks(tmp_path / "t.db", "me", MEMORY).close()


def test_a_directory_in_use_is_named_and_left_alone(tmp_path: Path) -> None:
    rocks = Rocks(tmp_path / "t.db", "me", MEMORY)
    with pytest.raises(StoreLocked, match=r"in use by another process.*data directory") as caught:
        Rocks(tmp_path / "t.db", "me", MEMORY)
    assert caught.value.filename == str(tmp_path / "t.db")
    rocks.close()


def test_a_damaged_database_is_named_with_its_cure_and_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    Rocks(path, "me", MEMORY).close()
    (path / "CURRENT").write_text("junk")
    before = sorted(path.iterdir())
    with pytest.raises(StoreCorrupt, match="come back from the changelog"):
        Rocks(path, "me", MEMORY)
    assert (path / "CURRENT").read_text() == "junk"
    assert set(before) <= set(path.iterdir())


def test_rows_of_another_table_are_refused(tmp_path: Path) -> None:
    Rocks(tmp_path / "t.db", "table users", MEMORY).close()
    with pytest.raises(StoreForeign, match="holds 'table users', not 'table items'"):
        Rocks(tmp_path / "t.db", "table items", MEMORY)
    Rocks(tmp_path / "t.db", "table users", MEMORY).close()


def test_files_that_are_no_database_are_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    (tmp_path / "file").write_text("x")
    for name in ("letters", "file"):
        with pytest.raises(StoreForeign, match="away"):
            Rocks(tmp_path / name, "me", MEMORY)
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["dear.txt"]


def test_keys_of_the_store_itself_are_refused() -> None:
    check_keys({b"user": None, b"\x00": None})
    with pytest.raises(ValueError, match="reserved"):
        check_keys({b"\x00headrace\x00offset": None})


def test_a_backup_is_a_copy_of_its_moment_and_comes_back(tmp_path: Path) -> None:
    path, folder = tmp_path / "t.db", tmp_path / "backups"
    rocks = Rocks(path, "me", MEMORY)
    for n in range(3):
        rocks.write([(b"n", b"%d" % n)], n)
        assert backups.make(rocks, folder) == n + 1
    backups.purge(folder, 2)
    assert backups.ids(folder) == [2, 3]
    rocks.close()
    with pytest.raises(StoreError, match="move it away"):
        backups.restore(folder, 2, path)
    with pytest.raises(StoreError, match="no backup 1"):
        backups.restore(folder, 1, path)
    path.rename(tmp_path / "aside")
    backups.restore(folder, 2, path)
    rocks = Rocks(path, "me", MEMORY)
    assert (rocks.get_many([b"n"]), rocks.offset()) == ([b"1"], 1)
    rocks.close()
