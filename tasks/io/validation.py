"""Judge rows: a pandera schema over measures of each row; a bad row gets the first reason that holds.

The measures (lengths, counts, mapped labels) are taken by Arrow and numpy for all rows at once. What a
reader alone can see (broken JSON, a wrong number of fields) is told by the sources.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from models.schemas import AgentConfig, SourceConfig
from models.text_encoding import holds, invalid_utf8
from tasks.io.sources.base import ENCODING, LINE, bad_rows
from tasks.io.tag_columns import map_tags, measure_tags
from tasks.io.times import TIME_TYPE, parse_times


@dataclass(frozen=True)
class Checked:
    """Rows after validation: those that hold, with mapped labels and times, and the others."""

    rows: pa.Table
    bad: pa.Table


def validate(rows: pa.Table, config: AgentConfig, source: SourceConfig) -> Checked:
    """Check rows and map their labels; every row comes out on one of the two sides.

    Args:
        rows: `line` and one column a role, as a source gave them.
        config: The agent; adapter, labels and split_by are used.
        source: Where the rows come from; its label map is used.
    """
    rows = rows.combine_chunks()
    unreadable = _unreadable(rows)
    aside = [bad_rows(rows.filter(pa.array(unreadable)), [ENCODING] * int(unreadable.sum()))]
    rows = rows.filter(pa.array(~unreadable)).combine_chunks() if unreadable.any() else rows
    mapped = _mapped(rows, config, source)
    reasons = first_reasons(_measured(rows, mapped, config), row_schema(config))
    failed = pc.is_valid(reasons)
    if pc.any(failed).as_py():
        aside.append(bad_rows(rows.filter(failed), reasons.filter(failed)))
        mapped = mapped.filter(pc.invert(failed))
    return Checked(mapped, pa.concat_tables(aside))


def row_schema(config: AgentConfig) -> pandera.DataFrameSchema:
    """Say what a good row's measures are, in the order in which reasons are told."""
    time = {
        "time_read": pandera.Column(checks=[pandera.Check.eq(True, error="unreadable time")], required=False),
        "time": pandera.Column(nullable=config.split_by != "time", required=False),
    }
    if config.adapter == "text_classification":
        return pandera.DataFrameSchema(
            {
                "text": _at_least_one("empty text"),
                "undamaged": pandera.Column(checks=[pandera.Check.eq(True, error=ENCODING)]),
                "label": pandera.Column(
                    checks=[pandera.Check.isin(list(config.labels), error="unknown label")]
                ),
                **time,
            }
        )
    counts = {
        "empty_tokens": "empty token",
        "damaged_tokens": ENCODING,
        "surplus": "different numbers of tokens and tags",
        "unknown_tags": "unknown tag",
        "broken_bio": "invalid BIO",
    }
    return pandera.DataFrameSchema(
        {
            "tokens": _at_least_one("no tokens"),
            "tags": pandera.Column(),
            **{name: pandera.Column(checks=[pandera.Check.eq(0, error=why)]) for name, why in counts.items()},
            **time,
        }
    )


def first_reasons(measures: pd.DataFrame, schema: pandera.DataFrameSchema) -> pa.Array:
    """Give each row's first failed check in the schema's order, null where all hold.

    The schema's checks are called one by one: its `validate` would spend most of its time on a report of
    each failure, which the quarantine holds already.
    """
    reasons = np.full(len(measures), None, object)
    open_rows = np.ones(len(measures), bool)
    for name, column in schema.columns.items():
        if name not in measures:
            continue
        values = measures[name]
        missing = values.isna().to_numpy()
        faults = [] if column.nullable else [(f"missing {name}", missing)]
        for check in column.checks:
            # pandera leaves nulls out: the answer's index tells which rows it is about.
            answer = check(values).check_output
            failed = np.zeros(len(measures), bool)
            failed[answer.index[~answer.to_numpy(bool)]] = True
            faults.append((str(check.error), failed))
        for reason, failed in faults:
            reasons[failed & open_rows] = reason
            open_rows &= ~failed
    return pa.array(reasons, pa.string())


def _at_least_one(reason: str) -> pandera.Column:
    return pandera.Column(checks=[pandera.Check.ge(1, error=reason)])


def _unreadable(rows: pa.Table) -> np.ndarray:
    """Find rows with bytes that are no UTF-8 in any column."""
    found = np.zeros(len(rows), bool)
    for column in rows.columns:
        values = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        if pa.types.is_string(values.type):
            found |= invalid_utf8(values)
        elif pa.types.is_list(values.type):
            inside = invalid_utf8(values.flatten())
            if inside.any():
                found[pc.list_parent_indices(values).to_numpy()[inside]] = True
    return found


def _mapped(rows: pa.Table, config: AgentConfig, source: SourceConfig) -> pa.Table:
    """Rename labels, parse times, and fill the columns that every source gives."""
    columns: dict[str, Any] = {LINE: rows[LINE]}
    if config.adapter == "text_classification":
        columns |= {"text": rows["text"], "label": _map_labels(_one(rows, "label"), source.label_map)}
    else:
        columns |= {"tokens": rows["tokens"], "tags": map_tags(_one(rows, "tags"), source.label_map)}
    given = "time" in rows.column_names
    columns["time"] = parse_times(_one(rows, "time")) if given else pa.nulls(len(rows), TIME_TYPE)
    domain = _one(rows, "domain") if "domain" in rows.column_names else None
    fallback = pa.scalar(source.domain, pa.string())
    filled = pa.repeat(fallback, len(rows)) if domain is None else pc.coalesce(_filled(domain), fallback)
    return pa.table({**columns, "domain": filled.dictionary_encode()})


def _map_labels(labels: pa.Array, renames: dict[str, str]) -> pa.DictionaryArray:
    """Rename on the distinct labels only; an empty label counts as missing."""
    coded = _filled(pc.utf8_trim_whitespace(labels)).dictionary_encode()
    # Several names may become one, and a dictionary holds each name once.
    renamed = [renames.get(name, name) for name in coded.dictionary.to_pylist()]
    names = pa.array(renamed, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(names.indices.take(coded.indices), names.dictionary)


def _filled(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def _one(rows: pa.Table, name: str) -> pa.Array:
    column = rows[name]
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _measured(rows: pa.Table, mapped: pa.Table, config: AgentConfig) -> pd.DataFrame:
    measures: dict[str, Any]
    if config.adapter == "text_classification":
        text = _one(mapped, "text")
        measures = {
            "text": pc.binary_length(pc.utf8_trim_whitespace(text)),
            "undamaged": pa.array(~(holds(text, "\x00") | holds(text, "\ufffd"))),
            "label": _one(mapped, "label"),
        }
    else:
        measures = measure_tags(_one(mapped, "tokens"), _one(mapped, "tags"), config.labels)
    if "time" in rows.column_names:
        given, time = _one(rows, "time"), _one(mapped, "time")
        blank = pc.equal(given, "") if pa.types.is_string(given.type) else pc.is_null(given)
        measures |= {"time_read": pc.or_(pc.is_valid(time), pc.fill_null(blank, True)), "time": time}
    return pd.DataFrame({name: _series(values) for name, values in measures.items()})


def _series(values: pa.Array) -> Any:  # noqa: ANN401 - numpy where there is no null, for speed
    if pa.types.is_dictionary(values.type):
        return values.to_pandas()
    if values.null_count or pa.types.is_timestamp(values.type):
        return pd.arrays.ArrowExtensionArray(values)
    return values.to_numpy(zero_copy_only=False)
