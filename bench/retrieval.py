"""What it costs to find the nearest of many items: all looked at, and by cells.

    python -m bench.retrieval [--items N ...] [--rounds N] [--json]

Two kinds of vectors, as the worker has them: those of the attention model (96 dimensions, length
1, top 60 of a list) and the factors with their bias (17, any length, top 20). Items lie in topics
of very different sizes, topics in groups. Both ways take turns, round after round, with queries
that are new in each. Times are of the processor, on one thread. Prints one JSON object with --json,
else a table for each size.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.machine import machine, spread
from bench.tables import table
from ranker.cells import Cells, build, put
from ranker.exact import nearest
from ranker.pool import TOP_ATTENTION, TOP_FACTORS
from ranker.probing import nearest_in_cells
from ranker.selection import Space, unfiltered
from ranker.sketch import Sketch, draw, fastest, sketch_of
from streams.models import new_model

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 32
BATCHES = 8
ALONE = 64
CHANGES = 1_000
_TEMPERATURE = 0.07

_Floats = NDArray[np.float32]
_Found = Callable[[_Floats], NDArray[np.int32]]
T = TypeVar("T")
Figures = dict[str, dict[str, dict[str, object]]]
"""Items and vectors -> way -> figure -> median and range."""


class Shop(NamedTuple):
    """Vectors of items, and what makes queries for them."""

    rows: _Floats  # (N, D)
    topic: NDArray[np.int64]  # (N,) of each item
    top: int
    unit: bool  # rows of length 1


def main() -> None:
    """Run and print."""
    given = _arguments()
    new_model()  # sets the threads as a worker does
    found = {
        f"{items:,} {name}": measure(make(items, np.random.default_rng(items)), given.rounds)
        for items in given.items
        for name, make in (("vectors", attention), ("factors", factors))
    }
    figures = {
        "what": "retrieval",
        "rounds": given.rounds,
        "batch": BATCH,
        "retrieval": found,
        "ratios": _ratios(found),
        "machine": machine(),
    }
    if given.json:
        print(json.dumps(figures))
        return
    for name, result in found.items():
        print(f"{name}\n{table(result)}\n")
    print(json.dumps({name: figures[name] for name in ("ratios", "machine")}, indent=2))


def attention(items: int, rng: np.random.Generator) -> Shop:
    """Return vectors like those of the attention model."""
    rows, topic = _topics(items, 96, rng)
    return Shop(_unit(rows), topic, TOP_ATTENTION, unit=True)


def factors(items: int, rng: np.random.Generator) -> Shop:
    """Return vectors like those of the factorisation: the last number is the bias."""
    rows, topic = _topics(items, 17, rng)
    rows *= rng.lognormal(0.0, 0.5, (items, 1)).astype(np.float32)
    rows[:, -1] = rng.normal(-1.0, 1.0, items)
    return Shop(rows, topic, TOP_FACTORS, unit=False)


def queries(shop: Shop, count: int, rng: np.random.Generator) -> _Floats:
    """Return what users look for: near some items of a topic and one of anywhere, (count, D)."""
    of_topic = np.argsort(shop.topic, kind="stable")
    begins = np.searchsorted(shop.topic[of_topic], shop.topic)
    ends = np.searchsorted(shop.topic[of_topic], shop.topic, side="right")
    first = rng.integers(0, len(shop.rows), count)
    near = of_topic[rng.integers(begins[first], ends[first], (3, count))]
    anywhere = shop.rows[rng.integers(0, len(shop.rows), count)]
    wanted: _Floats = shop.rows[first] + shop.rows[near].sum(axis=0) + anywhere
    wanted += np.float32(0.5) * _unit(rng.standard_normal(wanted.shape, np.float32))
    if shop.unit:
        wanted = _unit(wanted)
        wanted /= np.float32(_TEMPERATURE)
        return wanted
    wanted[:, -1] = 1.0  # for the bias
    return wanted


def measure(shop: Shop, rounds: int) -> dict[str, dict[str, object]]:
    """Return what each way takes, and how much of the nearest it finds."""
    rng = np.random.default_rng(0)
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds + 1):
        round_ = _measure_once(shop, rng)
        if number > 0:  # the first one warms up
            for way, figures in round_.items():
                for name, value in figures.items():
                    found.setdefault(way, {}).setdefault(name, []).append(value)
    return {
        way: {
            name: spread(values, 3 if name == "recall" else 1) for name, values in figures.items()
        }
        for way, figures in found.items()
    }


def _measure_once(shop: Shop, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    space = Space(shop.rows, np.ones(len(shop.rows), np.bool_))
    one, many = unfiltered(len(shop.rows), 1), unfiltered(len(shop.rows), BATCH)
    cells, build_s = _timed(lambda: build(space))
    sketch, draw_s = _timed(lambda: sketch_of(shop.rows, fastest()))
    asked = queries(shop, BATCH * BATCHES, rng)

    def exactly(some: _Floats) -> NDArray[np.int32]:
        return nearest(many if len(some) == BATCH else one, some, space, sketch, shop.top)

    def by_cells(some: _Floats) -> NDArray[np.int32]:
        return nearest_in_cells(many if len(some) == BATCH else one, some, space, cells, shop.top)

    right, exact_s = _timed(lambda: _in_batches(exactly, asked, BATCH))
    guess, cells_s = _timed(lambda: _in_batches(by_cells, asked, BATCH))
    _, exact_alone_s = _timed(lambda: _in_batches(exactly, asked[:ALONE], 1))
    _, cells_alone_s = _timed(lambda: _in_batches(by_cells, asked[:ALONE], 1))
    recall = [np.isin(*pair).mean() for pair in zip(right, guess, strict=True)]
    return {
        "exact": {
            "batch_us": 1e6 * exact_s / len(asked),
            "alone_us": 1e6 * exact_alone_s / ALONE,
            "recall": 1.0,
            "build_s": draw_s,
            "memory_mb": (shop.rows.nbytes + sum(part.nbytes for part in sketch)) / 2**20,
            "upsert_us": _changing(shop, sketch, space, rng),
        },
        "cells": {
            "batch_us": 1e6 * cells_s / len(asked),
            "alone_us": 1e6 * cells_alone_s / ALONE,
            "recall": float(np.mean(recall)),
            "build_s": build_s,
            "memory_mb": shop.rows.nbytes / 2**20 + _size_mb(cells),
            "upsert_us": _changing(shop, cells, space, rng),
        },
    }


def _changing(shop: Shop, kept: Cells | Sketch, space: Space, rng: np.random.Generator) -> float:
    """Move items towards others, as a model that goes on learning does; return µs each."""
    slots = rng.integers(0, len(shop.rows), CHANGES)
    moved = shop.rows[slots] + shop.rows[rng.integers(0, len(shop.rows), CHANGES)]
    if shop.unit:
        moved = _unit(moved)
    begin = time.process_time()
    for slot, row in zip(slots.tolist(), moved, strict=True):
        shop.rows[slot] = row
        if isinstance(kept, Cells):
            kept = put(kept, space, slot)
    if isinstance(kept, Sketch):
        draw(kept, shop.rows, slots)
    return 1e6 * (time.process_time() - begin) / CHANGES


def _size_mb(cells: Cells) -> float:
    """Return what cells take of memory, what is set aside and was never used left out."""
    used = int(cells.used[0])
    parts = cells._replace(members=cells.members[:used], rows=cells.rows[:used])
    return sum(part.nbytes for part in parts) / 2**20


def _in_batches(find: _Found, asked: _Floats, size: int) -> NDArray[np.int32]:
    return np.concatenate([find(asked[at : at + size]) for at in range(0, len(asked), size)])


def _timed(job: Callable[[], T]) -> tuple[T, float]:
    begin = time.process_time()
    done = job()
    return done, time.process_time() - begin


def _topics(items: int, dims: int, rng: np.random.Generator) -> tuple[_Floats, NDArray[np.int64]]:
    """Return points around topics, which lie around groups, and the topic of each."""
    count = max(8, items // 200)
    groups = _unit(rng.standard_normal((max(4, count // 50), dims), np.float32))
    topics = groups[rng.integers(0, len(groups), count)]
    topics = _unit(topics + np.float32(0.8) * _unit(rng.standard_normal(topics.shape, np.float32)))
    share = 1 / (np.arange(count) + 10)
    topic = rng.choice(count, items, p=share / share.sum())
    rows = _unit(rng.standard_normal((items, dims), np.float32))
    rows *= np.float32(0.8)
    rows += topics[topic]
    return rows, topic


def _unit(rows: _Floats) -> _Floats:
    scaled: _Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def _ratios(found: Figures) -> dict[str, float]:
    """Return how many times sooner cells answer a list of a batch."""

    def median(figures: dict[str, object]) -> float:
        value: float = figures["batch_us"]["median"]  # type: ignore[index]
        return value

    return {
        what: round(median(ways["exact"]) / median(ways["cells"]), 2)
        for what, ways in found.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
