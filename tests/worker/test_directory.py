"""A data directory that cannot be used ends the worker with a message; nothing in it is deleted."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from features.events import Click
from streams.demo.workers import WorkerFailed
from streams.engine import Memory
from streams.engine.rocks import Rocks
from streams.engine.snapshots import tables_of
from streams.settings import Settings
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import publish, wait_until_learnt, worker_of

CLICKS = [
    Click(event_id=f"e{n}", user_id=f"u{n}", item_id="mug", ts=1_700_000_000_000) for n in range(50)
]


def damage(settings: Settings) -> None:
    for path in tables_of(settings.data_dir).glob("users-*.db"):
        (path / "CURRENT").write_text("junk")


def of_another_app(settings: Settings) -> None:
    for partition in range(settings.partitions):
        path = tables_of(settings.data_dir) / f"users-{partition}.db"
        foreign = Rocks(path, "table users, changelog elsewhere[0], format 1", Memory(8, 4))
        foreign.write([(b"ann", b"her row")], 0)
        foreign.close()


def strange(settings: Settings) -> None:
    for partition in range(settings.partitions):
        path = tables_of(settings.data_dir) / f"users-{partition}.db"
        path.mkdir(parents=True)
        (path / "dear.txt").write_text("dear")


@pytest.mark.parametrize(
    ("used_before", "spoil", "said"),
    [
        (True, damage, "damaged .*: stop the worker, move the directory away and start again"),
        (False, of_another_app, "holds 'table users, changelog elsewhere"),
        (False, strange, "holds files that are no RocksDB database: move them away"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure_and_the_worker_ends(
    names: Names,
    tmp_path: Path,
    used_before: bool,
    spoil: Callable[[Settings], None],
    said: str,
) -> None:
    settings = names.create_topics(worker_id=names.app_id)
    if used_before:
        publish(settings, [], CLICKS)
        with worker_of(settings, tmp_path, "before") as worker:
            wait_until_learnt(settings, worker)
    spoil(settings)
    before = dict(files(settings.data_dir))
    assert before
    with (
        worker_of(settings, tmp_path) as worker,
        pytest.raises(WorkerFailed, match=rf"the worker ended with 1:[\s\S]*headrace: .*{said}"),
    ):
        eventually(lambda: worker.counters() and False, within_s=60)
    after = dict(files(settings.data_dir))
    assert before.items() <= after.items()


def test_a_directory_that_another_worker_uses_is_left_to_it(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics()
    held = Rocks(tables_of(settings.data_dir) / "users-0.db", owner(settings), Memory(8, 4))
    with (
        worker_of(settings, tmp_path) as worker,
        pytest.raises(WorkerFailed, match=r"ended with 1:[\s\S]*headrace: .*in use by another pro"),
    ):
        eventually(lambda: worker.counters() and False, within_s=60)
    held.close()


def owner(settings: Settings) -> str:
    return f"table users, changelog {settings.topics.user_state}[0], format 1"


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what the worker may not touch: rows and strangers, not RocksDB's own books."""
    for path in folder.rglob("*"):
        if path.suffix in {".sst", ".txt"}:
            yield path, hashlib.sha256(path.read_bytes()).hexdigest()
