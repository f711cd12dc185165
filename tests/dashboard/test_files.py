"""The page's files: uPlot as published, and scripts that need nothing from elsewhere."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support import ROOT

PAGE = ROOT / "streams" / "dashboard" / "page"
OURS = sorted(path for path in PAGE.iterdir() if not path.name.startswith("uPlot"))
AS_PUBLISHED = {  # in the npm package uplot 1.6.32
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize("name", AS_PUBLISHED)
def test_uplot_is_as_published(name: str) -> None:
    assert sha256((PAGE / name).read_bytes()).hexdigest() == AS_PUBLISHED[name]
    assert "MIT" in (PAGE / "uPlot.LICENSE").read_text()


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_files_are_short_and_need_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    assert not re.search(r"https?:|//\w+\.\w", text)
    assert not re.search(r"(innerHTML|outerHTML)\s*\+?=(?!=)|insertAdjacentHTML|eval\(", text)
    for name in re.findall(r'from "\./([^"]+)"', text):
        assert (PAGE / name).exists(), name
