"""One RocksDB per table partition, all inside one memory budget."""

import errno
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import rocksdict

MiB = 1 << 20
_RESERVED = b"\x00headrace\x00"  # no user's key may start with this
_OFFSET = _RESERVED + b"offset"
_OWNER = _RESERVED + b"owner"
_NOTE = _RESERVED + b"note"
_CONFIG = "rocksdict-config.json"
# Each merge of the newest files rewrites about all of a partition; more files mean more bloom
# filters to ask per look-up. So merges are rare while rows are written in bulk and not looked up.
_MERGED_FILES = 4
_MERGED_FILES_UNLOGGED = 16
_DEEPER = [rocksdict.DBCompressionType.lz4()] * 6  # of RocksDB's seven levels
_SIZE = (
    "rocksdb.estimate-num-keys",
    "rocksdb.total-sst-files-size",
    "rocksdb.cur-size-all-mem-tables",
)
_NO_LOG = rocksdict.WriteOptions()
_NO_LOG.disable_wal = True


class StoreError(OSError):
    """A table's directory cannot be used as it is. No row in it was changed."""


class StoreLocked(StoreError):
    """Another process, or another table of this one, has the directory open."""


class StoreCorrupt(StoreError):
    """RocksDB finds the files damaged."""


class StoreForeign(StoreError):
    """The directory holds something else than this partition of this table."""


class Memory:
    """What all tables of a process may use together: blocks, filters, indexes and memtables.

    Args:
        cache_mb: RocksDB memory of the whole process, MiB.
        write_buffer_mb: how much of it rows not yet in files may take, MiB; one partition at most
            a quarter of that, so that flushes stay small.
        bloom_bits: filter bits per key; 10 answer 99 % of look-ups of new keys without a read.
    """

    def __init__(
        self, cache_mb: int = 128, write_buffer_mb: int = 32, bloom_bits: int = 10
    ) -> None:
        self.cache = rocksdict.Cache(cache_mb * MiB)
        self._write_buffers = rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            write_buffer_mb * MiB,
            False,  # noqa: FBT003  allow_stall: flush early, but never block the event loop
            self.cache,
        )
        self._write_buffer = max(1, write_buffer_mb // 4) * MiB
        self._bloom_bits = bloom_bits

    def options(self) -> rocksdict.Options:
        """Return options for one database; they are passed at every opening, new or not."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self.cache)
        blocks.set_bloom_filter(self._bloom_bits, False)  # noqa: FBT003  block_based: outdated
        blocks.set_cache_index_and_filter_blocks(True)  # else they escape the budget
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)  # noqa: FBT003  create_if_missing: on
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self._write_buffers)
        options.set_write_buffer_size(self._write_buffer)
        # What was just flushed is merged, and so rewritten, soon: compressing it costs more than
        # the rest of the write, for a few files.
        options.set_compression_per_level([rocksdict.DBCompressionType.none(), *_DEEPER])
        options.set_keep_log_file_num(2)
        options.set_max_background_jobs(2)
        options.set_level_zero_file_num_compaction_trigger(_MERGED_FILES)
        return options


@cache
def default_memory() -> Memory:
    """Return the budget of a process whose tables were given none."""
    return Memory()


class Rocks:
    """Rows of one partition and, in the same write, how far its changelog is applied.

    Args:
        path: directory of the database; created where missing.
        owner: says which table, changelog and partition these rows are; checked at every opening.
        memory: the budget to share.

    Raises:
        StoreLocked: somebody has it open.
        StoreCorrupt: RocksDB cannot read it.
        StoreForeign: there is something else.
    """

    def __init__(self, path: Path, owner: str, memory: Memory) -> None:
        self.path = path
        _refuse_strangers(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            options = memory.options()
            # Named as a column family's too, they hold for a database that exists: rocksdict would
            # else read those it was made with, less the filter and the shared cache.
            self._db = rocksdict.Rdict(
                str(path), options=options, column_families={"default": options}
            )
        except Exception as error:  # rocksdict raises bare Exception
            raise _explain(path, error) from error
        self._unlogged = False
        found = self._db.get(_OWNER)
        if found is None:
            self._db[_OWNER] = owner.encode()
        elif found != owner.encode():
            self.close()
            raise StoreForeign(
                errno.EEXIST,
                f"holds {found.decode(errors='replace')!r}, not {owner!r}: give each app and "
                "worker a data directory of its own, or move this one away",
                str(path),
            )

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the keys' values in their order, None where there is none."""
        rows: list[bytes | None] = self._db.get(list(keys))
        return rows

    def offset(self) -> int | None:
        """Return the last changelog offset that these rows contain."""
        stored = self._db.get(_OFFSET)
        return None if stored is None else int.from_bytes(stored, "big", signed=True)

    def write(
        self,
        rows: Iterable[tuple[bytes, bytes | None]],
        offset: int | None,
        *,
        logged: bool = True,
    ) -> None:
        """Write rows (None deletes) and the offset that they reach, all or nothing.

        Args:
            rows: later ones win.
            offset: None leaves the stored one, so that recovery applies these rows once more.
            logged: in RocksDB's log, too. Where not, a crash may lose the last of such rows, and
                then their offset with them; that takes a third off the time of a recovery.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if offset is not None:
            batch.put(_OFFSET, offset.to_bytes(8, "big", signed=True))
        if logged:
            if self._unlogged:  # a log must not go on where rows before it are missing
                self._db.flush()
                self._unlogged = False
                self._merge_every(_MERGED_FILES)
            self._db.write(batch)
        else:
            if not self._unlogged:
                self._unlogged = True
                self._merge_every(_MERGED_FILES_UNLOGGED)
            self._db.write(batch, _NO_LOG)

    def _merge_every(self, files: int) -> None:
        self._db.set_options({"level0_file_num_compaction_trigger": str(files)})

    def note(self) -> bytes | None:
        """Return what was noted last beside the rows; it is of this disk, not of the changelog."""
        noted: bytes | None = self._db.get(_NOTE)
        return noted

    def set_note(self, note: bytes) -> None:
        """Note something that survives a restart, and may be lost with the disk."""
        self._db[_NOTE] = note

    def scan(self, after: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` rows in key order, from the first key greater than `after`.

        A list and not an iterator: a live iterator would keep the directory locked after close.
        """
        start = None if after is None else after + b"\x00"
        rows = (row for row in self._db.items(from_key=start) if not row[0].startswith(_RESERVED))
        return list(islice(rows, limit))

    def size(self) -> tuple[int, int]:
        """Return about how many rows there are, and the bytes that they take on disk and in memory.

        RocksDB counts a row that was written again and not merged yet once more.
        """
        rows, disk, memory = map(self._db.property_int_value, _SIZE)
        return rows or 0, (disk or 0) + (memory or 0)

    def checkpoint(self, path: Path) -> None:
        """Make a consistent copy at `path`, which must not exist; cheap on the same disk."""
        rocksdict.Checkpoint(self._db).create_checkpoint(str(path))

    def flush(self) -> None:
        """Put all rows into files; what they replace is in the log of changes no longer."""
        self._db.flush()

    def close(self) -> None:
        """Flush and let go of the directory at once."""
        self._db.close()


def check_keys(rows: Mapping[bytes, object]) -> None:
    """Refuse keys that the store keeps for itself.

    Raises:
        ValueError: there is one.
    """
    for key in (_OFFSET, _OWNER, _NOTE):
        if key in rows:
            raise ValueError(f"key {key!r} is reserved by the store: use another one")


def _refuse_strangers(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise StoreForeign(
            errno.ENOTDIR, "a file where a table's directory belongs: move it away", str(path)
        )
    if any(path.iterdir()) and not (path / "CURRENT").exists():
        raise StoreForeign(
            errno.EEXIST,
            "holds files that are no RocksDB database: move them away, or set another data "
            "directory",
            str(path),
        )


def _explain(path: Path, error: Exception) -> StoreError:
    reason = str(error)
    if "lock" in reason.lower():
        return StoreLocked(
            errno.EAGAIN,
            f"in use by another process ({reason}): stop it, or give each worker a data directory "
            "of its own",
            str(path),
        )
    if "Corruption" in reason:
        return StoreCorrupt(
            errno.EIO,
            f"damaged ({reason}): stop the worker, move the directory away and start again; the "
            "rows come back from the changelog",
            str(path),
        )
    return StoreError(
        errno.EIO,
        f"cannot be opened ({reason}): check that the disk has room and that this user may write",
        str(path),
    )
