from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import RelationClassification
from models.adapters.marked_words import mark_entities, read_spans
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.errors import DataError
from models.predictor import as_table
from models.schemas import AgentConfig
from tasks.io.draft import draft_agent

TOKENIZER = load_tokenizer(DEFAULT_ENCODER, split_words=True)


@pytest.fixture
def adapter(make_config: Callable[..., AgentConfig]) -> RelationClassification:
    """Give the adapter for two relations."""
    return RelationClassification(make_config("relation_classification"))


@pytest.mark.parametrize(
    ("head", "tail", "expected"),
    [
        ([0, 0], [2, 3], "@ a @ b # c d #"),
        ([2, 3], [0, 0], "# a # b @ c d @"),
        ([0, 1], [2, 3], "@ a b @ # c d #"),
        ([0, 3], [1, 1], "@ a # b # c d @"),
        ([1, 1], [1, 1], "a @ # b @ # c d"),
    ],
)
def test_both_entities_stand_between_their_marks(head: list[int], tail: list[int], expected: str):
    """In either order, side by side, one within the other; the places are those of the first marks."""
    tokens = pa.array([["x"], list("abcd"), ["y"]])
    spans = np.array([[[0, 0], [0, 0]], [head, tail], [[0, 0], [0, 0]]])
    found = mark_entities(tokens, spans)
    words = found.words[1].as_py()
    assert " ".join(words) == expected
    assert [words[place] for place in found.places[1]] == ["@", "#"]
    assert found.places[1].tolist() == [words.index("@"), words.index("#")]


def test_what_is_no_pair_of_whole_numbers_is_no_place():
    """Too few, too many, negative, words and nothing."""
    column = pa.array([["0", "1"], ["1"], ["1", "2", "3"], ["-1", "2"], ["a", "1"], [], None])
    assert read_spans(column).tolist() == [[0, 1], [-1, -1], [-1, -1], [-1, 2], [-1, 1], [-1, -1], [-1, -1]]


def test_the_marks_sub_words_are_read(adapter: RelationClassification):
    """Each window says where its two first marks stand, special sub-words counted."""
    rows = pa.table(
        {"tokens": [["so"] * 12 + ["Lovelace", "in", "Rome"]], "head": [["12", "12"]], "tail": [["14", "14"]]}
    )
    windows = adapter.encode(rows, TOKENIZER).windows
    for ids, marks in zip(windows["input_ids"].to_pylist(), windows["words"].to_pylist(), strict=True):
        assert TOKENIZER.convert_ids_to_tokens([ids[place] for place in marks]) == ["@", "#"]
    assert windows.num_rows >= 1


def test_two_pairs_of_a_sentence_are_two_texts(adapter: RelationClassification):
    """They are held out each by itself, and none is a duplicate of the other."""
    rows = pa.table(
        {"tokens": [["a", "b"]] * 2, "head": [["0", "0"], ["1", "1"]], "tail": [["1", "1"], ["0", "0"]]}
    )
    assert adapter.texts(rows).to_pylist() == ["@ a @ # b #", "# a # @ b @"]


def test_an_entity_outside_its_sentence_is_refused(adapter: RelationClassification):
    """The error names the row, the entity and what to give."""
    rows = pa.table({"tokens": [["a", "b"]], "head": [["0", "0"]], "tail": [["2", "2"]]})
    with pytest.raises(
        DataError, match=r"Row 0 has the tail \['2', '2'\] among 2 tokens .* first and last word"
    ):
        adapter.encode(rows, TOKENIZER)


def test_places_may_be_whole_numbers(adapter: RelationClassification):
    """Rows to predict may say them as JSON does."""
    table = as_table([{"tokens": ["a", "b"], "head": [0, 0], "tail": [1, 1]}], adapter)
    assert table["tail"].to_pylist() == [["1", "1"]]


def test_init_knows_two_entities(tmp_path: Path):
    """Tokens, a head and a tail are two entities, and the column beside them their relation."""
    path = tmp_path / "rows.jsonl"
    line = '{"tokens": ["Ada", "in", "Rome"], "head": [0, 0], "tail": [2, 2], "relation": "%s"}'
    path.write_text("\n".join(line % name for name in ("in", "of") * 5))
    text = draft_agent("pairs", path, tmp_path)
    assert "adapter: relation_classification" in text
    assert "label_column: relation" in text
