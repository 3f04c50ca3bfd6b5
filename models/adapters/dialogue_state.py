"""The state of a dialogue, slot by slot, by a seq2seq model that reads what each slot means."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import Answers, Outcomes
from models.adapters.chat import messages, newest
from models.adapters.rows import ENCODING, Check, Rule
from models.adapters.states import as_text, measure_states, read_state, right_slots, same_state
from models.adapters.turn_columns import measure_turns, turns_of
from models.adapters.writing import Counts, Writing, shortened
from models.errors import DataError
from models.ragged import Ragged

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class DialogueState(Writing):
    """Write what the user has said of each slot, after `turns` whose last is the user's.

    Rastogi et al., "Towards Scalable Multi-Domain Conversational Agents: The Schema-Guided Dialogue Dataset",
    AAAI 2020 (arXiv:1909.05855), whose idea is followed: a row's `slots` (`name: description`) are read
    beside its turns, so that the slots of a service that was never seen can be filled. The share of rows
    whose whole state is right, `joint_goal_accuracy`, decides. Values must be equal but for case and blanks,
    where the paper gives partial credit to those that are nearly so.
    """

    name: ClassVar[str] = "dialogue_state"
    primary_metric: ClassVar[str] = "joint_goal_accuracy"
    scorer: ClassVar[str] = "states"
    baselines: ClassVar[tuple[str, ...]] = ("empty_list", "nearest")
    checks: ClassVar[tuple[Check, ...]] = (
        Check("turns", Rule.SOME, "no turns"),
        Check("empty_turns", Rule.NONE, "empty turn"),
        Check("slots", Rule.SOME, "no slots"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("state"),
        Check("broken_state", Rule.NONE, "state is not slot=value"),
    )

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `turns`, `slots` and `state`."""
        return pa.schema([(name, pa.list_(pa.string())) for name in ("turns", "slots", "state")])

    @classmethod
    def inputs(cls) -> pa.Schema:
        """Give `turns` and `slots`."""
        return pa.schema([cls.columns().field("turns"), cls.columns().field("slots")])

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure the three lists."""
        turns, slots = measure_turns(columns["turns"]), measure_turns(columns["slots"])
        damaged = pc.or_(turns["damaged"], slots["damaged"])
        return {**turns, "damaged": damaged, "slots": slots["turns"], **measure_states(columns["state"])}

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the turns of each row and its slots, a line each."""
        joined = [pc.fill_null(pc.binary_join(rows[name], "\n"), "") for name in ("turns", "slots")]
        return pc.binary_join_element_wise(*joined, "\n")

    def read(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase") -> tuple[Ragged, Counts]:
        """Tokenize slots and turns; a dialogue that is too long loses its oldest turns."""
        chats, most = turns_of(rows["turns"]), self.config.max_length
        slots = ["; ".join(found) for found in turns_of(rows["slots"])]

        def tokenized(chosen: np.ndarray, first: np.ndarray) -> list[list[int]]:
            pairs = zip(chosen.tolist(), first.tolist(), strict=True)
            texts = [self._prompt(slots[row], chats[row][begin:]) for row, begin in pairs]
            ids: list[list[int]] = (
                tokenizer(texts, return_attention_mask=False, verbose=False)["input_ids"] if texts else []
            )
            return ids

        found, first = newest(np.array([len(turns) for turns in chats], np.int64), tokenized, most)
        counts = {
            "oldest turns left out": int((first > 0).sum()),
            "input cut at max_length": sum(len(ids) > most for ids in found),
        }
        return Ragged.from_lists([shortened(ids, most) for ids in found]), counts

    def _prompt(self, slots: str, turns: Sequence[str]) -> str:
        said = " ".join(f"{one['role']}: {one['content']}" for one in messages(turns))
        return f"{self.config.instruction}slots: {slots} dialogue: {said}"

    def targets(self, rows: pa.Table) -> list[str]:
        """Write each state as one text, its first values."""
        return [as_text(state or ()) for state in rows[self.truth()].to_pylist()]

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Read a state from each text; what is none of the row's slots is left out."""
        written = super().decode(answers, rows)
        known = [{slot.partition(":")[0].strip() for slot in slots} for slots in turns_of(rows["slots"])]
        texts = written[self.truth()].to_pylist()
        states = [read_state(text, slots) for text, slots in zip(texts, known, strict=True)]
        kind = self.columns().field(self.truth()).type
        return written.set_column(0, self.truth(), pa.array(states, kind))

    def closeness(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, np.ndarray]:
        """Tell which states are right, (rows,) 0 or 1."""
        pairs = zip(truth, written, strict=True)
        return {self.primary_metric: np.array([same_state(*pair) for pair in pairs], np.float64)}

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count a state that is right as (1, 0, 0) and another as (0, 1, 1)."""
        right = self.closeness(*self.pairs(rows, predictions))[self.primary_metric]
        return Outcomes(np.stack([right, 1 - right, 1 - right], axis=1).astype(np.int64), right > 0)

    def slot_counts(self, rows: pa.Table, predictions: pa.Table) -> np.ndarray:
        """Count slots of each row: those that are right, made up or wrong, and missed or wrong, (rows, 3)."""
        truth, written = self.pairs(rows, predictions)
        right = [right_slots(*pair) for pair in zip(truth, written, strict=True)]
        sizes = np.array([(len(w), len(t)) for t, w in zip(truth, written, strict=True)], np.int64)
        hits = np.array(right, np.int64)
        return np.concatenate([hits[:, None], sizes.reshape(-1, 2) - hits[:, None]], axis=1)

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Give joint goal accuracy and the F1 of slots with their values."""
        if not rows.num_rows:
            raise DataError("There are no rows to score; 1 is needed.")
        hits, made_up, missed = self.slot_counts(rows, predictions).sum(axis=0).tolist()
        joint = float(self.outcomes(rows, predictions).exact.mean())
        return {self.primary_metric: joint, "slot_f1": 2 * hits / max(1, 2 * hits + made_up + missed)}
