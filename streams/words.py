"""Why an item is in a list, in words: for those who look on, and for the shopper."""

from collections.abc import Mapping

OF_THE_CUSTOMER: Mapping[str, str] = {
    "viewed_together": "seen with {}",
    "bought_together": "bought with {}",
    "attention": "attention on {}",
    "bought_before": "bought before",
    "query": "others who searched this",
    "title": "title matches",
    "taste": "close to the customer's taste",
    "popular": "popular now",
    "popular_in_category": "popular in {category}, which the customer likes",
}
"""By the kind of reason (`ranker.reasons.KINDS`).

`{}` stands for the title of the reason's item, `{category}` for its category.
"""
TO_THE_SHOPPER: Mapping[str, str] = {
    "viewed_together": "seen with {}",
    "bought_together": "bought with {}",
    "attention": "because you looked at {}",
    "bought_before": "you bought it before",
    "query": "others who searched this chose it",
    "title": "its title matches",
    "taste": "close to your taste",
    "popular": "popular now",
    "popular_in_category": "popular in {category}, which you like",
}
"""The same, said to the one whom the list is for."""
