"""What a verdict rested on, kept with its version's MLflow run, so that a later run can tell it again."""

from models.schemas import EvaluationReport, PromotionDecision, TrainingReport
from tasks.io.books import Books
from tasks.io.champion import Champion
from tasks.io.ledger import history
from tasks.io.report.story import Round
from tasks.io.tracking import find_version_run, log_record, read_record

EVIDENCE = "evidence.json"
_ELSEWHERE = {"training": None, "evaluation": None, "decision": None, "steps": ()}
"""Fields of a round that the run's other records or the ledger hold."""


def keep_evidence(books: Books, agent: str, told: Round) -> Round:
    """Store what a round found with the run of its version; give the round back.

    A verdict that was only found again gets back what it rested on.
    """
    run_id = find_version_run(books, agent, told.version)
    if run_id is None:
        return told
    before = _read(books, run_id)
    if before is None or (told.gate is not None and before.gate != told.gate):
        log_record(books, run_id, EVIDENCE, told.model_copy(update=_ELSEWHERE))
        return told
    return told.model_copy(
        update={
            "champion_evaluation": told.champion_evaluation or before.champion_evaluation,
            "drift": told.drift or before.drift,
            "gate": told.gate or before.gate,
        }
    )


def recall_round(books: Books, champion: Champion) -> Round:
    """Tell again how the champion was made and judged, for a run that finds nothing new."""
    training = read_record(books, champion.run_id, "training.json")
    evaluation = read_record(books, champion.run_id, "evaluation.json")
    kept = _read(books, champion.run_id) or Round(flow="retrain", snapshots=(champion.snapshot,))
    return kept.model_copy(
        update={
            "flow": "retrain",
            "version": champion.version,
            "training": TrainingReport.model_validate_json(training),
            "evaluation": EvaluationReport.model_validate_json(evaluation),
            "decision": _nothing_new(books, champion),
        }
    )


def _nothing_new(books: Books, champion: Champion) -> PromotionDecision:
    moves = history(books.ledger, champion.agent)
    made = [m for m in moves if m.state == "done" and m.to_version == champion.version][-1]
    return PromotionDecision(
        agent=champion.agent,
        verdict="already_decided",
        champion=champion.version,
        challenger=champion.version,
        previous=made.from_version,
        reason=f"No new rows since version {champion.version} was trained. "
        f"It became champion because: {made.reason}",
    )


def _read(books: Books, run_id: str) -> Round | None:
    if not any(item.path == EVIDENCE for item in books.client.list_artifacts(run_id)):
        return None
    return Round.model_validate_json(read_record(books, run_id, EVIDENCE))
