"""One thin Prefect task a step; side effects live in `tasks.io`."""
