"""A page as people meet it: pictures in light and dark, wide and narrow, and what axe finds."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support import ROOT

PICTURES = ROOT / ".headrace" / "screenshots"
"""Where CI finds them after a run, whatever came out of it."""
PICTURES.mkdir(parents=True, exist_ok=True)
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_axe = Axe()


def look(page: Page, name: str) -> None:
    """Take a picture in each scheme and width; check that it fits, and that nobody is shut out.

    Args:
        page: As it is to be seen; it is left in its own scheme and width.
        name: Of the pictures.
    """
    before = page.viewport_size
    for width, (x, y) in WIDTHS.items():
        page.set_viewport_size({"width": x, "height": y})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            if width == "desktop":  # which has all that the phone has
                check_accessible(page, f"{name}, {width}, {scheme}")
        check_fits(page, f"{name}, {width}")
    page.emulate_media(color_scheme="null", reduced_motion="null")
    if before is not None:
        page.set_viewport_size(before)


def check_accessible(page: Page, where: str) -> None:
    """Check that axe has nothing to say of the page as it is now."""
    found = _axe.run(page)
    assert found.violations_count == 0, f"{where}: {found.generate_report()}"


def check_fits(page: Page, where: str) -> None:
    """Check that the page does not scroll sideways."""
    code = "[document.documentElement.scrollWidth, innerWidth]"
    needed, there = page.evaluate(code)
    assert needed <= there, f"{where}: {needed} pixels wide on a screen of {there}"


def keys_lead_to(page: Page, selector: str, most: int = 60) -> int:
    """Press Tab until the element has the focus; return how often.

    Raises:
        AssertionError: it never had, or the focus cannot be seen where it is.
    """
    for presses in range(1, most + 1):
        page.keyboard.press("Tab")
        state: Any = page.evaluate(
            """selector => {
                const at = document.activeElement;
                const seen = getComputedStyle(at).outlineStyle !== "none";
                return [at.matches(selector), seen || at === document.body];
            }""",
            selector,
        )
        reached, seen = state
        assert seen, f"after {presses} Tabs the focus is on something that does not show it"
        if reached:
            return presses
    raise AssertionError(f"{most} Tabs do not lead to {selector}")
