"""For app teams: send events, receive recommendations. `docs/events.md` shows the wire."""

from features.events import Click, Event, Filters, Forget, Item, Purchase, Search
from streams.codec import BadEvent
from streams.consumer import RecommendationConsumer
from streams.delivery import DeliveryError
from streams.lists import Recommendation
from streams.producer import EventProducer
from streams.settings import BadSetting, Settings

__all__ = [
    "BadEvent",
    "BadSetting",
    "Click",
    "DeliveryError",
    "Event",
    "EventProducer",
    "Filters",
    "Forget",
    "Item",
    "Purchase",
    "Recommendation",
    "RecommendationConsumer",
    "Search",
    "Settings",
]
