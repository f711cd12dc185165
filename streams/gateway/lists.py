"""`GET /v1/users/{id}/recommendations`: the newest list, fit for the page that asks."""

import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Path, Request, Response

from features.events import MAX_ID_BYTES, Filters
from ranker.limits import Limits
from streams.clock import now_ms
from streams.filters import limits_of
from streams.gateway.access import needs
from streams.gateway.document import answers
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem
from streams.gateway.wanted import PARAMETERS, Wanted, wanted
from streams.lists import Reason, Recommendation, RecommendedItem

NOT_MODIFIED = 304
UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It is the one that `If-None-Match` names."}
}
_POPULAR = (Reason(kind="popular", weight=1.0),)


class Shown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list to show.

    Attributes:
        user_id: Whom it is for.
        surface: "for_you", or "search" for what was asked for.
        source: "worker" for a list that a worker ranked, "popular" for one in order of popularity.
        items: The best first.
        filled: So many of them, the last ones, were added by popularity.
        domain: That all items are of.
        rec_id: Of the worker's list.
        search_id: What clicks on the items name, so that the answer is learnt from.
        generated_at: When the worker made it, ms.
        event_ts: Time of the event that it answers, ms.
        model_version: What ranked.
    """

    user_id: str
    surface: Literal["for_you", "search"]
    source: Literal["worker", "popular"]
    items: tuple[RecommendedItem, ...]
    filled: int = 0
    domain: str | None = None
    rec_id: str | None = None
    search_id: str | None = None
    generated_at: int | None = None
    event_ts: int | None = None
    model_version: str | None = None


def by_popularity(item_ids: Iterable[str], first_rank: int = 1) -> tuple[RecommendedItem, ...]:
    """Return items as places of a list, in the order given."""
    return tuple(
        RecommendedItem(item_id=item_id, score=0.0, rank=rank, reasons=_POPULAR)
        for rank, item_id in enumerate(item_ids, first_rank)
    )


def ranked(items: Sequence[RecommendedItem]) -> tuple[RecommendedItem, ...]:
    """Return places of a list, numbered anew where some between them were left out."""
    return tuple(
        item if item.rank == rank else msgspec.structs.replace(item, rank=rank)
        for rank, item in enumerate(items, 1)
    )


def known_domain(domain: str | None, parts: Parts) -> str:
    """Return a domain's name, that of the first for None.

    Raises:
        Problem: there is no such domain.
    """
    names = parts.settings.domains
    if domain is not None and domain not in names:
        raise Problem(422, f"`domain` is {domain!r}, but here there is only {', '.join(names)}")
    return domain or next(iter(names))


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the route."""

    @app.get(
        "/v1/users/{user_id:path}/recommendations",
        dependencies=[needs("read")],
        openapi_extra=PARAMETERS,
        responses=answers(200, "Shown", "The list.") | UNCHANGED,
        summary="Recommendations for a user",
        tags=["lists"],
    )
    async def recommendations(
        *,
        request: Request,
        user_id: Annotated[str, Path(min_length=1, max_length=MAX_ID_BYTES)],
    ) -> Response:
        """Return the newest list that the workers made for a user.

        A list that is shorter than wanted is filled up by what is popular; a stranger gets what is
        popular alone. A page that has just sent an event, and has the list of before, may wait for
        the next one.
        """
        parts.check_read()
        asks = wanted(request)
        shown, generated_at = _newest(user_id, asks, parts)
        answer = tagged(request, shown, generated_at)
        until_s = time.monotonic() + asks.wait_ms / 1000
        while answer.status_code == NOT_MODIFIED and (
            await parts.waiting.next_list(user_id, until_s - time.monotonic())
        ):
            shown, generated_at = _newest(user_id, asks, parts)
            answer = tagged(request, shown, generated_at)
        parts.meter.answers.labels("for_you", shown.source).inc()
        return answer


def _newest(user_id: str, asks: Wanted, parts: Parts) -> tuple[Shown, int | None]:
    """Return what is to be shown now, and when a worker made it, if one did.

    Raises:
        Problem: there is no such domain.
    """
    popular, category = parts.popular, asks.category
    domain, k = known_domain(asks.domain, parts), asks.k or parts.settings.k
    limits = limits_of(Filters(category=tuple(category))) if category else Limits()
    order = popular.order(domain, limits)
    made = parts.lists.newest(user_id, domain)
    hidden = frozenset(asks.exclude)
    there = made.items if made else ()
    passing = popular.passes(order, [item.item_id for item in there], in_stock=asks.in_stock)
    kept = [
        item
        for item, passes in zip(there, passing, strict=True)
        if passes and item.item_id not in hidden
    ]
    items, filled = ranked(kept[:k]), 0
    if len(items) < k:
        hidden |= {item.item_id for item in items}
        more = [one for one in order.item_ids if one not in hidden][: k - len(items)]
        items, filled = (*items, *by_popularity(more, len(items) + 1)), len(more)
    source: Literal["worker", "popular"] = "popular" if filled == len(items) else "worker"
    shown = Shown(
        user_id=user_id,
        surface="for_you",
        source=source,
        items=items,
        filled=filled,
        domain=domain,
    )
    if made is not None and source == "worker":
        shown = told(shown, made)
    return shown, None if made is None else made.generated_at


def told(shown: Shown, made: Recommendation) -> Shown:
    """Return a list with what the worker's list says of itself."""
    return msgspec.structs.replace(
        shown,
        rec_id=made.rec_id,
        generated_at=made.generated_at,
        event_ts=made.event_ts,
        model_version=made.model_version,
    )


def tagged(request: Request, shown: Shown, generated_at: int | None) -> Response:
    """Return the answer with its tag; nothing but that to who has it already."""
    content = msgspec.json.encode(shown)
    tag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if generated_at is not None:
        headers["Age"] = str(max(0, now_ms() - generated_at) // 1000)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers, media_type="application/json")
