"""What a training leaves: the model folder and the report, each there whole or not at all."""

import shutil
from pathlib import Path

from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from models.errors import ArtifactError
from models.networks import Network
from models.schemas import AgentConfig, ArtifactRef, TrainingReport
from models.task_model import save
from models.training.files import folder_ref, sync_file, sync_folder, write_whole
from models.training.job import CHECKPOINTS, MODEL, REPORT, TrainJob


def read_report(out: Path) -> TrainingReport:
    """Read the report of the training in `out`.

    Raises:
        ArtifactError: There is none.
    """
    try:
        return TrainingReport.model_validate_json((out / REPORT).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise ArtifactError(f"{out / REPORT} is no training report: {error}. Train again.") from error


def finished_report(job: TrainJob) -> TrainingReport | None:
    """Give the report of this very job if it ended and its model is still what the report says."""
    path = job.folder / REPORT
    if not path.exists():
        return None
    try:
        report = TrainingReport.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    found = folder_ref(job.folder / MODEL).digest
    return report if report.job == job.digest and report.model.digest == found else None


def store_model(
    out: Path, model: Network, tokenizer: PreTrainedTokenizerBase, config: AgentConfig
) -> ArtifactRef:
    """Store a model in `out/model`, whole or not at all."""
    temporary, final = out / f".{MODEL}.tmp", out / MODEL
    shutil.rmtree(temporary, ignore_errors=True)
    save(temporary, model, tokenizer, config)
    for path in temporary.rglob("*"):
        if path.is_file():
            sync_file(path)
    # A model without its report is what a killed process left.
    (out / REPORT).unlink(missing_ok=True)
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    sync_folder(out)
    return folder_ref(final)


def store_report(job: TrainJob, report: TrainingReport) -> None:
    """Store the report, which says that the job ended, and remove its checkpoints."""
    write_whole(job.folder / REPORT, report.model_dump_json(indent=2))
    shutil.rmtree(job.folder / CHECKPOINTS, ignore_errors=True)
