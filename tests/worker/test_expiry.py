"""Idle users and dead items leave a worker's tables, also where it is killed meanwhile."""

from collections.abc import Iterator
from pathlib import Path

from features.events import Click, Item
from features.item import decode_item
from streams.client import EventProducer
from streams.engine.fence import FENCE
from streams.settings import Settings
from tests.conftest import Names
from tests.worker.running import publish, records, table, wait_until_learnt, worker_of

START = 1_700_000_000_000
HOUR_MS = 3_600_000
OLD, NEW, GONE, KEPT = 200, 100, 10, 10


def clicks(who: str, users: int, items: str, start: int, wave: int) -> Iterator[Click]:
    """Three clicks of each user, within the hour."""
    for number in range(3 * users):
        yield Click(
            event_id=f"{who}-{wave}-{number}",
            user_id=f"{who}-{number % users}",
            item_id=f"{items}-{number % KEPT}",
            ts=start + 20 * number,  # no two of a user within a second
        )


def test_idle_users_and_dead_items_go_and_the_rest_stays(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics(user_ttl_days=1, item_ttl_days=1, worker_id=names.app_id)
    catalogue = [Item(item_id=f"{kind}-{n}") for kind in ("gone", "kept") for n in range(GONE)]
    publish(settings, catalogue, clicks("old", OLD, "gone", START, 0))
    with worker_of(settings, tmp_path, "first") as worker:
        wait_until_learnt(settings, worker)
        assert len(table(settings, settings.topics.user_state)) == OLD
        with EventProducer(settings) as producer:
            for number in range(GONE):
                producer.delete_item(f"gone-{number}")
        wait_until_learnt(settings, worker)
        worker.kill()
    for wave in range(1, 4):  # each brings one pass forward, or begins the next
        later = START + 72 * HOUR_MS + wave * HOUR_MS
        publish(settings, [], clicks("new", NEW, "kept", later, wave))
        with worker_of(settings, tmp_path, f"wave-{wave}") as worker:
            if wave == 1:
                worker.wait_until("headrace_expired_rows_total", 1, within_s=60)
                worker.kill()
            else:
                wait_until_learnt(settings, worker)
    users = table(settings, settings.topics.user_state)
    assert users.keys() == {f"new-{n}" for n in range(NEW)}
    items = table(settings, settings.topics.item_state)
    assert items.keys() == {f"kept-{n}" for n in range(KEPT)}
    assert sum(sum(decode_item(row).touches) for row in items.values()) == 3 * 3 * NEW
    assert tombstones(settings, settings.topics.user_state) == {f"old-{n}" for n in range(OLD)}
    assert tombstones(settings, settings.topics.item_state) == {f"gone-{n}" for n in range(GONE)}


def tombstones(settings: Settings, topic: str) -> set[str]:
    deleted = {record.key for record in records(settings, topic) if record.value is None}
    return {key.decode() for key in deleted - {FENCE}}
