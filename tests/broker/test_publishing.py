"""Publishing a model over a real broker: what is left in the topic, and what is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from features.vector import NAMES
from streams.delivery import DeliveryError
from streams.model_parts import MANIFEST, Manifest, manifest_of, sealed, split
from streams.models import new_model, write_model
from streams.publishing import publish, published
from streams.settings import Settings
from tests.broker.records import limit, put, records
from tests.broker.test_client_commands import headrace
from tests.conftest import Names

SMALL = 4_096


def held(settings: Settings) -> Mapping[str, bytes]:
    """What compaction would leave."""
    newest = {one.key.decode(): one.value for one in records(settings, settings.topics.models)}
    return {key: value for key, value in newest.items() if value is not None}


def keys(manifest: Manifest) -> set[str]:
    parts = {f"{manifest.model_id}/{number:04d}" for number in range(manifest.count)}
    return {MANIFEST.decode(), *parts}


def test_the_topic_holds_one_whole_model_whatever_publishers_do(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.publishing.PART_BYTES", SMALL)
    settings = names.create_topics()
    file = tmp_path / "model.safetensors"
    write_model(file, new_model())
    assert headrace(settings, "model", "show").returncode == 1
    first = publish(settings, file)
    assert first.count > 5
    assert held(settings).keys() == keys(first)

    # Kafka takes no more parts, as if the publisher had died among them.
    limit(settings, settings.topics.models, "max.message.bytes", "100")
    with pytest.raises(DeliveryError):
        publish(settings, file, timeout_s=5)
    limit(settings, settings.topics.models, "max.message.bytes", str(2**20))
    assert published(settings).manifest == first

    second = publish(settings, file)
    assert held(settings).keys() == keys(second)

    # Whole, and no model: it is refused, and the one before goes on.
    strange = manifest_of(b"strange", NAMES, "v", 1, SMALL)
    told = [*split(b"strange", strange, SMALL), sealed(strange)]
    put(settings, settings.topics.models, [(key.decode(), value) for key, value in told])
    found = published(settings)
    assert found.manifest == second
    assert [refusal.reason for refusal in found.refusals] == ["checkpoint"]

    file.write_bytes(b"no model")
    refused = headrace(settings, "model", "publish", str(file))
    assert refused.returncode == 1
    assert "not a whole checkpoint of ours" in refused.stderr
