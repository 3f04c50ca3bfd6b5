"""Lists that came as text."""

import pyarrow as pa

from tasks.io.sources.base import LINE
from tasks.io.sources.lists import parse_list_columns


def test_only_tokens_and_tags_are_words_between_blanks():
    """A plain text is one answer, not as many as it has words; an array is a list everywhere."""
    texts = ["New York", '["New York", "Jersey"]', None, ""]
    rows, bad = parse_list_columns(pa.table({LINE: range(4), "tokens": texts, "answers": texts}))
    assert bad.num_rows == 0
    assert rows["tokens"].to_pylist() == [["New", "York"], ["New York", "Jersey"], None, []]
    assert rows["answers"].to_pylist() == [["New York"], ["New York", "Jersey"], None, []]
