"""Every value of Parquet files, bit by bit, as pyarrow reads it.

    python exact.py FILE…      prints {"FILE": {"types": {"column": "type"}, "rows": [{"column": "value"}, …]}, …}

NULL is null; floats are their bits, text and binary their bytes in hex digits (text is not decoded, so that what is no UTF-8 counts,
too), dates days, times and timestamps counts of their unit.
"""
import json, sys

import pyarrow as pa, pyarrow.parquet as pq


def cells(column):
    t = column.type
    if pa.types.is_floating(t):
        bits = t.bit_width
        raw = column.view(pa.uint32() if bits == 32 else pa.uint64())
        return ["%0*x" % (bits // 4, v) if v is not None else None for v in raw.to_pylist()]
    if pa.types.is_string(t) or pa.types.is_binary(t):
        return [v.hex() if v is not None else None for v in column.view(pa.binary()).to_pylist()]
    if pa.types.is_fixed_size_binary(t) and not pa.types.is_decimal(t):
        return [v.hex() if v is not None else None for v in column.to_pylist()]
    if pa.types.is_temporal(t):
        raw = column.view(pa.int32() if t.bit_width == 32 else pa.int64())
        return [str(v) if v is not None else None for v in raw.to_pylist()]
    return [format(v, "f") if pa.types.is_decimal(t) and v is not None else str(v) if v is not None else None for v in column.to_pylist()]


def read(path):
    f = pq.ParquetFile(path)
    table = f.read()
    types = {}
    for c in range(len(f.schema)):
        column = f.schema.column(c)
        types[column.name] = "%s %s" % (column.physical_type, table.schema.field(c).type)
    columns = {name: cells(table.column(name).combine_chunks() if table.column(name).num_chunks != 1 else table.column(name).chunk(0)) for name in table.column_names}
    return {"types": types, "rows": [dict(zip(columns, row)) for row in zip(*columns.values())]}


print(json.dumps({path: read(path) for path in sys.argv[1:]}))
