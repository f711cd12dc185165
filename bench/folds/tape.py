"""Events as they lie on the wire, and the clock they are folded by.

Knows msgspec and the standard library only, so that it runs in any contestant's environment.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from streams import garbage

BATCH = 512
"""Events of a batch: some of what one poll brings a busy worker."""


class Taped(NamedTuple):
    """A record: the kind of its topic, key, value, and time in ms."""

    kind: int
    key: bytes
    value: bytes
    ts: int


E = TypeVar("E")
Decode = Callable[[Sequence[Taped]], Sequence[E]]
Learn = Callable[[Sequence[E], int], None]
"""Takes events and the offset of the first."""


def write(path: Path, tape: Sequence[Taped]) -> None:
    """Write a tape."""
    path.write_bytes(msgspec.msgpack.encode(tape))


def run(decode: Decode[E], learn: Learn[E]) -> None:
    """Fold the tape that the first argument names; print µs of processor time per event.

    Args:
        decode: Values -> events.
        learn: Folds a batch of events into the rows of their users.
    """
    gc.set_threshold(*garbage.THRESHOLD)
    tape = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=list[Taped])
    decoding = learning = 0
    for first in range(0, len(tape), BATCH):
        records = tape[first : first + BATCH]
        begun = time.process_time_ns()
        events = decode(records)
        decoded = time.process_time_ns()
        learn(events, first)
        learning += time.process_time_ns() - decoded
        decoding += decoded - begun
    figures = {"decode_us": decoding, "learn_us": learning, "total_us": decoding + learning}
    print(json.dumps({name: spent / 1000 / len(tape) for name, spent in figures.items()}))
