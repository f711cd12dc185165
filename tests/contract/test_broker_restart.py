"""A broker that goes and comes back: the worker waits, and counts on."""

from pathlib import Path

from streams.broker import Kafka
from tests.contract.harness import expected_outputs, keys, site
from tests.support import eventually


def test_a_worker_outlives_its_broker(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka")
    with kafka as broker, site(broker, tmp_path) as corner:
        corner.create()
        counted = corner.publish(keys(6000, 300))
        worker = corner.worker(batch_records=100, pause_s=0.1, request_s=40)
        eventually(lambda: sum(corner.committed().values()) > 500, 40)
        kafka.stop()
        kafka.start()
        counted += corner.publish(keys(500, 300))
        corner.wait_at_rest(90)
        assert corner.counts() == counted
        assert corner.outputs() == expected_outputs(counted)
        assert worker.process.poll() is None
        assert worker.log.read_text().count("Unable connect") < 500
