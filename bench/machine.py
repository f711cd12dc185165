"""What a figure is worth nothing without: the machine, and several figures as one."""

import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil


def machine() -> dict[str, object]:
    """Return what ran the benchmark."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {
            name: version(name) for name in ("faust-streaming", "aiokafka", "rocksdict", "uvloop")
        },
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def spread(figures: Sequence[float], digits: int = 1) -> dict[str, object]:
    """Return median and range of the rounds."""
    return {
        "median": round(statistics.median(figures), digits),
        "range": [round(min(figures), digits), round(max(figures), digits)],
    }


def size_mb(directory: Path) -> float:
    """Return what the files of a directory take, MiB; some may be deleted meanwhile."""
    total = 0
    for path in directory.rglob("*"):
        try:
            if path.is_file():
                total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total / 2**20
