"""What a user's row costs: processor time per event beside River and dict state, and bytes a row.

    python -m bench.features [--events N] [--replay N] [--rounds N] [--json]

Real events of the two shipped shops, as JSON and as MessagePack, are decoded, cleaned and folded
into rows on one core. Contestants take turns, round after round, each as a process of its own that
measures its own processor time (see `bench/folds`). Then Online Retail is learnt whole, users and
items, and its rows are measured. Prints one JSON object with --json, else tables.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from bench.contestant import QUIX_PYTHON, ROOT
from bench.folds import tape
from bench.folds.tape import Taped
from bench.machine import machine, spread
from bench.tables import table
from features.item import encode_item
from features.profile import encode_profile
from streams.codec import Wire, encode_event
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL
from streams.models import new_model
from streams.replay import Replay

RIVER_PYTHON = ROOT / ".headrace" / "river" / "bin" / "python"
PYTHONS = {
    "ours": Path(sys.executable),
    "stored": Path(sys.executable),
    "plain": QUIX_PYTHON,
    "river": RIVER_PYTHON,
}
SHOPS = {"purchases": ONLINE_RETAIL, "clicks": ESHOP_CLOTHING}
WIRES: tuple[Wire, ...] = ("json", "msgpack")
MOST_US = 12.0
"""What decoding, cleaning and learning an event may take, µs on one core."""
MOST_BYTES = 2048
"""What the rows of 99 of 100 users may take."""


def main() -> None:
    """Run and print."""
    given = _arguments()
    folds = measure(given.events, given.rounds)
    figures = {
        "what": "features",
        "events": given.events,
        "rounds": given.rounds,
        "wanted": {"total_us": MOST_US, "user_row_p99_bytes": MOST_BYTES},
        "folds": folds,
        "rows": rows(given.replay),
        "ratios": _ratios(folds),
        "machine": machine(),
    }
    if given.json:
        print(json.dumps(figures))
        return
    for name, found in folds.items():
        print(f"{name}\n{table(found)}\n")
    print(json.dumps({name: figures[name] for name in ("rows", "ratios", "machine")}, indent=2))


def measure(events: int, rounds: int) -> dict[str, dict[str, dict[str, object]]]:
    """Return, per shop and wire, µs of processor time per event of each contestant."""
    found: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    with tempfile.TemporaryDirectory(prefix="headrace-bench-features-") as scratch:
        tapes = _tapes(Path(scratch), events)
        for round_ in range(rounds):
            for what, path in tapes.items():
                for name in PYTHONS:
                    figures = _fold(name, path)
                    print(f"round {round_ + 1}, {what}, {name}: {figures}", file=sys.stderr)
                    for figure, value in figures.items():
                        found[what][name][figure].append(value)
    return {
        what: {
            name: {figure: spread(values, 2) for figure, values in figures.items()}
            for name, figures in contestants.items()
        }
        for what, contestants in found.items()
    }


def rows(events: int) -> dict[str, object]:
    """Learn the first events of Online Retail through the worker's steps; measure the rows."""
    replay = Replay(new_model(), k=1)
    replay.catalogue(ONLINE_RETAIL.items())
    for _ in replay.learn(islice(ONLINE_RETAIL.events(), events), lambda *_: False):
        pass
    users = [len(encode_profile(row)) for row in replay.users.values()]
    return {
        "events": min(events, ONLINE_RETAIL.events_total),
        "users_bytes": _sizes(users),
        "items_bytes": _sizes([len(encode_item(row)) for row in replay.items.values()]),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=100_000, help="of each shop, to be folded")
    parser.add_argument(
        "--replay", type=int, default=ONLINE_RETAIL.events_total, help="events behind the rows"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _tapes(folder: Path, events: int) -> dict[str, Path]:
    paths = {}
    for what, shop in SHOPS.items():
        taken = list(islice(shop.events(), events))
        for wire in WIRES:
            path = folder / f"{what}.{wire}"
            tape.write(
                path,
                [
                    Taped(event.kind, event.user_id.encode(), encode_event(event, wire), event.ts)
                    for event in taken
                ],
            )
            paths[f"{what}, {wire}"] = path
    return paths


def _fold(name: str, path: Path) -> dict[str, float]:
    python = PYTHONS[name]
    if not python.exists():
        raise FileNotFoundError(f"{python} is missing: run `make venv`")
    done = subprocess.run(
        [python, "-m", f"bench.folds.{name}", path],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _sizes(sizes: Sequence[int]) -> dict[str, int]:
    p50, p99 = np.percentile(sizes, [50, 99], method="higher").tolist()
    return {"rows": len(sizes), "p50": p50, "p99": p99, "max": max(sizes)}


def _ratios(folds: dict[str, dict[str, dict[str, object]]]) -> dict[str, float]:
    """Return how many times less processor time ours takes, rows in memory and rows stored."""
    pairs = {"river_vs_ours": ("river", "ours"), "plain_vs_stored": ("plain", "stored")}
    return {
        f"{what}, {pair}": round(_total(found[other]) / _total(found[own]), 2)
        for what, found in folds.items()
        for pair, (other, own) in pairs.items()
    }


def _total(figures: dict[str, object]) -> float:
    median: float = figures["total_us"]["median"]  # type: ignore[index]
    return median


if __name__ == "__main__":
    main()
