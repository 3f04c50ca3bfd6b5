"""A search filed with its MLflow run: the records, the picture and the proposed description."""

from models.schemas.trials import SearchReport
from tasks.io.books import Books
from tasks.io.report.search_story import draw_search
from tasks.io.search.proposal import written
from tasks.io.tracking import finish_run, log_metrics, log_pictures, log_record


def file_search(books: Books, told: SearchReport) -> None:
    """Store what a search came to; what an earlier process stored is written over.

    Args:
        books: The record.
        told: What it came to.
    """
    run = told.search.run
    log_record(books, run, "search.json", told)
    log_pictures(books, run, draw_search(told))
    winner = told.winner
    if winner and winner.report.score is not None:
        log_metrics(books, run, {"best_validation_score": winner.report.score})
    if told.proposed:
        books.client.log_text(run, written(told), "proposed.yaml")
    finish_run(books, run)
