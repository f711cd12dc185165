"""Decoded fields -> clean ones: trimmed, normalised, bounded; what cannot be mended is named.

Ids are opaque. They are checked and never changed, since they are also the keys of records: two
spellings of one user would live on two partitions.
"""

from collections.abc import Mapping

from iso4217 import Currency
from msgspec.structs import replace

from features.events import MAX_ID_BYTES, Click, Event, Filters, Item, Purchase, Scalar, Search
from features.text import tidy

MAX_QUERY = 256  # characters, as every text limit here
MAX_TITLE = 512
MAX_DESCRIPTION = 2000
MAX_NAME = 128  # of a category level, a brand, a tag, an attribute's name
MAX_VALUE = 256  # of an attribute
MAX_URL = 2048
MAX_DOMAIN = 32
MAX_LEVELS, MAX_TAGS, MAX_ATTRIBUTES = 8, 32, 64
MAX_QUANTITY = 100_000.0  # of a purchase; an order of more is counted as one of these
STEP = " > "
"""Stands between the names of a category that is written in one text."""
_CURRENCIES = frozenset(currency.value for currency in Currency)
_CURRENCY_LETTERS = 3
_URL_STARTS = ("https://", "http://", "/")


class BadField(ValueError):
    """A field whose value cannot be used.

    Attributes:
        field: Its name.
        reason: A short code: "empty_id", "id_too_long" or "bad_value".
    """

    def __init__(self, field: str, value: object, rule: str, reason: str = "bad_value") -> None:
        shown = repr(value)
        shown = shown if len(shown) <= MAX_NAME else shown[:MAX_NAME] + "…"
        super().__init__(f"`{field}` is {shown}, but {rule}")
        self.field = field
        self.reason = reason


def clean_event(event: Event) -> Event:
    """Return the event tidied and bounded; the same object when there was nothing to do.

    Raises:
        BadField: an id is blank or longer than `MAX_ID_BYTES` in UTF-8, or no price passes the
            filters.
    """
    check_id("event_id", event.event_id)
    check_id("user_id", event.user_id)
    if event.domain is not None and (domain := _domain(event.domain)) != event.domain:
        event = replace(event, domain=domain)
    if event.session_id is not None:
        check_id("session_id", event.session_id)
    if not isinstance(event, Search):
        check_id("item_id", event.item_id)
        if isinstance(event, Click) and event.search_id is not None:
            check_id("search_id", event.search_id)
        return _clean_purchase(event) if isinstance(event, Purchase) else event
    for item_id in event.candidates or ():
        check_id("candidates", item_id)
    if event.filters is not None:
        _check_filters(event.filters)
    query = tidy(event.query, MAX_QUERY)
    return event if query == event.query else replace(event, query=query)


def clean_item(item: Item) -> Item:
    """Return the item with texts tidied and cut, empty parts dropped and lists bounded.

    Raises:
        BadField: the id is blank or too long, the image's address is of no kind a page can show,
            or the item ceases to be available before it starts to be.
    """
    check_id("item_id", item.item_id)
    start, end = item.available_from, item.available_to
    if start is not None and end is not None and end < start:
        raise BadField("available_to", end, f"it must not come before `available_from`, {start}")
    return replace(
        item,
        title=_text(item.title, MAX_TITLE),
        description=_text(item.description, MAX_DESCRIPTION),
        category=_path(item.category),
        brand=_text(item.brand, MAX_NAME),
        tags=_names(item.tags, MAX_TAGS),
        attributes=_attributes(item.attributes),
        image_url=_url(item.image_url),
        embedding=item.embedding or None,
        domain=_domain(item.domain),
    )


def mended(before: Event | Item, after: Event | Item) -> list[str]:
    """Return the fields that cleaning changed or left out; what was empty is not among them."""
    pairs = (
        (name, getattr(before, name), getattr(after, name)) for name in before.__struct_fields__
    )
    return [name for name, was, now in pairs if was != now and (was or now is not None)]


def check_id(field: str, value: str) -> None:
    """Raise `BadField` unless value is 1 to `MAX_ID_BYTES` bytes of UTF-8, not all blank."""
    if not value or value.isspace():
        raise BadField(field, value, "an id must not be blank", "empty_id")
    # A character takes four bytes at most, so a short id need not be encoded to be measured.
    if len(value) * 4 > MAX_ID_BYTES and len(value.encode()) > MAX_ID_BYTES:
        rule = f"an id has {MAX_ID_BYTES} bytes of UTF-8 at most"
        raise BadField(field, value, rule, "id_too_long")


def _check_filters(filters: Filters) -> None:
    for item_id in filters.exclude or ():
        check_id("filters.exclude", item_id)
    least, most = filters.price_min, filters.price_max
    if least is not None and most is not None and most < least:
        rule = f"it must not be below `filters.price_min`, {least}"
        raise BadField("filters.price_max", most, rule)


def _clean_purchase(event: Purchase) -> Purchase:
    quantity, currency = event.quantity, event.currency
    if quantity is not None:
        quantity = min(quantity, MAX_QUANTITY)
    if currency is not None:
        currency = _currency(currency)
    if quantity == event.quantity and currency == event.currency:
        return event
    return replace(event, quantity=quantity, currency=currency)


def _currency(text: str) -> str | None:
    """Return a code of ISO 4217's list, in upper case; None for anything else."""
    code = tidy(text, _CURRENCY_LETTERS + 1)
    # In upper case "ßd" would be South Sudan's.
    return code.upper() if code.isascii() and code.upper() in _CURRENCIES else None


def _path(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return a category's names; one alone that holds `STEP` is a whole path."""
    tidied = _names(names, MAX_LEVELS)
    if names is None or tidied is None or len(tidied) > 1:
        return tidied
    whole = next(filter(None, (tidy(name, MAX_LEVELS * MAX_NAME) for name in names)))
    return _names(tuple(whole.split(STEP)), MAX_LEVELS)


def _text(text: str | None, limit: int) -> str | None:
    return None if text is None else tidy(text, limit) or None


def _names(names: tuple[str, ...] | None, most: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    tidied = dict.fromkeys(tidy(name, MAX_NAME) for name in names)
    tidied.pop("", None)
    return tuple(tidied)[:most] or None


def _attributes(attributes: Mapping[str, Scalar | None] | None) -> dict[str, Scalar | None] | None:
    if attributes is None:
        return None
    kept: dict[str, Scalar | None] = {}
    for given_name, given in attributes.items():
        name = tidy(given_name, MAX_NAME)
        value = tidy(given, MAX_VALUE) if isinstance(given, str) else given
        if name and value is not None and value != "" and len(kept) < MAX_ATTRIBUTES:
            kept.setdefault(name, value)
    return kept or None


def _domain(name: str | None) -> str | None:
    return None if name is None else tidy(name, MAX_DOMAIN).casefold() or None


def _url(url: str | None) -> str | None:
    if url is None or not (url := url.strip()):
        return None
    if len(url) > MAX_URL or not url.lower().startswith(_URL_STARTS):
        rule = f"it must start with one of {', '.join(_URL_STARTS)} within {MAX_URL} characters"
        raise BadField("image_url", url, rule)
    return url
