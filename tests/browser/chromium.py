"""Where Chromium is on this machine; as a program it installs it where there is none.

`python -m tests.browser.chromium` is what `make test` calls. It prints the path.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
VARIABLE = "CHROMIUM"
CURE = (
    "install it (Debian, Ubuntu: apt-get install chromium), or name another build of it: "
    f"{VARIABLE}=/path/to/chromium make test"
)


class NoChromium(RuntimeError):
    """There is none; the message says what to do."""


def find() -> Path | None:
    """Return the Chromium to test with: the named one, the machine's, or playwright's own.

    Raises:
        NoChromium: the named one is not there.
    """
    if given := os.environ.get(VARIABLE):
        if found := shutil.which(given):
            return Path(found)
        raise NoChromium(f"{VARIABLE} = {given!r} is no program: {CURE}")
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    own = _playwrights()
    return own if own.exists() else None


def install() -> None:
    """Install it: as a package where we may, else a build that playwright brings."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq"]
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*apt, "update"], check=False, env=quiet, stdout=sys.stderr)
        done = subprocess.run(
            [*apt, "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
            check=False,
            env=quiet,
            stdout=sys.stderr,
        )
        if done.returncode == 0:
            return
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(command, check=False, stdout=sys.stderr)


def _playwrights() -> Path:
    """Return where playwright keeps a Chromium that it has downloaded."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def main() -> int:
    """Find or install; return the exit code."""
    try:
        if find() is None:
            sys.stderr.write("Installing Chromium for the tests of the pages (once)\n")
            install()
        found = find()
    except NoChromium as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if found is None:
        sys.stderr.write(f"no Chromium, which the tests of the pages need: {CURE}\n")
        return 1
    sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
