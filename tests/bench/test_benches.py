"""Each bench, tiny, against a real Kafka where it uses one: the shape of what it prints."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
THROUGHPUT = {
    "events_per_s", "cpu_us_per_event", "rss_mb", "state_mb", "steady_records", "steady_s",
}  # fmt: skip
LATENCY = {"p50_ms", "p99_ms", "cpu_us_per_event", "rss_mb"}
RECOVERY = {"recovery_s", "rows_per_s", "cpu_us_per_row", "start_s", "rss_mb", "state_mb"}


RETRIEVAL = {"batch_us", "alone_us", "recall", "build_s", "memory_mb", "upsert_us"}
COSTS = {"users_us", "items_us", "index_us", "learn_us", "outcome_us", "list_us"}
WORKER = {"events_per_s", "lists_per_s", "cpu_us_per_event", "rss_mb"}
WEB = {"requests_per_s", "p50_ms", "p90_ms", "p99_ms", "cpu_us_per_request", "failed"}
LISTWISE = {"hr@20", "mrr@20", "list_us", "learn_us"}
FOLD = {"decode_us", "learn_us", "total_us"}


def run(bench: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{bench}", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    (line,) = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert {"processor", "cores", "memory_gb", "python", "load_average"} <= found["machine"].keys()
    assert found["rounds"] == 1
    # None: so little to do that noise hides it, which a tiny run may meet.
    assert all(ratio is None or ratio > 0 for ratio in found["ratios"].values())
    return found


def check(result: Mapping[str, Any], names: set[str], figures: set[str]) -> None:
    assert result.keys() == names
    for found in result.values():
        assert figures <= found.keys()
        for figure in figures:
            low, high = found[figure]["range"]
            assert low <= found[figure]["median"] <= high


@pytest.mark.timeout(900)
def test_engine(broker: str) -> None:
    size = ["--records", "4000", "--users", "100", "--rounds", "1", "--stock-s", "1"]
    found = run("engine", "--broker", broker, *size, "--rate", "100", "--latency-s", "2")
    everybody = {"stock", "ours", "quix", "bare"}
    check(found["table"], everybody, THROUGHPUT)
    check(found["output"], everybody, THROUGHPUT)
    check(found["latency"], everybody, LATENCY)
    asked = {f"{bench}_vs_{other}" for bench in ("table", "output") for other in ("stock", "quix")}
    assert asked <= found["ratios"].keys()
    assert (found["records"], found["users"], found["row_bytes"]) == (4000, 100, 1024)
    assert found["table"]["ours"]["state_mb"]["median"] > 0
    assert "extrapolated" in found["notes"]["stock"]


@pytest.mark.timeout(900)
def test_recovery(broker: str) -> None:
    found = run("recovery", "--broker", broker, "--records", "2000", "--rounds", "1")
    check(found["recovery"], {"stock", "ours", "quix"}, RECOVERY)
    assert {"recovery_vs_stock", "recovery_vs_quix"} <= found["ratios"].keys()
    assert found["rows"] == 2000


def test_features() -> None:
    found = run("features", "--events", "600", "--replay", "300", "--rounds", "1")
    asked = {f"{what}, {wire}" for what in ("purchases", "clicks") for wire in ("json", "msgpack")}
    assert found["folds"].keys() == asked
    for result in found["folds"].values():
        check(result, {"ours", "stored", "plain", "river"}, FOLD)
        assert all(figures["total_us"]["median"] > 0 for figures in result.values())
    for sizes in (found["rows"]["users_bytes"], found["rows"]["items_bytes"]):
        assert 0 < sizes["p50"] <= sizes["p99"] <= sizes["max"]
    assert found["rows"]["events"] == 300


def test_retrieval() -> None:
    found = run("retrieval", "--items", "2000", "300", "--rounds", "1")
    asked = {f"{items} {what}" for items in ("2,000", "300") for what in ("vectors", "factors")}
    assert found["retrieval"].keys() == found["ratios"].keys() == asked
    for result in found["retrieval"].values():
        check(result, {"exact", "cells"}, RETRIEVAL)
        assert result["exact"]["recall"]["median"] == 1
        assert result["cells"]["recall"]["median"] > 0.8


def test_listwise() -> None:
    found = run("listwise", "--events", "2500", "--rounds", "1")
    check(found["listwise"], {"plain", "attention"}, LISTWISE)
    assert found["lists"]["taught"] > found["lists"]["judged"] > 0
    assert all(0 < figures["hr@20"]["median"] <= 1 for figures in found["listwise"].values())


@pytest.mark.timeout(900)
def test_pipeline(broker: str) -> None:
    size = ["--items", "400", "--users", "20", "--events", "2000", "--sent", "400"]
    found = run("pipeline", "--broker", broker, *size, "--rounds", "1")
    check(found["steps"], {"ours"}, COSTS)
    check(found["worker"], {"ranking", "without"}, WORKER)
    assert found["worker"]["ranking"]["lists_per_s"]["median"] > 0
    assert found["worker"]["without"]["lists_per_s"]["median"] == 0


@pytest.mark.timeout(900)
def test_gateway(broker: str) -> None:
    found = run("gateway", "--broker", broker, "--seconds", "1", "--events", "300")
    asked = {"lists", "lists, flat out", "rankings", "events, worker beside", "events, no worker"}
    assert found["gateway"].keys() == asked
    for figures in found["gateway"].values():
        assert figures.keys() >= WEB
        assert figures["requests_per_s"] > 0
    assert found["reached"].keys() == {"lists", "rankings", "events"}
