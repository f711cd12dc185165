"""A running worker is backed up, dies with its disk, and comes back from the copy and the log."""

import shutil
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.profile import decode_profile
from streams.cli import app
from streams.control import SOCKET, ControlFailed
from streams.data import ONLINE_RETAIL
from streams.demo.workers import as_environment
from streams.settings import Settings
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import ask, disk, gauge, publish, table, wait_until_learnt, worker_of

EVENTS = 3_000


def headrace(settings: Settings, *arguments: object) -> Result:
    return CliRunner(env=as_environment(settings)).invoke(app, ["state", *map(str, arguments)])


def test_a_backup_of_a_running_worker_is_restored_to_an_empty_disk(
    names: Names, tmp_path: Path
) -> None:
    long = tmp_path / ("so long that no socket could be named so " * 3)
    settings = names.create_topics(worker_id=names.app_id, data_dir=long / "state")
    events = list(islice(ONLINE_RETAIL.events(), EVENTS))
    early, late = events[: EVENTS // 2], events[EVENTS // 2 :]
    backup = tmp_path / "backup"
    publish(settings, ONLINE_RETAIL.items(), early)
    with worker_of(settings, tmp_path, "first") as worker:
        wait_until_learnt(settings, worker)
        publish(settings, [], late)  # it has work while it is backed up
        done = headrace(settings, "backup", backup)
        assert done.output == f"8 partitions backed up to {backup}\n"
        assert (settings.data_dir / SOCKET).stat().st_mode & 0o777 == 0o600
        again = headrace(settings, "backup", backup)
        assert isinstance(again.exception, ControlFailed)
        assert "something is there already" in str(again.exception)
        refused = headrace(settings, "restore", backup)
        assert "a worker runs in" in str(refused.exception)
        wait_until_learnt(settings, worker)
        worker.kill()

    refused = headrace(settings, "restore", backup)
    assert isinstance(refused.exception, OSError)
    assert "nothing was changed" in str(refused.exception)
    shutil.rmtree(long)
    done = headrace(settings, "restore", backup)
    assert done.output == f"8 partitions restored to {settings.data_dir}\n"

    with worker_of(settings, tmp_path, "second") as worker:
        eventually(lambda: ask(worker, "/readyz")[0] == 200, 60)
        users, items = (
            table(settings, topic)
            for topic in (settings.topics.user_state, settings.topics.item_state)
        )
        caught_up = gauge(worker, "headrace_recovered_rows")
        assert gauge(worker, "headrace_recovering") == 0
        assert gauge(worker, "headrace_recovery_remaining_offsets") == 0
    assert caught_up < len(users) + len(items)  # only what the backup did not have
    assert disk(settings, "users") == users
    assert disk(settings, "items") == items
    rows = [decode_profile(row) for row in users.values()]
    counted = sum(kind.total for row in rows for kind in row.activity)
    assert counted + sum(sum(row.skipped) for row in rows) == EVENTS


def test_a_worker_that_loses_its_disk_reads_all_rows_back_and_says_so(
    names: Names, tmp_path: Path
) -> None:
    settings = names.create_topics(worker_id=names.app_id)
    publish(settings, [], islice(ONLINE_RETAIL.events(), 1_000))
    with worker_of(settings, tmp_path, "first") as worker:
        wait_until_learnt(settings, worker)
        worker.kill()
    shutil.rmtree(settings.data_dir)
    with worker_of(settings, tmp_path, "second") as worker:
        eventually(lambda: ask(worker, "/readyz")[0] == 200, 60)
        recovered = gauge(worker, "headrace_recovered_rows")
        users = table(settings, settings.topics.user_state)
        items = table(settings, settings.topics.item_state)
        assert recovered >= len(users) + len(items)
    assert disk(settings, "users") == users
    assert disk(settings, "items") == items
    assert "tables recovered: " in (tmp_path / "second.log").read_text()


def test_without_a_worker_there_is_no_backup_and_the_message_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for data_dir in (tmp_path / "nowhere", tmp_path):
        done = headrace(Settings(data_dir=data_dir), "backup", tmp_path / "backup")
        assert isinstance(done.exception, ControlFailed)
        assert f"no worker answers in {data_dir}" in str(done.exception)
    assert not (tmp_path / "backup").exists()
