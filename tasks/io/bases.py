"""The pretrained weights that tuned versions stand on: stored once, shared by every agent, fetched once.

They lie in `bases/<digest>` of the state folder. Where MLflow keeps its artifacts elsewhere, each is also an
artifact of a run of its own there, so that another machine can fetch it. Where a model that is being loaded
looks for its base is said in `models/tuning/bases.py`.
"""

import os
from pathlib import Path

from models.errors import ArtifactError
from models.task_model import load_base
from models.tuning.bases import WEIGHTS, BaseRef, read_ref, write_base
from tasks.io import tracking
from tasks.io.books import Books
from tasks.io.digests import file_digest
from tasks.io.folders import new_folder
from tasks.io.working import working_folder

BASE_TAG = "quickstudy.base_digest"
_EXPERIMENT = "bases"
_SUM = f"{WEIGHTS}.sha256"


def base_tags(model: Path) -> dict[str, str]:
    """Name the base that a model's folder stands on, by which it is kept as long as the version is there."""
    base = read_ref(model)
    return {} if base is None else {BASE_TAG: base.digest}


def keep_base(books: Books, model: Path) -> None:
    """Store the base of the tuned model in `model`, unless it is stored; do nothing for a whole model.

    Raises:
        ArtifactError: The base is nowhere, or not what the model was tuned on.
    """
    base = read_ref(model)
    if base is None:
        return
    final = books.bases / base.digest
    if _is_whole(final):
        os.utime(final / WEIGHTS)  # nobody removes what was taken up just now
    else:
        with new_folder(final) as folder:
            write_base(folder, load_base(model))
            (folder / _SUM).write_text(file_digest(folder / WEIGHTS), encoding="utf-8")
    if books.stores_elsewhere:
        publish_base(books, base)


def publish_base(books: Books, base: BaseRef) -> None:
    """Store a base beside MLflow's other artifacts, once."""
    run = tracking.find_run(books, _EXPERIMENT, base.digest)
    if run is not None and run.info.status == "FINISHED":
        return
    run_id = tracking.open_run(books, _EXPERIMENT, base.digest, {"quickstudy.encoder": base.id}).run_id
    books.client.log_artifacts(run_id, str(books.bases / base.digest), _EXPERIMENT)
    tracking.finish_run(books, run_id)


def fetch_base(books: Books, digest: str) -> None:
    """Fetch a base that a version stands on, unless it is here.

    Raises:
        ArtifactError: Nobody stored it.
    """
    final = books.bases / digest
    if _is_whole(final):
        return
    run = tracking.find_run(books, _EXPERIMENT, digest)
    if run is None or run.info.status != "FINISHED":
        raise ArtifactError(
            f"The base with weights {digest[:12]} is neither in {books.bases} nor among MLflow's artifacts. "
            f"Copy {digest} into {books.bases} from a machine that has it, or train the agent again."
        )
    with working_folder(books.scratch) as place, new_folder(final) as folder:
        got = Path(books.client.download_artifacts(run.info.run_id, _EXPERIMENT, str(place)))
        for path in got.iterdir():
            path.replace(folder / path.name)


def _is_whole(folder: Path) -> bool:
    """Tell whether a stored base is there and as it was written."""
    weights, noted = folder / WEIGHTS, folder / _SUM
    return weights.is_file() and noted.is_file() and noted.read_text("utf-8") == file_digest(weights)
