"""What a contestant is told. Standard library only: it runs in any contestant's environment."""

import gc
import json
import sys
from dataclasses import asdict, dataclass

from streams import garbage


@dataclass(frozen=True, slots=True)
class Job:
    """Topics, group and directory of one run."""

    broker: str  # host:port
    group: str
    source: str
    changelog: str  # Quix Streams names its own
    output: str | None  # None: the table alone
    data_dir: str
    commit_s: float = 1.0
    prompt: bool = False  # rather early than many at once

    def encode(self) -> str:
        """Return it as a command-line argument."""
        return json.dumps(asdict(self))


def told() -> Job:
    """Return the job in this process's first argument; calms garbage collection for everyone.

    Batches make many objects at once and free them by their counts.
    """
    gc.set_threshold(*garbage.THRESHOLD)
    return Job(**json.loads(sys.argv[1]))
