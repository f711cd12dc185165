#!/usr/bin/env python3
"""Run uv, with the package index that pip is set up with on this machine.

    uv.py DIRECTORY ARGUMENT...

The first time, uv is installed under DIRECTORY by the pip that lies beside this file: Debian's
package `python3` brings no pip, and no certificates for a download either; pip has its own.
docs/decisions/0005-pip-in-the-repository.md says why it is done so.
"""

import ast
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

UV = "uv==0.13.9"
PIP = Path(__file__).with_name("pip-26.3-py3-none-any.whl")
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"

SECTIONS = ("global", "install", ":env:")
"""Of pip's settings; the later prevails, as in pip."""

# pip's option: uv's variable, what stands between its values, and other variables that say it.
OPTIONS = {
    "index-url": ("UV_DEFAULT_INDEX", " ", ("UV_INDEX_URL",)),
    "extra-index-url": ("UV_INDEX", " ", ("UV_EXTRA_INDEX_URL",)),
    "find-links": ("UV_FIND_LINKS", ",", ()),
    "trusted-host": ("UV_INSECURE_HOST", " ", ()),
    "cert": ("SSL_CERT_FILE", " ", ()),
}


class CannotSetUp(RuntimeError):
    """uv cannot be had; the message has the cure."""


def main(directory: Path, arguments: list[str]) -> None:
    """Become uv, which is installed first where the directory lacks it.

    Raises:
        CannotSetUp: the shipped pip is damaged, or finds no uv.
    """
    check()
    place = directory / UV.replace("==", "-")
    if not place.exists():
        install(place)
    program = place / "bin" / "uv"
    variables = {**cache(directory), **as_uv(settings()), **os.environ}
    os.execve(program, [str(program), *arguments], variables)  # noqa: S606


def check() -> None:
    """Refuse a pip that is not the one that was shipped.

    Raises:
        CannotSetUp: it is missing or changed.
    """
    found = hashlib.sha256(PIP.read_bytes()).hexdigest() if PIP.exists() else "no file"
    if found != PIP_SHA256:
        raise CannotSetUp(
            f"{PIP} must have the sha256 {PIP_SHA256}, but has: {found}.\n"
            f"Cure: git checkout -- {PIP}   (or unpack Headrace again)"
        )


def install(place: Path) -> None:
    """Install uv all at once or not at all.

    Raises:
        CannotSetUp: pip finds no uv.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        target = Path(scratch) / place.name
        # Habits that a user may have told pip must not keep it from filling a folder.
        options = ["--no-user", "--only-binary=:all:", f"--target={target}"]
        done = pip("install", *options, UV)
        if done.returncode != 0:
            raise CannotSetUp(
                f"{done.stdout}{done.stderr}"
                f"Headrace is set up by {UV}, which pip could not install from the package index "
                "(its own words are above).\n"
                "Cure: let this machine reach the index; or name a mirror to pip (PIP_INDEX_URL, "
                "or index-url in pip.conf), a proxy (HTTPS_PROXY), your network's certificates "
                "(PIP_CERT)."
            )
        target.rename(place)


def cache(directory: Path) -> "dict[str, str]":
    """Give uv a cache beside itself where the user has no home that can be written."""
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
        home.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return {"UV_CACHE_DIR": str(directory.resolve() / "cache")}
    return {}


def pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the shipped pip, which a wheel can do as it is."""
    return subprocess.run(  # noqa: S603  our own argv, no shell
        [sys.executable, PIP / "pip", "--disable-pip-version-check", *arguments],
        env={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def settings() -> "dict[str, str]":
    """Return what pip is told by its files and variables: values by option.

    Raises:
        CannotSetUp: pip cannot read its files.
    """
    done = pip("config", "list")
    if done.returncode != 0:
        raise CannotSetUp(f"{done.stdout}{done.stderr}Cure: mend pip's configuration file.")
    told = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        told[section, option] = ast.literal_eval(value)
    return {
        option: told[section, option]
        for section in SECTIONS
        for option in OPTIONS
        if told.get((section, option))
    }


def as_uv(told: "dict[str, str]") -> "dict[str, str]":
    """Return pip's settings as the variables that uv reads, but for what uv is told itself."""
    variables = {}
    for option, value in told.items():
        name, between, others = OPTIONS[option]
        values = value.split()
        if option == "find-links":  # pip passes over a folder that is not there, uv ends
            values = [each for each in values if "://" in each or Path(each).exists()]
        if values and not any(other in os.environ for other in others):
            variables[name] = between.join(values)
    if "UV_INDEX" in variables:  # pip takes the best of all its indexes, uv that of the first
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return variables


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except CannotSetUp as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
