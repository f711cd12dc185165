"""The files that the page loads: its own, and uPlot's as published."""

from hashlib import blake2b
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Response

from streams.gateway.pages import KINDS, lasting
from streams.gateway.problems import Problem

_PAGE: Final = Path(__file__).with_name("page")


def attach(app: FastAPI) -> str:
    """Add the route of the files, which are nobody's secret; return the folder that holds them.

    Scripts name each other within that folder, and its name changes with any of them.
    """
    paths = sorted(path for path in _PAGE.iterdir() if path.suffix in KINDS)
    files = {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in paths}
    digest = blake2b(b"".join(content for content, _ in files.values()), digest_size=8).hexdigest()
    folder = f"/dashboard/files/{digest}"

    @app.get(f"{folder}/{{name}}", include_in_schema=False)
    async def file(name: str) -> Response:
        if name not in files:
            raise Problem(404, f"there is no {name!r}: the page names what there is")
        return lasting(*files[name])

    return folder
