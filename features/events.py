"""What shops tell: clicks, searches, purchases, and the items of the catalogue.

The classes are the wire contract: msgspec checks every constraint below while it decodes. Unknown
fields are skipped and an optional field may be null, so producers can evolve.
"""

from enum import IntEnum
from typing import Annotated, ClassVar, TypeAlias

from msgspec import Meta, Struct

MAX_ID_BYTES = 128
MAX_CANDIDATES = 1000
MAX_LIST = 1000
LAST_TS = 253_402_300_799_999
"""The last ms of the year 9999; whatever names a later time is not a time in ms."""
_SAFE = 2**53
"""Up to here JSON readers of every language agree on an integer."""
_MOST = 1e12
"""Above any price or quantity; with it, infinities are out of range as well."""


class Kind(IntEnum):
    """What a user did. The values are stored in rows and stay as they are."""

    CLICK = 0
    SEARCH = 1
    PURCHASE = 2


# The length counts characters here; that of text beyond ASCII is checked in bytes by `cleaning`.
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_ID_BYTES)]
Millis: TypeAlias = Annotated[int, Meta(ge=0, le=LAST_TS)]
Price: TypeAlias = Annotated[float, Meta(ge=0, le=_MOST)]
Number: TypeAlias = Annotated[float, Meta(ge=-_MOST, le=_MOST)]
Whole: TypeAlias = Annotated[int, Meta(ge=-_SAFE, le=_SAFE)]
Scalar: TypeAlias = str | bool | Whole | Number
Context: TypeAlias = Annotated[dict[str, Scalar | None], Meta(max_length=64)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1024)]
Names: TypeAlias = Name | Annotated[tuple[Name, ...], Meta(min_length=1, max_length=100)]
DomainName: TypeAlias = Annotated[str, Meta(max_length=32)]
Candidates: TypeAlias = Annotated[tuple[Id, ...], Meta(max_length=MAX_CANDIDATES)]


class _Event(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    gc=False,
    tag_field="type",
    tag=str.lower,
):
    kind: ClassVar[Kind]

    event_id: Id  # unique per action of its kind, reused on a retry: what dedupe compares
    user_id: Id  # the key of the Kafka record too, so that a user's events stay in order
    ts: Millis  # event time
    consent: bool | None = None  # false: counts for items, is not stored with the user
    domain: DomainName | None = None  # of the list that answers; left out, the item's


class Click(_Event, frozen=True, kw_only=True):
    """The user opened an item's page."""

    kind: ClassVar[Kind] = Kind.CLICK

    item_id: Id
    session_id: Id | None = None
    search_id: Id | None = None  # event_id of the search whose results were clicked
    position: Annotated[int, Meta(ge=0, le=_SAFE)] | None = None  # place in the list shown
    price: Price | None = None  # as shown
    context: Context | None = None


class Filters(
    Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, forbid_unknown_fields=True
):
    """What a search's list is limited to; an item must pass all that are given.

    Unlike elsewhere an unknown field is refused: a filter that nobody heeds shows wrong items.
    """

    category: Names | None = None  # one level of the item's path is one of these
    brand: Names | None = None
    price_min: Price | None = None  # inclusive; an item without a price is left out
    price_max: Price | None = None  # inclusive, likewise
    exclude: Candidates | None = None  # items not to show


class Search(_Event, frozen=True, kw_only=True):
    """The user asked for something in words, or to have some items put in order."""

    kind: ClassVar[Kind] = Kind.SEARCH

    query: Annotated[str, Meta(max_length=4096)]  # "": rank `candidates`, else what a click would
    session_id: Id | None = None
    candidates: Candidates | None = None  # rank these and no others
    filters: Filters | None = None
    k: Annotated[int, Meta(ge=1, le=MAX_LIST)] | None = None  # items wanted
    context: Context | None = None


class Purchase(_Event, frozen=True, kw_only=True):
    """The user bought an item."""

    kind: ClassVar[Kind] = Kind.PURCHASE

    item_id: Id
    quantity: Annotated[float, Meta(gt=0, le=_MOST)] | None = None
    price: Price | None = None  # of one
    currency: Annotated[str, Meta(max_length=8)] | None = None
    session_id: Id | None = None
    context: Context | None = None


Event: TypeAlias = Click | Search | Purchase
Touching: TypeAlias = Click | Purchase
"""The events that act on an item."""


class Forget(Struct, frozen=True, kw_only=True, tag_field="type", tag="forget"):
    """The user is to be forgotten, with all that happened so far."""

    user_id: Id


class Item(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    gc=False,
    tag_field="type",
    tag="item",
):
    """What the catalogue says of an item; a null value in its place deletes the item."""

    item_id: Id
    title: str | None = None
    description: str | None = None
    category: Annotated[tuple[str, ...], Meta(max_length=64)] | None = (
        None  # path, the widest first
    )
    brand: str | None = None
    price: Price | None = None
    tags: Annotated[tuple[str, ...], Meta(max_length=1000)] | None = None
    attributes: Annotated[dict[str, Scalar | None], Meta(max_length=1000)] | None = None
    image_url: str | None = None
    embedding: Annotated[tuple[Number, ...], Meta(max_length=2048)] | None = None
    in_stock: bool = True
    available_from: Millis | None = None  # inclusive
    available_to: Millis | None = None  # exclusive
    domain: DomainName | None = None  # None: the default one
