"""Public logs of other kinds than the shops that Headrace grew up with, as `evaluate` reads them.

    python -m bench.logs globo SOURCE FOLDER [--users SHARE]
    python -m bench.logs movietweetings SOURCE FOLDER
    python -m bench.logs movielens SOURCE FOLDER
    headrace evaluate FOLDER

SOURCE is the folder of what was downloaded; FOLDER gets `events.jsonl`, `items.jsonl` where items
are described, and `protocol.json` (every event after the first fifth is predicted, then learnt).

- globo: the hourly files `clicks_hour_*.csv` of "News Portal User Interactions by Globo.com" (on
  Kaggle, for research). All clicks of a part of the users, of the 16 days that it is about.
- movietweetings: `ratings.dat` and `movies.dat` of the snapshot of 100,000 ratings of
  MovieTweetings (on GitHub). Films rated 7 of 10 or better; none is recommended again.
- movielens: `ratings.csv` and `movies.csv` of MovieLens "latest small" (GroupLens). Films rated 4
  or better, likewise.

What has one time comes in a random order, always the same: files are sorted by item, and their
order would tell what comes next.
"""

import argparse
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import NamedTuple

Record = dict[str, object]
K = (10, 20)
GLOBO_ENDS_MS = 1_508_198_400_000
"""2017-10-17; some clicks claim to be later."""
LIKED_OF_10, LIKED_OF_5 = 7.0, 4.0


class Log(NamedTuple):
    """One log in our form; events in any order."""

    events: list[Record]
    items: Iterable[Record]
    leave_out_owned: bool


def globo(source: Path, users: float) -> Log:
    """Read clicks on news; `users` of 0..1 is the part of the readers, by a hash of their ids."""
    names = ("user_id", "session_id", "click_article_id", "click_timestamp")
    files = sorted(source.rglob("clicks_hour_*.csv"))
    events = [
        _click(ts, f"u{user}", f"a{article}", session_id=f"s{session}")
        for user, session, article, ts in chain.from_iterable(_rows(file, names) for file in files)
        if _chance(user) < users and int(ts) < GLOBO_ENDS_MS
    ]
    return Log(events, (), leave_out_owned=False)


def movietweetings(source: Path, users: float) -> Log:
    """Read films that people rated in public; `users` is the part of them."""
    rated, films = _parted(source / "ratings.dat"), _parted(source / "movies.dat")
    return _films(rated, films, LIKED_OF_10, users)


def movielens(source: Path, users: float) -> Log:
    """Read films that people rated for others' sake; `users` is the part of them."""
    rated = _rows(source / "ratings.csv", ("userId", "movieId", "rating", "timestamp"))
    films = _rows(source / "movies.csv", ("movieId", "title", "genres"))
    return _films(rated, films, LIKED_OF_5, users)


KINDS: dict[str, tuple[Callable[[Path, float], Log], float]] = {
    "globo": (globo, 0.07),
    "movietweetings": (movietweetings, 1.0),
    "movielens": (movielens, 1.0),
}
"""Kind -> what reads it, and the part of its users that figures are given for."""


def write(log: Log, name: str, folder: Path) -> int:
    """Write a log in our form; return how many events it has.

    Raises:
        SystemExit: it has none.
    """
    if not log.events:
        raise SystemExit(f"no {name} events in the source: see --help for the files it must hold")
    folder.mkdir(parents=True, exist_ok=True)
    numbered = [{"event_id": f"e{n}", **event} for n, event in enumerate(log.events)]
    numbered.sort(key=lambda event: (event["ts"], _chance(str(event["event_id"]))))
    _write_lines(folder / "events.jsonl", numbered)
    touched = {event["item_id"] for event in numbered}
    items = [item for item in log.items if item["item_id"] in touched]
    protocol: Record = {"name": name, "kind": "prequential", "k": K, "events": "events.jsonl"}
    protocol |= {"total": len(numbered), "leave_out_owned": log.leave_out_owned}
    if items:
        _write_lines(folder / "items.jsonl", items)
        protocol["catalog"] = "items.jsonl"
    (folder / "protocol.json").write_text(json.dumps(protocol, indent=1), encoding="utf-8")
    return len(numbered)


def main() -> None:
    """Convert one log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=float, help="part of the users, 0..1")
    given = parser.parse_args()
    read, users = KINDS[given.kind]
    log = read(given.source, users if given.users is None else given.users)
    print(f"{write(log, given.kind, given.folder):,} events in {given.folder}")


def _click(ts: int | str, user_id: str, item_id: str, **more: object) -> Record:
    return {"type": "click", "user_id": user_id, "item_id": item_id, "ts": int(ts), **more}


def _films(
    rated: Iterable[tuple[str, ...]], films: Iterable[tuple[str, ...]], least: float, users: float
) -> Log:
    """Return films that were liked, out of user, film, rating and seconds of each rating."""
    events = [
        _click(int(ts) * 1_000, f"u{user}", f"i{film}")
        for user, film, rating, ts in rated
        if float(rating) >= least and _chance(user) < users
    ]
    return Log(events, map(_film, films), leave_out_owned=True)


def _film(named: tuple[str, ...]) -> Record:
    """Return what is said of a film; its year stands behind its title."""
    number, titled, genres = named
    title, _, year = titled.strip().rpartition("(")
    if not (title and year[:4].isdigit()):
        title, year = titled, ""
    film: Record = {"item_id": f"i{number}", "title": title.strip()}
    if genres and not genres.startswith("("):
        film["category"] = genres.split("|")
    return {**film, "attributes": {"year": year[:4]}} if year else film


def _rows(file: Path, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield these columns of a CSV file with a header."""
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield tuple(row[name] for name in names)


def _parted(file: Path) -> Iterator[tuple[str, ...]]:
    """Yield the fields of a file that `::` parts."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield tuple(line.rstrip("\n").split("::"))


def _chance(text: str) -> float:
    """Return a number in 0..1 that looks random and is always the same."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64


def _write_lines(file: Path, records: Iterable[Record]) -> None:
    with file.open("w", encoding="utf-8") as out:
        for record in records:
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
