"""The labels that a source holds."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import ADAPTERS
from models.adapters.guesses import MOST_LABELS
from models.errors import DataError
from models.schemas import SourceConfig
from tasks.io.sources import batches, open_source
from tasks.io.validation import unreadable_rows


def count_labels(source: SourceConfig, adapter_name: str) -> dict[str, int]:
    """Count the labels, or the entity types, of a whole source by the names that its label_map gives them.

    Raises:
        DataError: It can not be read, or holds fewer labels than the task needs, or too many.
    """
    counts: Counter[str] = Counter()
    adapter = ADAPTERS[adapter_name]
    for batch in batches(open_source(source, adapter_name)):
        rows = batch.rows.filter(pa.array(~unreadable_rows(batch.rows)))
        for item in pc.value_counts(adapter.labels_of(rows)["label"].drop_null()).to_pylist():
            counts[item["values"].strip()] += item["counts"]
    renamed: Counter[str] = Counter()
    for name, count in counts.items():
        renamed[source.label_map.get(name, name)] += count
    counts = renamed
    for nothing in ("", "O"):
        counts.pop(nothing, None)
    if not (adapter.least_labels or 0) <= len(counts) <= MOST_LABELS:
        raise DataError(
            f"{source.address}: {len(counts)} labels found; {adapter.least_labels or 0} to {MOST_LABELS} can "
            "be used."
        )
    return dict(counts.most_common())
