"""The labels that are found in a source of episodes."""

from pathlib import Path

from models.schemas import SourceConfig
from tasks.io.labels import count_labels


def test_labels_are_counted_by_the_names_that_the_source_gives_them(tmp_path: Path):
    """A label map merges names, as ingest does."""
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,pos\nb,positive\nc,neg\n")
    source = SourceConfig(address=str(path), label_map={"pos": "positive", "neg": "negative"})
    assert count_labels(source, "text_classification") == {"positive": 2, "negative": 1}


def test_what_is_no_entity_is_no_label(tmp_path: Path):
    """A type that is renamed to O is none."""
    path = tmp_path / "rows.conll"
    path.write_text("Ann B-PER\nsat O\n\nParis B-LOC\n")
    source = SourceConfig(address=str(path), label_map={"LOC": "O"})
    assert count_labels(source, "token_classification") == {"PER": 1}
