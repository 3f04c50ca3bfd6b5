"""What a drift check sees of rows and predictions."""

from collections.abc import Callable

import pyarrow as pa

from models.adapters import get_adapter
from models.drift_window import count_labels, texts_of
from models.schemas import AgentConfig


def test_a_text_counts_its_class(make_config: Callable[..., AgentConfig]):
    """Each row has one label."""
    adapter = get_adapter(make_config("text_classification"))
    counts = count_labels(adapter, pa.table({"label": ["pos", "neg"]}))
    assert counts.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_tags_count_their_entities(make_config: Callable[..., AgentConfig]):
    """An entity of two words counts once, a row without one counts nothing."""
    adapter = get_adapter(make_config("token_classification"))
    tags = [["B-loc", "I-loc", "B-loc", "B-per"], ["O"]]
    assert count_labels(adapter, pa.table({"tags": tags})).tolist() == [[2, 1], [0, 0]]


def test_what_the_agent_no_longer_knows_is_not_counted(make_config: Callable[..., AgentConfig]):
    """A champion of an earlier label set may predict labels that are gone."""
    texts = pa.table({"label": ["mixed", "neg"]})
    assert count_labels(get_adapter(make_config("text_classification")), texts).tolist() == [
        [0] * 3,
        [1, 0, 0],
    ]
    tags = pa.table({"tags": [["B-org", "I-org", "B-per"]]})
    assert count_labels(get_adapter(make_config("token_classification")), tags).tolist() == [[0, 1]]


def test_tokens_are_shown_as_text(make_config: Callable[..., AgentConfig]):
    """A person reads the tokens with spaces between them."""
    tags, texts = (get_adapter(make_config(name)) for name in ("token_classification", "text_classification"))
    assert texts_of(tags, pa.table({"tokens": [["New", "York"], []]})) == ["New York", ""]
    assert texts_of(texts, pa.table({"text": ["as it is", None]})) == ["as it is", ""]
