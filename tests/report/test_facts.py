"""What is known of items in a few bytes each is what a dictionary of them says."""

from hypothesis import given
from hypothesis import strategies as st

from features.item import NEVER
from streams.report.facts import Facts

DOMAINS = ("shop", "news")
PUTS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.none() | st.tuples(st.integers(NEVER, 50), st.sampled_from((None, "news", "else"))),
    )
)


@given(puts=PUTS, ts=st.integers(0, 60))
def test_facts_are_those_of_a_dictionary(
    puts: list[tuple[str, tuple[int, str | None] | None]], ts: int
) -> None:
    facts = Facts(DOMAINS)
    known: dict[str, tuple[int, str | None]] = {}
    for item_id, told in puts:
        if told is None:
            facts.remove(item_id)
            known.pop(item_id, None)
        else:
            facts.put(item_id, *told)
            known[item_id] = told
    assert len(facts) == len(known)
    for item_id in "abcdefg":
        first, domain = known.get(item_id, (NEVER, None))
        aged = first != NEVER and ts > first
        assert facts.age_ms(item_id, ts) == (ts - first if aged else NEVER)
        assert facts.domain(item_id) == (domain if domain in DOMAINS else "shop")
