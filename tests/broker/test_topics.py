"""`headrace topics`: creation is idempotent, and a wrong layout is refused with its cure."""

from streams import admin
from tests.conftest import Names


def test_creates_every_topic_once(names: Names) -> None:
    settings = names.settings()
    assert admin.create(settings) == [spec.name for spec in settings.topic_specs]
    assert admin.create(settings) == []
    admin.check(settings)
