"""Times of rows: ISO 8601 text, dates, timestamps, or seconds since 1970, all as UTC microseconds."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

TIME_TYPE = pa.timestamp("us", "UTC")
_SECONDS = r"^-?\d{1,11}(\.\d+)?$"


def parse_times(values: pa.Array) -> pa.Array:
    """Parse times; what can't be read becomes null.

    Args:
        values: Valid UTF-8 strings, or any Arrow date or timestamp; without a zone they are UTC.
    """
    kind = values.type
    if pa.types.is_timestamp(kind):
        return values.cast(pa.timestamp("us", kind.tz), safe=False).cast(TIME_TYPE)
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("us")).cast(TIME_TYPE)
    if not pa.types.is_string(kind):
        return pa.nulls(len(values), TIME_TYPE)
    text = pc.utf8_trim_whitespace(values)
    seconds = pc.fill_null(pc.match_substring_regex(text, _SECONDS), False)
    parsed = _parse_iso(pc.if_else(seconds, pa.scalar(None, pa.string()), text))
    if not pc.any(seconds).as_py():
        return parsed
    numbers = pc.if_else(seconds, text, pa.scalar(None, pa.string())).cast(pa.float64())
    micros = pc.cast(pc.round(pc.multiply(numbers, 1e6)), pa.int64())
    return pc.coalesce(parsed, micros.cast(pa.timestamp("us")).cast(TIME_TYPE))


def _parse_iso(text: pa.Array) -> pa.Array:
    series = pd.to_datetime(text.to_pandas(), errors="coerce", utc=True, format="ISO8601")
    micros = series.dt.tz_convert(None).dt.as_unit("us").to_numpy()
    return pa.array(micros, pa.timestamp("us"), from_pandas=True).cast(TIME_TYPE)
