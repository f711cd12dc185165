"""Public logs become folders that `headrace evaluate` reads."""

import json
from pathlib import Path

import pytest

from bench.logs import KINDS, Log, write
from streams.data import read_folder

GLOBO = (
    "user_id,session_id,click_article_id,click_timestamp,click_os\n"
    "7,70,900,1506826828020,1\n8,80,901,1506826829000,1\n7,70,901,1508198400000,1\n"
)
FILMS = "1::Heat (1995)::Crime|Drama\n2::Alien::Horror\n3::Nobody saw it (2001)::\n"
SOURCES = {
    "globo": {"clicks_hour_000.csv": GLOBO},
    "movietweetings": {
        "ratings.dat": "5::1::9::1362062624\n5::2::6::1362062625\n6::2::7::1362062620\n",
        "movies.dat": FILMS,
    },
    "movielens": {
        "ratings.csv": "userId,movieId,rating,timestamp\n5,1,4.5,30\n5,2,3.5,31\n6,2,4.0,20\n",
        "movies.csv": 'movieId,title,genres\n1,"Heat, The (1995)",Crime\n2,Alien,(none)\n',
    },
}
EXPECTED = {
    "globo": ["u7 a900", "u8 a901"],  # the third click claims to be of the day after
    "movietweetings": ["u6 i2", "u5 i1"],
    "movielens": ["u6 i2", "u5 i1"],
}


def converted(kind: str, folder: Path, users: float = 1.0) -> Path:
    source = folder / "source"
    source.mkdir(parents=True)
    for name, text in SOURCES[kind].items():
        (source / name).write_text(text, encoding="utf-8")
    read, _ = KINDS[kind]
    write(read(source, users), kind, folder / "log")
    return folder / "log"


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_is_what_was_liked_in_the_order_of_time(kind: str, tmp_path: Path) -> None:
    log = read_folder(converted(kind, tmp_path))
    told = [f"{event.user_id} {getattr(event, 'item_id', '')}" for event in log.events()]
    assert told == EXPECTED[kind]


def test_a_film_has_a_title_a_year_and_genres(tmp_path: Path) -> None:
    folder = converted("movielens", tmp_path)
    heat, alien = map(json.loads, (folder / "items.jsonl").read_text().splitlines())
    assert heat == {
        "item_id": "i1",
        "title": "Heat, The",
        "category": ["Crime"],
        "attributes": {"year": "1995"},
    }
    assert alien == {"item_id": "i2", "title": "Alien"}


def test_what_has_one_time_comes_in_an_order_of_its_own_that_never_changes(tmp_path: Path) -> None:
    """And not in that of the file, which is sorted by item."""
    events: list[dict[str, object]] = [
        {"type": "click", "user_id": "u", "item_id": f"i{n:02}", "ts": 1_000} for n in range(50)
    ]
    texts = []
    for name in ("one", "two"):
        write(Log(list(events), (), leave_out_owned=False), "films", tmp_path / name)
        texts.append((tmp_path / name / "events.jsonl").read_text())
    assert texts[0] == texts[1]
    told = [json.loads(line)["item_id"] for line in texts[0].splitlines()]
    assert sorted(told) == [event["item_id"] for event in events] != told


def test_nothing_is_written_where_nothing_was_found(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no movielens events"):
        converted("movielens", tmp_path, users=0.0)
    assert not (tmp_path / "log").exists()
