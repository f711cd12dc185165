"""A machine that has Python and nothing else, and a package index to set it up from."""

import json
import subprocess
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

# Stands for uv: says how it was called. pip puts the path of the Python that runs it there.
_STAND_IN = """\
#!python
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ)}))
"""


def bare_python(directory: Path) -> Path:
    """Make a Python that has no pip and cannot make one, as Debian's package `python3`."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(directory)
    python = directory / "bin" / "python3"
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    hidden = "import sys; sys.modules.update(ensurepip=None, venv=None)\n"
    (Path(site) / "bare.pth").write_text(hidden)
    return python


def uv_wheel(directory: Path, version: str) -> Path:
    """Write a wheel of the stand-in for uv."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"uv-{version}-py3-none-any.whl"
    info = f"uv-{version}.dist-info"
    files = {
        f"uv-{version}.data/scripts/uv": _STAND_IN,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = 0o100755 << 16  # a program
            wheel.writestr(member, text)
    return path


@contextmanager
def index(directory: Path, version: str) -> Iterator[str]:
    """Serve the stand-in for uv as a package index does; yields its address."""
    wheel = uv_wheel(directory / "uv", version)
    (directory / "uv" / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Setup:
    """Runs deploy/uv.py on the bare machine.

    Args:
        python: The only program there.
        script: deploy/uv.py, or a copy of it.
        home: Where uv is kept, and the user's home.
    """

    def __init__(self, python: Path, script: Path, home: Path) -> None:
        self._python = python
        self._script = script
        self.home = home

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it with no more environment than is given."""
        bare = {"PATH": str(self._python.parent), "HOME": str(self.home), "PIP_RETRIES": "0"}
        return subprocess.run(
            [self._python, self._script, self.home / "uv", *arguments],
            env=bare | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def told(self, *arguments: str, **environment: str) -> Any:
        """Run it; return what the stand-in was called with."""
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
