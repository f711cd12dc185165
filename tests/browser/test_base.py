"""What the other tests of pages rely on: the watch and the look find what is wrong."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import chromium
from tests.browser.beside import beside
from tests.browser.look import PICTURES, WIDTHS, check_accessible, check_fits, keys_lead_to, look
from tests.browser.watch import Watch

GOOD = """<!doctype html><html lang="en"><title>t</title><meta name="viewport"
content="width=device-width"><main><h1>Good</h1><button id="a">a</button> <a href="#a" id="b">b</a>
</main>"""


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("console.error('no good')", "console error: no good"),
        ("console.warn('hm')", "console warning: hm"),
        ("setTimeout(() => { throw Error('oh') })", "page error: .*oh"),
        ("new Image().src = 'https://example.com/a.png'", "asks another host: https://example.com"),
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "failed: http://127.0.0.1:9/: net::ERR_"),
    ],
)
def test_what_goes_wrong_on_a_page_is_seen(page: Page, watch: Watch, code: str, fault: str) -> None:
    page.set_content(GOOD)
    assert watch.faults() == []
    page.evaluate(f"() => {{ {code} }}")
    page.wait_for_function("new Promise(done => setTimeout(() => done(true), 50))")
    found = watch.faults()
    assert any(re.search(fault, one) for one in found)
    watch.allow("something else")
    assert watch.faults() == [*found, "not seen, though allowed: something else"]
    watch._allowed.clear()
    for one in found:
        watch.allow(re.escape(one))
    assert watch.faults() == []


def test_what_shuts_people_out_is_seen(page: Page) -> None:
    look_at(page, GOOD)
    with pytest.raises(AssertionError, match="image-alt"):
        look_at(page, GOOD + "<img src='data:,'>")
    grey = "<style>@media (prefers-color-scheme: dark) { h1 { color: #eee } }</style>"
    look_at(page, GOOD + grey)
    page.emulate_media(color_scheme="dark")
    with pytest.raises(AssertionError, match="color-contrast"):
        check_accessible(page, "grey on white")
    with pytest.raises(AssertionError, match="2008 pixels wide"):
        look_at(page, GOOD.replace("<h1>", "<h1 style='width: 2000px'>"))


def look_at(page: Page, content: str) -> None:
    page.set_content(content)
    check_accessible(page, "here")
    check_fits(page, "here")


def test_pictures_are_kept_in_each_scheme_and_width(page: Page) -> None:
    before = page.viewport_size
    page.set_content(GOOD)
    look(page, "base")
    taken = [PICTURES / f"base-{width}-{one}.png" for width in WIDTHS for one in ("light", "dark")]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in taken)
    assert page.viewport_size == before
    for path in taken:
        path.unlink()  # they show nothing of ours


def test_keys_lead_only_where_one_sees_them(page: Page) -> None:
    page.set_content(GOOD)
    assert keys_lead_to(page, "#b") == 2
    page.set_content(GOOD + "<style>:focus { outline: none }</style>")
    with pytest.raises(AssertionError, match="does not show it"):
        keys_lead_to(page, "#b")
    page.set_content(GOOD)
    with pytest.raises(AssertionError, match="do not lead"):
        keys_lead_to(page, "#nowhere", most=5)


@pytest.mark.parametrize("visit", [1, 2])
def test_no_test_sees_what_another_left(page: Page, visit: int) -> None:
    page.context.add_cookies([{"name": "seen", "value": "x", "url": f"http://127.0.0.1:{visit}"}])
    assert len(page.context.cookies()) == 1


def test_loops_run_beside(page: Page) -> None:
    page.set_content(GOOD)
    assert beside(asyncio.run, asyncio.sleep(0, "done")) == "done"


def test_a_chromium_that_is_not_there_is_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(chromium.VARIABLE, str(tmp_path / "none"))
    assert chromium.main() == 1
    assert "CHROMIUM=/path/to/chromium make test" in capsys.readouterr().err


@pytest.mark.parametrize("by", ["apt-get", "playwright", "nobody"])
def test_a_chromium_that_is_missing_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], by: str
) -> None:
    def program(name: str, *, able: bool, asked: str) -> Path:
        """Write one that brings Chromium, where it is able to and asked so."""
        made, path = tmp_path / "chromium", tmp_path / name
        brings = f"echo '#!/bin/sh' > {made} && /bin/chmod +x {made}" if able else "exit 1"
        path.write_text(f'#!/bin/sh\ncase "$*" in {asked}) {brings};; esac\n')
        path.chmod(0o755)
        return path

    program("apt-get", able=by == "apt-get", asked="*install*chromium*")
    python = program("python", able=by == "playwright", asked='"-m playwright install chromium"')
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setattr(chromium, "_playwrights", lambda: tmp_path / "none")
    assert chromium.main() == (1 if by == "nobody" else 0)
    told = capfd.readouterr()
    if by == "nobody":
        assert "CHROMIUM=/path/to/chromium make test" in told.err
    else:
        assert told.out.strip() == str(tmp_path / "chromium")
