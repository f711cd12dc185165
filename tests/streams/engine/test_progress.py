"""What the log says of a recovery."""

from streams.engine.progress import LOG_EVERY_S, Progress


def test_a_line_every_few_seconds_and_one_at_the_end() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.see(0.0, rows=500, remaining=0)  # read as a standby
    assert progress.rows == 500
    progress.begin(100.0, rows=500)
    for half in range(1, 41):  # 20 s: 1,000 offsets a second of which 700 are rows
        progress.see(100 + half / 2, rows=500 + 350 * half, remaining=30_000 - 500 * half)
        assert progress.recovering
        assert progress.rows == 500 + 350 * half
        assert progress.remaining == 30_000 - 500 * half
    assert len(said) == int(20 / LOG_EVERY_S)
    assert said[1] == (
        "recovering tables: 7,000 rows in 10.0 s, 700 rows/s, 20,000 changelog offsets to go, "
        "about 20 s left"
    )
    progress.end(130.0, rows=500 + 21_000)
    assert said[-1] == "tables recovered: 21,000 rows in 30.0 s, 700 rows/s"
    assert (progress.recovering, progress.rows, progress.remaining) == (False, 21_500, 0)


def test_a_recovery_that_is_done_at_once_is_told_too() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.begin(1.0, rows=0)
    progress.end(1.0, rows=10)
    assert len(said) == 1


def test_nothing_is_said_where_nothing_was_read() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.begin(1.0, rows=7)
    progress.end(2.0, rows=7)
    progress.see(3.0, rows=10, remaining=0)
    assert said == []
    assert progress.rows == 10


def test_no_time_is_told_where_nothing_moves_or_a_rebalance_adds_to_what_remains() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress.begin(0.0, rows=0)
    progress.see(1.0, rows=0, remaining=10)
    progress.see(3.0, rows=0, remaining=1_000)
    progress.see(6.0, rows=0, remaining=1_000)
    assert said[0].endswith("1,000 changelog offsets to go, time left unknown")
