"""Pages of the gateway for people: templates, what they load, and what a browser must refuse."""

from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response

from streams.gateway.parts import Parts
from streams.gateway.problems import Problem
from streams.pages.render import render
from streams.settings import Settings

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = _HERE / "templates"
KINDS: Final = {".css": "text/css", ".js": "text/javascript"}
"""Of files that pages load, by the ends of their names."""
_SHARED: Final = _HERE.parent / "pages"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline: what slips through escaping still does not run."""
HEADERS: Final = {
    "Cache-Control": "no-store",  # it is one person's
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # `no-referrer` would hide the origin of forms as well
    "X-Content-Type-Options": "nosniff",
}


class _Asset:
    """A style sheet or script, under an address that changes with it."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.kind = KINDS[path.suffix]
        digest = blake2b(self.content, digest_size=8).hexdigest()
        self.address = f"/assets/{path.name}?v={digest}"


_ASSETS: Final = {
    path.name: _Asset(path)
    for path in (*_SHARED.iterdir(), *(_HERE / "assets").iterdir())
    if path.suffix in KINDS
}


def rooms(settings: Settings) -> dict[str, str]:
    """Return the pages that a gateway has: path and name."""
    there = {
        "/shop": ("Shop", settings.gateway_shop),
        "/dashboard": ("Dashboard", settings.gateway_dashboard),
    }
    return {path: name for path, (name, wanted) in there.items() if wanted}


def page(parts: Parts, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page.

    Args:
        parts: Of the gateway.
        template: Its name; it extends `page.html`.
        status: Of the answer.
        values: What it names.
    """
    content = render(
        _TEMPLATES / template,
        rooms=rooms(parts.settings),
        asset=lambda name: _ASSETS[name].address,
        keyed=not parts.keyring.open,
        **values,
    )
    return Response(content, status, HEADERS, "text/html")


def lasting(content: bytes, kind: str) -> Response:
    """Return a file whose address changes with it, so that a browser may keep it for good."""
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type=kind)


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the route of what pages load, which is nobody's secret."""
    if not rooms(parts.settings):
        return

    @app.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        found = _ASSETS.get(name)
        if found is None:
            raise Problem(404, f"there is no {name!r}: pages name what there is")
        return lasting(found.content, found.kind)
