"""The other end of rig.DuckDB: SQL in, rows out, one JSON object a line, until standard input ends.

Every reader has a database of its own, in memory; requests name it by number.
  {"db": 1, "sql": "...", "args": [...]}  ->  {"columns": [...], "rows": [[...], ...]}  or  {"error": "..."}
  {"db": 1, "close": true}                ->  {"columns": [], "rows": []}

Values are exact: they are taken from the Arrow form of the result, never through Python's dates or floats of fewer
digits. The shapes are listed at Reader in duckdb.go.
"""

import json
import sys
from datetime import date, timedelta

import duckdb
import pyarrow as pa

SETTINGS = {"autoinstall_known_extensions": "false", "threads": "2"}
DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
EPOCH = date(1970, 1, 1)
INFINITY = {2**63 - 1: "infinity", -(2**63 - 1): "-infinity"}


def clock(units, unit):
    """A time of day, given in units since midnight: HH:MM:SS and six digits, nine for nanoseconds."""
    digits = DIGITS[unit]
    seconds, fraction = divmod(units, 10**digits)
    shown = max(digits, 6)
    fraction *= 10 ** (shown - digits)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:0{shown}d}"


def day(days):
    """A date, given in days since 1970-01-01; a plain count where the calendar of Python ends."""
    try:
        return (EPOCH + timedelta(days=days)).isoformat()
    except OverflowError:
        return f"epoch{days:+d}d"


def instant(units, unit, zone):
    if units in INFINITY:
        return INFINITY[units]
    days, rest = divmod(units, 86400 * 10 ** DIGITS[unit])
    return f"{day(days)} {clock(rest, unit)}" + ("Z" if zone else "")


def number(value):
    """A float as JSON can hold it: infinities and NaN become text."""
    if value is None or value - value == 0:
        return value
    return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")


def whole(value):
    """An integer, as text where 64 signed bits do not hold it."""
    return value if value is None or -(2**63) <= value < 2**63 else str(value)


def each(array, show):
    return [None if v is None else show(v) for v in array.to_pylist()]


def integers(array, width):
    """The numbers behind a date, time or timestamp column."""
    return array.view(width)


def values(array, duck=None):
    """The JSON form of an Arrow array. duck is the DuckDB type where Arrow's does not say enough."""
    t = array.type
    if isinstance(t, pa.ExtensionType):
        return values(array.storage, duck)
    if pa.types.is_timestamp(t):
        return each(integers(array, pa.int64()), lambda v: instant(v, t.unit, t.tz))
    if pa.types.is_date32(t):
        return each(integers(array, pa.int32()), day)
    if pa.types.is_time64(t) or pa.types.is_time32(t):
        width = pa.int64() if pa.types.is_time64(t) else pa.int32()
        return each(integers(array, width), lambda v: clock(v, t.unit))
    if pa.types.is_decimal(t):
        huge = duck in ("HUGEINT", "UHUGEINT")
        return each(array, lambda v: whole(int(v)) if huge else format(v, "f"))
    if pa.types.is_floating(t):
        return each(array, number)
    if pa.types.is_integer(t):
        return each(array, whole)
    if pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return each(array, lambda v: v.hex())
    if pa.types.is_dictionary(t):
        return values(array.dictionary_decode(), duck)
    if pa.types.is_boolean(t) or pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_null(t):
        return array.to_pylist()
    return nested(array)


def nested(array):
    """Lists, maps (as lists of key and value) and structs (as objects)."""
    t = array.type
    if pa.types.is_map(t):
        keys, items = values(array.keys), values(array.items)
        return cut(array, [{"key": k, "value": v} for k, v in zip(keys, items)])
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return cut(array, values(array.values))
    if pa.types.is_fixed_size_list(t):
        return [v if v is None else values(pa.array(v, t.value_type)) for v in array.to_pylist()]
    if pa.types.is_struct(t):
        names = [t.field(i).name for i in range(t.num_fields)]
        parts = [values(array.field(i)) for i in range(t.num_fields)]
        rows = [dict(zip(names, row)) for row in zip(*parts)]
        return [row if ok else None for row, ok in zip(rows, array.is_valid().to_pylist())]
    return each(array, str)  # intervals


def cut(array, flat):
    """The flat values of a list array, cut where its lists begin and end."""
    ends = array.offsets.to_pylist()
    ok = array.is_valid().to_pylist()
    return [flat[ends[i] : ends[i + 1]] if ok[i] else None for i in range(len(array))]


def answer(databases, request):
    number_ = request["db"]
    if request.get("close"):
        if number_ in databases:
            databases.pop(number_).close()
        return {"columns": [], "rows": []}
    if number_ not in databases:
        databases[number_] = duckdb.connect(":memory:", config=SETTINGS)
    run = databases[number_].execute(request["sql"], request.get("args") or None)
    if run.description is None:
        return {"columns": [], "rows": []}
    types = [str(column[1]) for column in run.description]
    table = run.to_arrow_table()
    columns = [
        [v for chunk in column.chunks for v in values(chunk, types[i])] for i, column in enumerate(table.columns)
    ]
    return {"columns": table.column_names, "rows": [list(row) for row in zip(*columns)]}


def main():
    databases = {}
    for line in sys.stdin:
        try:
            reply = answer(databases, json.loads(line))
        except Exception as err:  # whatever it is belongs to the test that asked
            reply = {"error": f"{type(err).__name__}: {err}"}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


main()
