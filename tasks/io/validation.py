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

from models.adapters import TaskAdapter, get_adapter
from models.adapters.rows import ENCODING, Check, Rule
from models.schemas import AgentConfig, SourceConfig
from models.text_encoding import invalid_utf8
from tasks.io.sources.base import LINE, bad_rows
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
    unreadable = unreadable_rows(rows)
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
    checks = {check.measure: _column(check, config.labels) for check in get_adapter(config).checks}
    return pandera.DataFrameSchema(checks | time)


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


def _column(check: Check, labels: tuple[str, ...]) -> pandera.Column:
    rules: dict[Rule, list[pandera.Check]] = {
        Rule.PRESENT: [],
        Rule.SOME: [pandera.Check.ge(1, error=check.reason)],
        Rule.NONE: [pandera.Check.eq(0, error=check.reason)],
        Rule.KNOWN: [pandera.Check.isin(list(labels), error=check.reason)],
    }
    return pandera.Column(checks=rules[check.rule])


def unreadable_rows(rows: pa.Table) -> np.ndarray:
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
    adapter = get_adapter(config)
    columns: dict[str, Any] = {LINE: rows[LINE], **adapter.rename(_own(rows, adapter), source.label_map)}
    given = "time" in rows.column_names
    columns["time"] = parse_times(_one(rows, "time")) if given else pa.nulls(len(rows), TIME_TYPE)
    domain = _one(rows, "domain") if "domain" in rows.column_names else None
    fallback = pa.scalar(source.domain, pa.string())
    filled = pa.repeat(fallback, len(rows)) if domain is None else pc.coalesce(_filled(domain), fallback)
    if "document" in rows.column_names:
        columns["document"] = _one(rows, "document")
    return pa.table({**columns, "domain": filled.dictionary_encode()})


def _filled(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def _one(rows: pa.Table, name: str) -> pa.Array:
    column = rows[name]
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _own(rows: pa.Table, adapter: TaskAdapter) -> dict[str, pa.Array]:
    return {name: _one(rows, name) for name in adapter.columns().names}


def _measured(rows: pa.Table, mapped: pa.Table, config: AgentConfig) -> pd.DataFrame:
    adapter = get_adapter(config)
    measures: dict[str, Any] = adapter.measure(_own(mapped, adapter))
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
