"""One app, two transports: the same tables, outputs and commits."""

from pathlib import Path

from tests.contract.harness import expected_outputs, keys, site


def test_batches_give_what_single_events_give(broker: str, tmp_path: Path) -> None:
    with (
        site(broker, tmp_path / "stock", "kafka") as stock,
        site(broker, tmp_path / "batch", "batch") as batch,
    ):
        for corner in (stock, batch):
            corner.create()
            counted = corner.publish(keys(2000, 130))
        workers = [stock.worker(), batch.worker()]
        stock.wait_at_rest()
        batch.wait_at_rest()
        for worker in workers:
            worker.stop()
        assert batch.counts() == stock.counts() == counted
        assert batch.outputs() == stock.outputs() == expected_outputs(counted)
        assert [r.value for r in batch.read(batch.output)] == [
            r.value for r in stock.read(stock.output)
        ]
        assert batch.committed() == stock.committed() == stock.ends()
