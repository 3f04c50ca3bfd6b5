"""Replies in a dialogue, by a causal model."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.continuing import Continuing
from models.adapters.label_column import measure_texts
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.turn_columns import measure_turns, turns_of
from models.text_scores import chrf


class Dialogue(Continuing):
    """Reply to what was said: `turns`, of which the last is the user's and the two take turns.

    `chrf`, the mean chrF2 of what was written (Popovic 2015), decides; the evaluation tells the perplexity
    of the true replies as well.
    """

    name: ClassVar[str] = "dialogue"
    primary_metric: ClassVar[str] = "chrf"
    baselines: ClassVar[tuple[str, ...]] = ("commonest", "nearest")
    checks: ClassVar[tuple[Check, ...]] = (
        Check("turns", Rule.SOME, "no turns"),
        Check("empty_turns", Rule.NONE, "empty turn"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("target", Rule.SOME, "empty target"),
    )

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `turns` and `target`."""
        return pa.schema([("turns", pa.list_(pa.string())), ("target", pa.string())])

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for columns of these very names."""
        if not {"turns", "target"} <= set(sample) or not any(isinstance(v, list) for v in sample["turns"]):
            return None
        return Guess({}, "'turns' holds what was said and 'target' the reply")

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure the turns and the reply."""
        turns, target = measure_turns(columns["turns"]), measure_texts(columns["target"])
        damaged = pc.or_(turns["damaged"], target["damaged"])
        return {**turns, "damaged": damaged, "target": target["text"]}

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the turns of each row, a line each."""
        return pc.binary_join(rows["turns"], "\n")

    def chats(self, rows: pa.Table) -> list[Sequence[str]]:
        """Give the turns as they are."""
        return turns_of(rows["turns"])

    def closeness(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, np.ndarray]:
        """Give chrF2 of each reply."""
        return {self.primary_metric: chrf(truth, written)}
