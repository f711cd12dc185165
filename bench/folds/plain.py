"""As Quix Streams keeps state: a plain dict per user, read from bytes and written back per event.

It runs in Quix Streams' environment, and reads and writes with what Quix does (orjson). The dict
holds what our row holds: counts, decayed counts, windows, touches, price level, recent ids.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from quixstreams.utils import json

from bench.folds.tape import Taped, run

_HOUR = 3_600_000
_HALF_LIVES = (_HOUR, 24 * _HOUR, 7 * 24 * _HOUR, 30 * 24 * _HOUR)
_WINDOWS = (("minutes", 300_000, 12), ("hours", _HOUR, 24), ("days", 24 * _HOUR, 30))
_TOUCHES, _QUERIES, _IDS = 50, 5, 48
_state: dict[str, bytes] = {}


def decode(records: Sequence[Taped]) -> list[Any]:
    """Decode without checks."""
    return [
        json.loads(value) if value[:1] == b"{" else msgspec.msgpack.decode(value)
        for _, _, value, _ in records
    ]


def learn(events: Sequence[Any], first: int) -> None:
    """Learn the events one by one."""
    del first
    for event in events:
        stored = _state.get(event["user_id"])
        row = _new() if stored is None else json.loads(stored)
        _fold(row, event)
        _state[event["user_id"]] = json.dumps(row)


def _new() -> dict[str, Any]:
    return {"ids": [], "kinds": {}, "touches": [], "queries": [], "prices": [0, 0.0, 0.0]}


def _fold(row: dict[str, Any], event: Any) -> None:
    kind, ts = event["type"], event["ts"]
    name = f"{kind}-{event['event_id']}"
    if name in row["ids"]:
        return
    row["ids"] = [*row["ids"][-_IDS + 1 :], name]
    of_kind = row["kinds"].setdefault(kind, {"total": 0, "ts": ts, "decayed": [0.0] * 4})
    of_kind["total"] += 1
    age = max(ts - of_kind["ts"], 0)
    of_kind["decayed"] = [
        value * 2.0 ** (-age / half_life) + 1
        for value, half_life in zip(of_kind["decayed"], _HALF_LIVES, strict=True)
    ]
    of_kind["ts"] = max(of_kind["ts"], ts)
    for window, width, buckets in _WINDOWS:
        counts, now = of_kind.setdefault(window, {}), ts // width
        counts[str(now)] = counts.get(str(now), 0) + 1
        for bucket in [old for old in counts if int(old) <= now - buckets]:
            del counts[bucket]
    if kind == "search":
        row["queries"] = [*row["queries"][-_QUERIES + 1 :], [event["event_id"], event["query"], ts]]
        return
    row["touches"] = [*row["touches"][-_TOUCHES + 1 :], [event["item_id"], kind, ts]]
    if price := event.get("price"):
        count, total, squares = row["prices"]
        at = math.log(price)
        row["prices"] = [count + 1, total + at, squares + at * at]


if __name__ == "__main__":
    run(decode, learn)
