"""A report and its pictures, filed with the MLflow runs of the versions that it tells of."""

from pathlib import Path

from tasks.io.books import Books
from tasks.io.report.gallery import pictures
from tasks.io.report.story import Story
from tasks.io.tracking import find_version_run, log_file, log_pictures


def file_report(books: Books, story: Story, path: Path) -> None:
    """Store the page, and each agent's pictures, below `report/` in the run of its last round's version.

    Where no challenger was trained, that is the champion's run: in `report/kept/`, beside the report of its
    own making.

    Args:
        books: The record.
        story: What the report tells.
        path: The page.
    """
    drawn = pictures(story)
    for agent in story.agents:
        turn, prefix = agent.rounds[-1], f"{agent.config.name}/"
        kept = turn.decision.champion if turn.decision and turn.version is None else None
        run_id = find_version_run(books, agent.config.name, kept or turn.version)
        if run_id:
            log_file(books, run_id, path, "report/kept" if kept else "report")
            mine = {k.removeprefix(prefix): v for k, v in drawn.items() if k.startswith(prefix)}
            log_pictures(books, run_id, {f"kept/{k}": v for k, v in mine.items()} if kept else mine)
