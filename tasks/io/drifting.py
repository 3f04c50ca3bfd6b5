"""Compare a new window with the champion's own data: embed, predict, test."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from models.adapters import get_adapter
from models.baselines.base import sample_rows
from models.drift import FEWEST_ROWS, Level, detect
from models.drift_window import Window, count_labels, texts_of
from models.embed import embed
from models.encoder import load_encoder
from models.predictor import Predictor
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport
from models.schemas.base import Record
from tasks.io.champion import Champion
from tasks.io.code_digest import code_digest
from tasks.io.digests import digest_of
from tasks.io.rows import read_rows, text_hashes

_EVERY = ("train", "validation", "test")
_HELD_OUT = ("validation", "test")
_TRAINING = "tasks.fine_tune"


class Rows(Record):
    """What a drift check would look at: a window's new rows, and the champion's held-out ones.

    Args:
        new: Rows of the window that the champion has never seen.
        reference: Rows that it held out.
        alike: Whether description and code would train now as they trained the champion.
    """

    new: int
    reference: int
    alike: bool = False

    @property
    def nothing_to_learn(self) -> bool:
        """Tell whether a challenger would be the champion over again, even if one is asked for."""
        return self.alike and not self.new

    @property
    def enough(self) -> bool:
        """Tell whether there are enough rows on both sides."""
        return min(self.new, self.reference) >= FEWEST_ROWS

    @property
    def unchecked(self) -> str:
        """Say why there was no check."""
        return (
            f"Drift was not checked: that needs {FEWEST_ROWS} rows of each window, and there are "
            f"{self.reference} held-out and {self.new} new ones."
        )


def count_rows(config: AgentConfig, champion: Champion, window: DatasetSnapshot) -> Rows:
    """Count the window's rows that are not in the champion's snapshot, and those that it held out.

    Args:
        config: The agent as it is described now.
        champion: The present champion.
        window: The rows that are there now.
    """
    code = digest_of(code_digest(_TRAINING).modules)
    return Rows(
        new=int((~_seen(champion, text_hashes(window, _EVERY))).sum()),
        reference=sum(champion.snapshot.split_counts.get(split, 0) for split in _HELD_OUT),
        alike=champion.code == code and champion.config.trains_like(config),
    )


def reason_to_keep(version: int, rows: Rows, drift: DriftReport | None) -> str | None:
    """Say why no challenger is trained; None: one is.

    A champion with too few held-out rows for a check must not stand for ever: enough new rows will do.

    Args:
        version: The champion.
        rows: How many rows there are.
        drift: What a check found; None: there was none.
    """
    if drift is not None:
        return None if drift.drifted else drift.reason
    if rows.new < FEWEST_ROWS:
        return f"{rows.new} new rows since version {version} was trained; a drift check needs {FEWEST_ROWS}"
    return None


def compare_window(config: AgentConfig, champion: Champion, window: DatasetSnapshot) -> DriftReport:
    """Test whether the new rows of a window differ from what the champion was made for.

    The reference is the champion's held-out rows: on rows it was trained on its answers are surer.

    Args:
        config: The agent; `drift_alpha`, `drift_sample_rows` and `seed` are used.
        champion: The present champion.
        window: The rows that are there now; those the champion has seen are left out.

    Raises:
        DataError: One of the windows has fewer than 20 rows.
    """
    new = read_rows(window, _EVERY)
    seen = _seen(champion, new["text_hash"].to_numpy())
    rows = (read_rows(champion.snapshot, _HELD_OUT), new.filter(pa.array(~seen)))
    samples = [sample_rows(r, config.drift_sample_rows, config.seed) for r in rows]
    predictor, encoder = Predictor.load(Path(champion.model.address)), load_encoder(config.encoder)
    reference, current = (
        Window(
            texts=texts_of(predictor.adapter, sample),
            embeddings=embed(texts_of(predictor.adapter, sample), *encoder),
            label_counts=count_labels(predictor.adapter, predictor.predict(sample)),
        )
        for sample in samples
    )
    labels = get_adapter(champion.config).config.labels
    return detect(config.name, reference, current, labels, Level(config.drift_alpha, config.seed))


def _seen(champion: Champion, hashes: np.ndarray) -> np.ndarray:
    """Tell for each text whether it is in the champion's snapshot."""
    return np.isin(hashes, text_hashes(champion.snapshot, _EVERY))
