"""Start server processes and never leave them behind. Run as a script, by its file name.

The starter talks to it over pipes: one JSON line in says what to start, one JSON line out gives
the process ids. Then it waits on its standard input. `release` lets the servers live on; the end
of the input, which the system brings about however the starter dies, kills them.

Only the standard library is used: a second copy of the whole program would cost memory.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

RELEASE = "release"


def main(commands: IO[str], answers: IO[str]) -> int:
    """Start what the first line says, then wait for the starter's word or its death."""
    servers: list[subprocess.Popen[bytes]] = []
    # Collect a server as soon as it ends, so that no zombie looks like one that still runs.
    signal.signal(signal.SIGCHLD, lambda *_: [server.poll() for server in servers])
    # Whoever ends the guard itself ends the servers too: the `finally` below must run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        servers.extend(
            _start(order["argv"], Path(order["output"]), Path(order["pid_file"]))
            for order in json.loads(commands.readline())
        )
        answers.write(json.dumps([server.pid for server in servers]) + "\n")
        answers.flush()
        if commands.readline().strip() == RELEASE:
            servers.clear()
    finally:
        for server in servers:
            server.kill()
        for server in servers:
            server.wait()
    return 0


def _start(argv: list[str], output: Path, pid_file: Path) -> subprocess.Popen[bytes]:
    with output.open("ab") as log:
        server = subprocess.Popen(  # noqa: S603  the argv of streams.broker, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C at the terminal is the starter's to handle
        )
    pid_file.write_text(f"{server.pid}\n", encoding="utf-8")
    return server


if __name__ == "__main__":
    sys.exit(main(sys.stdin, sys.stdout))
