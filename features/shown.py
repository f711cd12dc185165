"""The list that a user saw last."""

from msgspec import Struct

from features.events import Event, Kind


class Shown(Struct, array_like=True, frozen=True, gc=False):
    """The list that answered an event.

    Attributes:
        kind: Of the event, a `Kind`.
        event_id: Of the event.
        ts: Event time in ms.
    """

    kind: int
    event_id: str
    ts: int

    @property
    def surface(self) -> str:
        """Where it was shown: "search" for the answer to a search, else "for_you"."""
        return "search" if self.kind == Kind.SEARCH else "for_you"

    @property
    def rec_id(self) -> str:
        """Its id: the same whenever the event is answered again."""
        return f"{Kind(self.kind).name.lower()}-{self.event_id}"


def answer_to(event: Event) -> Shown:
    """Return the list that answers an event."""
    return Shown(event.kind, event.event_id, event.ts)


def newer(shown: Shown | None, event: Event) -> Shown:
    """Return the list that answers the newer of two events; of equal times, the higher kind's.

    Of two events of one kind and time the later to arrive is the newer.
    """
    if shown is None or event.ts > shown.ts:
        return answer_to(event)
    if event.ts == shown.ts and event.kind >= shown.kind:
        return answer_to(event)
    return shown
