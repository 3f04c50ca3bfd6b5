from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adapters import RelationExtraction
from models.adapters.triples import (
    count_triples,
    read_triples,
    rename_triples,
    tags_to_triples,
    triples_to_tags,
    write_triples,
)
from models.metrics import SCORERS
from models.schemas import AgentConfig
from tasks.io.draft import draft_agent

LABELS = ("in", "of")
LIST = pa.list_(pa.string())


@pytest.fixture
def adapter(make_config: Callable[..., AgentConfig]) -> RelationExtraction:
    """Give the adapter for two relations."""
    return RelationExtraction(make_config("relation_extraction"))


def _column(rows: list[list[str] | None]) -> pa.ListArray:
    return pa.array(rows, LIST)


def test_relations_come_back_as_they_were_written():
    """Labels may hold blanks; a null list comes back empty."""
    column = _column([["born in 0 0 2 3", "of 4 4 1 1"], [], None])
    assert write_triples(read_triples(column), 3).to_pylist() == [["born in 0 0 2 3", "of 4 4 1 1"], [], []]


def test_what_is_not_a_relation_has_no_label():
    """Too few numbers, and words in their place."""
    found = read_triples(_column([["in 0 0 2", "in a b c d", "in"], ["in 0 0 2 3"]]))
    assert found.labels.to_pylist() == [None, None, None, "in"]
    assert found.rows.tolist() == [0, 0, 0, 1]


def test_renaming_leaves_the_rest_alone():
    """Places, null lists, and what can not be read."""
    column = _column([["near 0 0 2 3", "?"], None])
    assert rename_triples(column, {"near": "in"}).to_pylist() == [["in 0 0 2 3", "?"], None]


@given(
    st.lists(
        st.lists(st.sampled_from(LABELS), unique=True, max_size=2).flatmap(
            lambda labels: st.tuples(st.just(labels), st.permutations(range(2 * len(labels))))
        ),
        min_size=1,
        max_size=5,
    )
)
def test_tags_say_the_relations(rows: list[tuple[list[str], list[int]]]):
    """Whatever the order of the entities, one relation of each label a row comes back from its tags."""
    written = [
        [
            f"{label} {3 * order[2 * i]} {3 * order[2 * i] + 1} {3 * order[2 * i + 1]} {3 * order[2 * i + 1]}"
            for i, label in enumerate(labels)
        ]
        for labels, order in rows
    ]
    lengths = np.array([12] * len(rows))
    tags = triples_to_tags(read_triples(_column(written)), LABELS, lengths)
    found = write_triples(tags_to_triples(tags, LABELS), len(rows)).to_pylist()
    assert [sorted(one) for one in found] == [sorted(one) for one in written]


def test_of_two_relations_of_a_label_the_first_ends_belong_together():
    """Heads and tails are joined in the order of the text; one that is left over makes none."""
    tags = triples_to_tags(read_triples(_column([["in 0 0 1 1", "in 3 3 2 2"]])), LABELS, np.array([5]))
    found = write_triples(tags_to_triples(tags, LABELS), 1).to_pylist()
    assert found == [["in 0 0 1 1", "in 3 3 2 2"]]
    tags.values[3] = 0
    assert write_triples(tags_to_triples(tags, LABELS), 1).to_pylist() == [["in 0 0 1 1"]]


def test_a_relation_counts_only_with_all_its_ends():
    """One end or the label off is one made up and one missed; said twice it counts once."""
    truth = _column([["in 0 0 2 3"], ["in 0 0 2 3"], ["of 1 1 2 2"], []])
    found = _column([["in 0 0 2 3", "in 0 0 2 3"], ["in 0 0 2 2"], [], ["in 0 0 1 1"]])
    assert count_triples(truth, found).tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 1, 0]]


def test_bad_rows_are_told_by_what_is_wrong(adapter: RelationExtraction):
    """Unread, unknown, outside of the sentence, and two entities on one token."""
    relations = _column([["in"], ["near 0 0 1 1"], ["in 0 0 1 2"], ["in 0 1 1 1"], None, []])
    found = adapter.measure({"tokens": _column([["a", "b"]] * 6), "relations": relations})
    assert found["unread"].to_pylist() == [1, 0, 0, 0, 0, 0]
    assert found["unknown"].to_pylist() == [1, 1, 0, 0, 0, 0]
    assert found["outside"].to_pylist() == [1, 0, 1, 0, 0, 0]
    assert found["overlap"].to_pylist()[1:] == [False, False, True, False, False]
    assert found["relations"].to_pylist() == [1, 1, 1, 1, None, 0]


def test_each_relation_has_its_own_score(adapter: RelationExtraction):
    """The report says precision, recall and F1 of every label."""
    rows = pa.table({"relations": _column([["in 0 0 1 1"], ["of 0 0 1 1"]])})
    answers = pa.table({"relations": _column([["in 0 0 1 1"], ["in 0 0 1 1"]]), "confidence": [0.9, 0.8]})
    scores = SCORERS[adapter.scorer](adapter, rows, answers)
    assert scores.metrics["f1"].value == 0.5
    assert scores.per_label["in"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3),
        "rows": 1.0,
    }
    assert scores.per_label["of"]["rows"] == 1.0


def test_init_knows_relations(tmp_path: Path):
    """Tokens and lists of relations are a task of their own, with the relations as labels."""
    path = tmp_path / "rows.jsonl"
    rows = [
        '{"tokens": ["Ada", "in", "Rome"], "relations": ["in 0 0 2 2"]}',
        '{"tokens": ["so"], "relations": []}',
    ]
    path.write_text("\n".join(rows * 5))
    text = draft_agent("facts", path, tmp_path)
    assert "adapter: relation_extraction" in text
    assert "- in\n" in text
