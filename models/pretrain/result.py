"""What a pretraining leaves: a start's folder and the report, each there whole or not at all."""

from pathlib import Path

from pydantic import ValidationError

from models.errors import ArtifactError
from models.pretrain.job import START, PretrainJob
from models.schemas.pretrain import PretrainReport
from models.training.files import folder_ref
from models.training.job import REPORT


def finished_pretraining(job: PretrainJob) -> PretrainReport | None:
    """Give the report of this very job if it ended and its start is still what the report says."""
    path = job.folder / REPORT
    if not path.exists():
        return None
    try:
        report = PretrainReport.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    found = folder_ref(job.folder / START).digest
    return report if report.job == job.digest and report.start.digest == found else None


def read_pretrain_report(out: Path) -> PretrainReport:
    """Read the report of the pretraining in `out`.

    Raises:
        ArtifactError: There is none.
    """
    try:
        return PretrainReport.model_validate_json((out / REPORT).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise ArtifactError(
            f"{out / REPORT} is no report of a pretraining: {error}. Run it again."
        ) from error
