"""A running worker takes up models as they are published, and learns from what its users do."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest

from features.events import Click, Event
from ranker.scorer import STEP_LISTS
from streams.clock import now_ms
from streams.codec import decode_recommendation
from streams.data import ONLINE_RETAIL
from streams.demo.workers import WorkerProcess
from streams.lists import Recommendation
from streams.model_parts import manifest_of, sealed, split
from streams.models import load_model, write_model
from streams.publishing import publish as publish_model
from streams.settings import Settings
from streams.train import train
from tests.broker.records import put
from tests.broker.test_client_commands import headrace
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import ask, publish, records, wait_until_learnt, worker_of

BURST, BURSTS, LATE = 8, 12, 40
WITHIN_S = 60.0
HEARD = "headrace_refused_models_total"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two trained models, each of many parts as they are sent below."""
    folder = tmp_path_factory.mktemp("models")
    paths = [folder / "first.safetensors", folder / "second.safetensors"]
    model = train(ONLINE_RETAIL.items(), list(islice(ONLINE_RETAIL.events(), 600)))
    for path in paths:
        write_model(path, model)
        model.scorer.linear.weights += 0.01
    return paths


def test_models_are_swapped_between_batches_and_outcomes_teach(
    names: Names, tmp_path: Path, models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file first, then what is published: each list is one model's, and none is lost."""
    monkeypatch.setattr("streams.publishing.PART_BYTES", 4_096)
    settings = names.create_topics(partitions=1, model=models[0], repeat_ms=0)
    first, second = (version(path) for path in models)
    assert first != second
    items = list(islice(ONLINE_RETAIL.items(), 200))
    bursts = shoppers([item.item_id for item in items])
    with worker_of(settings, tmp_path) as worker:
        publish(settings, items, next(bursts))
        eventually(lambda: in_use(worker) == first, WITHIN_S)
        publish(settings, [], next(bursts))

        spoil(settings, models[1])
        worker.wait_until(HEARD, 1, WITHIN_S)
        publish(settings, [], next(bursts))
        wait_until_learnt(settings, worker)

        publish_model(settings, models[1])
        for burst in bursts:  # the swap comes in their midst
            publish(settings, [], burst)
        eventually(lambda: in_use(worker) == second, WITHIN_S)
        late = [clicked(f"late-{n}", f"late-{n}", items[n].item_id) for n in range(LATE)]
        publish(settings, [], late)
        wait_until_learnt(settings, worker)
        shown = lists(settings)
        versions = [one.model_version for one in shown]
        before = versions.index(second)
        assert versions == [first] * before + [second] * (len(shown) - before)
        assert before >= 3 * BURST, "the refused one changed nothing"

        # Who saw the first model's lists comes back as well: those teach the second nothing.
        returned = [come_back(one) for one in (*shown[before - BURST : before], *shown[-LATE:])]
        publish(settings, [], returned)
        wait_until_learnt(settings, worker)
        counted = worker.counters()

    sent = BURST * BURSTS + LATE + len(returned)
    assert len(shown) + len(returned) == len({one.rec_id for one in lists(settings)}) == sent
    assert counted["headrace_outcomes_total"] == counted["headrace_outcome_hits_total"] == LATE
    assert counted["headrace_outcome_reciprocal_ranks_total"] == LATE, "each took the first"
    assert counted["headrace_learnt_outcomes_total"] == LATE // STEP_LISTS * STEP_LISTS
    assert counted["headrace_learnt_loss_nats_total"] > 0

    with worker_of(settings, tmp_path, "again") as worker:  # its file is the first model still
        eventually(lambda: in_use(worker) == second, WITHIN_S)
    told = headrace(settings, "model", "show")
    assert told.stdout.startswith(f"{second}, published "), told.stderr


def shoppers(item_ids: Sequence[str]) -> Iterator[list[Event]]:
    """Yield bursts of clicks, each of a user of its own, so that each is answered."""
    for burst in range(BURSTS):
        numbers = range(burst * BURST, (burst + 1) * BURST)
        yield [clicked(f"c{n}", f"u{n}", item_ids[n]) for n in numbers]


def clicked(event_id: str, user_id: str, item_id: str) -> Event:
    return Click(event_id=event_id, user_id=user_id, item_id=item_id, ts=now_ms())


def come_back(found: Recommendation) -> Event:
    """Click on what a list shows first; the first lists of a shop may be empty."""
    return clicked(f"back-{found.user_id}", found.user_id, found.items[0].item_id)


def spoil(settings: Settings, path: Path) -> None:
    """Publish a model that lacks all parts but one."""
    payload = path.read_bytes()
    manifest = manifest_of(payload, load_model(payload).scorer.names, "spoilt", 1, 4_096)
    (part, *_) = split(payload, manifest, 4_096)
    topic = settings.topics.models
    put(settings, topic, [(key.decode(), value) for key, value in (part, sealed(manifest))])


def version(path: Path) -> str:
    return load_model(path.read_bytes()).version


def in_use(worker: WorkerProcess) -> str:
    """Return what the worker says that ranks."""
    _, text = ask(worker, "/metrics")
    told = [line for line in text.splitlines() if line.startswith("headrace_model{")]
    return told[0].split('"')[1] if told else ""


def lists(settings: Settings) -> list[Recommendation]:
    topic = settings.topics.recommendations
    return [decode_recommendation(one.value) for one in records(settings, topic)]
