"""One app, two transports: the same tables, outputs and commits."""

from pathlib import Path

from tests.contract.harness import Site, expected_outputs, keys, site


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


def test_events_are_counted_once_across_clean_restarts(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(800, 50))
    for _ in range(2):
        worker = corner.worker()
        corner.wait_at_rest()
        assert worker.stop() == 0
        assert corner.counts() == counted
        assert corner.outputs() == expected_outputs(counted)
        counted += corner.publish(keys(800, 50))
