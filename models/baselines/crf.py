"""A conditional random field over word shapes: what was usual for tags before encoders."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pycrfsuite import Tagger, Trainer  # type: ignore[attr-defined]  # compiled, without stubs

from models.baselines.base import sample_rows
from models.baselines.tags import answers, tag_names


class Crf:
    """Linear-chain CRF (Lafferty, McCallum & Pereira, ICML 2001) by CRFsuite, trained with L-BFGS.

    Features are those of Okazaki's CRFsuite tutorial: the word, its ends and shape, and its neighbours.

    Args:
        labels: The agent's entity types.
        seed: Seed of the sample of training rows; L-BFGS itself has no randomness.
        most_words: Rows beyond this number of words are left out.
        iterations: Most steps of L-BFGS.
    """

    def __init__(
        self, labels: Sequence[str], seed: int, most_words: int = 60_000, iterations: int = 60
    ) -> None:
        self._labels = tuple(labels)
        self._seed = seed
        self._most_words = most_words
        self._iterations = iterations
        self._tagger: Any = None
        # The tagger reads these bytes without holding them.
        self._model = b""

    def fit(self, rows: pa.Table) -> Self:
        """Fit on a sample; without a word nothing is learned and every tag is O."""
        self._tagger = None
        words = pc.sum(pc.list_value_length(rows["tokens"])).as_py() or 0
        most_rows = max(1, rows.num_rows * self._most_words // max(1, words))
        rows = sample_rows(rows, most_rows, self._seed)
        trainer = Trainer(algorithm="lbfgs", verbose=False)
        trainer.set_params({"c1": 0.1, "c2": 0.01, "max_iterations": self._iterations})
        for tokens, tags in zip(rows["tokens"].to_pylist(), rows["tags"].to_pylist(), strict=True):
            if tokens:
                trainer.append(_features(tokens), tags)
        if not words:
            return self
        # CRFsuite writes its model to a file; it is read back and the file is gone.
        with TemporaryDirectory(prefix="quickstudy-crf-") as folder:
            path = Path(folder) / "model.crfsuite"
            trainer.train(str(path))
            self._model = path.read_bytes()
        self._tagger = Tagger()
        self._tagger.open_inmemory(self._model)
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Answer with the likeliest tags, and each tag's marginal probability as confidence."""
        number = {name: index for index, name in enumerate(tag_names(self._labels))}
        tags: list[int] = []
        confidences: list[float] = []
        lengths = []
        for tokens in rows["tokens"].to_pylist():
            names = self._tag(tokens)
            lengths.append(len(tokens))
            tags += [number[name] for name in names]
            confidences += [self._marginal(name, place) for place, name in enumerate(names)]
        flat = np.array(tags, dtype=np.int64), np.array(confidences, dtype=np.float64)
        return answers(*flat, np.array(lengths, dtype=np.int64), self._labels)

    def _tag(self, tokens: list[str]) -> list[str]:
        if self._tagger is None or not tokens:
            return ["O"] * len(tokens)
        names: list[str] = self._tagger.tag(_features(tokens))
        return names

    def _marginal(self, name: str, place: int) -> float:
        return 1.0 if self._tagger is None else float(self._tagger.marginal(name, place))


def _features(tokens: list[str]) -> list[list[str]]:
    """Describe each word by itself and by its neighbours."""
    words = [_describe(token) for token in tokens]
    brief = [[word[0], *word[4:6]] for word in words]
    described = []
    for place, word in enumerate(words):
        before = [f"-1:{f}" for f in brief[place - 1]] if place else ["BOS"]
        after = [f"+1:{f}" for f in brief[place + 1]] if place + 1 < len(words) else ["EOS"]
        described.append(["bias", *word, *before, *after])
    return described


def _describe(token: str) -> list[str]:
    lower = token.lower()
    return [
        f"word={lower}",
        f"end3={lower[-3:]}",
        f"end2={lower[-2:]}",
        f"start3={lower[:3]}",
        f"shape={_shape(token)}",
        f"kind={token.isupper():d}{token.istitle():d}{token.isdigit():d}{token.isalnum():d}",
    ]


def _shape(token: str) -> str:
    """Write capitals as X, small letters as x, digits as 0, and shorten runs: "McGee-12" is "XxXx-0"."""
    shape: list[str] = []
    for char in token[:20]:
        kind = "X" if char.isupper() else "x" if char.islower() else "0" if char.isdigit() else char
        if not shape or shape[-1] != kind:
            shape.append(kind)
    return "".join(shape)
