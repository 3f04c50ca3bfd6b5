"""Make an agent's further training rows and store them; and find the models that rewrite texts."""

import logging
from pathlib import Path

import pyarrow.parquet as pq

from models.adapters import get_adapter
from models.augment import AUGMENTERS, Teachers
from models.augment.rows import make_rows
from models.encoder import encoder_digest
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot
from models.schemas.agent import START_PREFIX
from models.schemas.made_rows import Augmented, Rewriters
from tasks.io.books import Books
from tasks.io.digests import checked, folder_digest
from tasks.io.folders import new_folder
from tasks.io.progress import progress_bar
from tasks.io.rows import read_rows, text_hashes
from tasks.io.snapshot_store import verify
from tasks.io.versions import load_champion

logger = logging.getLogger(__name__)

ROWS = "rows.parquet"
_SPLITS = ("train", "validation", "test")


def find_rewriters(books: Books, config: AgentConfig) -> Rewriters:
    """Find the champions that an agent's augmenting asks for.

    Raises:
        RegistryError: An agent or a start that it names has no champion.
        ArtifactError: Its files are gone or changed.
    """
    masked, pair = config.masked_lm, config.translators
    is_start = masked is not None and masked.startswith(START_PREFIX)
    return Rewriters(
        masked_lm=_champion(books, masked) if masked and is_start else None,
        masked_digest=encoder_digest(masked) if masked and not is_start else None,
        translators=(_champion(books, pair[0]), _champion(books, pair[1])) if pair else None,
    )


def augment_rows(
    config: AgentConfig, snapshot: DatasetSnapshot, rewriters: Rewriters, out: Path
) -> Augmented:
    """Make further training rows of a snapshot's, and store them in `out`, which appears whole.

    Raises:
        ArtifactError: The snapshot or a model is not what its digest says.
        ConfigError: A model can not do what it is asked for.
    """
    verify(snapshot)
    adapter, teachers = get_adapter(config), _teachers(config, rewriters)
    ways = {name: AUGMENTERS[name].make(config, teachers) for name in config.augment}
    train = read_rows(snapshot, ["train"], adapter.columns().names)
    with progress_bar(f"augmenting {config.name}") as show:
        made = make_rows(adapter, ways, train, text_hashes(snapshot, _SPLITS), show)
    with new_folder(out) as folder:
        pq.write_table(made.rows, folder / ROWS, compression="zstd")
    logger.info("Made %d training rows of %d (%s)", made.rows.num_rows, train.num_rows, made.kept)
    artifact = ArtifactRef(address=str(out), digest=folder_digest(out))
    return Augmented(artifact=artifact, rewriters=rewriters, kept=made.kept, dropped=made.dropped)


def _champion(books: Books, name: str) -> ArtifactRef:
    folder = load_champion(books, name)
    return ArtifactRef(address=str(folder), digest=folder_digest(folder))


def _teachers(config: AgentConfig, rewriters: Rewriters) -> Teachers:
    masked, pair = config.masked_lm, None
    if rewriters.masked_lm is not None:
        masked = str(checked(rewriters.masked_lm))
    if rewriters.translators is not None:
        forth, back = rewriters.translators
        pair = (str(checked(forth)), str(checked(back)))
    return Teachers(masked, pair)
