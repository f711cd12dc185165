"""`batch://` and a BatchTable, as any Faust user would write it."""

from pathlib import Path

import faust

from bench import work
from bench.contestants.job import Job, told
from streams import engine


def build(job: Job) -> faust.App:
    """Return the app."""
    app = faust.App(
        job.group,
        broker=f"batch://{job.broker}",
        **engine.app_options(data_dir=Path(job.data_dir), commit_interval_s=job.commit_s),
    )
    users = engine.table(app, "users", job.changelog)
    output = engine.Output(app, job.output) if job.output else None

    @engine.agent(app, job.source, name="users")
    async def agent(batch: engine.Batch) -> None:
        keys = list({record.key: None for record in batch.records})
        rows = dict(zip(keys, users.get_many(batch.partition, keys), strict=True))
        answers = []
        for record in batch.records:
            event = work.decode(record.value)
            row = rows[record.key] = work.changed(rows[record.key], event)
            if output is not None:
                answers.append((record.key, work.answer(event, row)))
        users.stage(batch.partition, rows)
        if output is not None:
            await output.send(batch.partition, answers)
        await users.commit_later(batch.partition, rows)

    return app


if __name__ == "__main__":
    engine.use_uvloop()
    faust.Worker(build(told()), loglevel="INFO").execute_from_commandline()
