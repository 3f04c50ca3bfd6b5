"""Compare a new window with the champion's own data: embed, predict, test."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from models.adapters import get_adapter
from models.baselines.base import sample_rows
from models.drift import Level, detect
from models.drift_window import Window, count_labels, texts_of
from models.embed import embed
from models.encoder import load_encoder
from models.predictor import Predictor
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport
from tasks.io.champion import Champion
from tasks.io.rows import read_rows, text_hashes

_EVERY = ("train", "validation", "test")
_HELD_OUT = ("validation", "test")


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
    seen = np.isin(new["text_hash"].to_numpy(), text_hashes(champion.snapshot, _EVERY))
    rows = (read_rows(champion.snapshot, _HELD_OUT), new.filter(pa.array(~seen)))
    samples = [sample_rows(r, config.drift_sample_rows, config.seed) for r in rows]
    predictor, encoder = Predictor.load(Path(champion.model.address)), load_encoder(config.encoder)
    reference, current = (
        Window(
            texts=texts_of(sample),
            embeddings=embed(texts_of(sample), *encoder),
            label_counts=count_labels(predictor.adapter, predictor.predict(sample)),
        )
        for sample in samples
    )
    labels = get_adapter(champion.config).config.labels
    return detect(config.name, reference, current, labels, Level(config.drift_alpha, config.seed))
