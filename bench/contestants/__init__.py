"""The same job done by each engine: `python -m bench.contestants.NAME JOB`."""
