"""Files as pyarrow writes them, with types and encodings that DMS does not use.

    python write.py LOAD CHANGES ENCODINGS      ENCODINGS: plain, dictionary or delta

The load has the ids 0 to 19. The changes update the even ones, insert 20 to 29 and delete 1 and 21.
"""
import datetime, decimal, sys

import pyarrow as pa, pyarrow.parquet as pq

DAY = 86400 * 10**6
LEAST = -62135596800 * 10**6  # 0001-01-01 in microseconds
MOST = 253402300799 * 10**6 + 999999  # 9999-12-31 23:59:59.999999

VALUES = [
    ("u8", pa.uint8(), [0, 128, 255]),
    ("u16", pa.uint16(), [0, 1 << 15, 65535]),
    ("u32", pa.uint32(), [0, 1 << 31, 2**32 - 1]),
    ("u64", pa.uint64(), [0, 2**63 - 1, 2**63, 2**64 - 1]),
    ("i8", pa.int8(), [-128, 0, 127]),
    ("i16", pa.int16(), [-(2**15), 2**15 - 1]),
    ("i32", pa.int32(), [-(2**31), 2**31 - 1]),
    ("i64", pa.int64(), [-(2**63), 2**53 + 1, 2**63 - 1]),
    ("d9", pa.decimal128(9, 4), ["-99999.9999", "0.0001", "99999.9999"]),
    ("d18", pa.decimal128(18, 6), ["-999999999999.999999", "0.000001"]),
    ("d38", pa.decimal128(38, 10), ["-" + "9" * 28 + "." + "9" * 10, "0", "0.0000000001"]),
    ("f", pa.float32(), [float("nan"), -0.0, float("inf"), 1e-45, 3.4028234663852886e38]),
    ("g", pa.float64(), [float("nan"), -0.0, float("-inf"), 5e-324, 1.7976931348623157e308]),
    ("s", pa.string(), ["", "NULL", "\x00", "é", "long " * 500]),
    ("b", pa.binary(), [b"", b"\xff\xfe", bytes(range(256))]),
    ("x", pa.binary(16), [bytes(16), bytes(range(16)), b"\xff" * 16]),
    ("day", pa.date32(), [-719162, -1, 0, 2932896]),
    ("tms", pa.time32("ms"), [0, 45296789, 86399999]),
    ("tus", pa.time64("us"), [0, 45296789012, 86399999999]),
    ("tns", pa.time64("ns"), [0, 45296789012345, 86399999999999]),
    ("ms", pa.timestamp("ms"), [LEAST // 1000, -1, MOST // 1000]),
    ("us", pa.timestamp("us"), [LEAST, -1, -9223372036854776, MOST]),
    ("utc", pa.timestamp("us", "UTC"), [LEAST, -1, MOST]),
    ("ns", pa.timestamp("ns"), [-(2**63) + 1, -1, 2**63 - 1]),
    ("t", pa.bool_(), [True, False]),
]


def typed(values, t):
    if pa.types.is_decimal(t):
        return pa.array([v and decimal.Decimal(v) for v in values], t)
    if pa.types.is_temporal(t):
        bits = pa.int32() if t.bit_width == 32 else pa.int64()
        return pa.array(values, bits).view(t)
    return pa.array(values, t)


def table(rows, ops=None):
    """rows are (id, version); a version of None is a delete, which has the key alone."""
    columns = {"Op": pa.array(ops)} if ops else {}
    columns["id"] = pa.array([i for i, _ in rows], pa.int32())
    for name, t, values in VALUES:
        n = len(values) + 1
        columns[name] = typed([None if v is None or v % n == n - 1 else values[v % n] for _, v in rows], t)
    return pa.table(columns)


def encoding(t):
    if pa.types.is_boolean(t):
        return "RLE"
    if pa.types.is_decimal(t):
        return "DELTA_BINARY_PACKED" if t.precision <= 18 else "BYTE_STREAM_SPLIT"
    if pa.types.is_integer(t) or pa.types.is_temporal(t):
        return "DELTA_BINARY_PACKED"
    if pa.types.is_floating(t) or pa.types.is_fixed_size_binary(t):
        return "BYTE_STREAM_SPLIT"
    return "DELTA_LENGTH_BYTE_ARRAY" if pa.types.is_string(t) else "DELTA_BYTE_ARRAY"


def write(path, t, encodings):
    options = {"use_dictionary": encodings == "dictionary"}
    if encodings == "delta":
        options.update(data_page_version="2.0", compression="zstd", column_encoding={f.name: encoding(f.type) for f in t.schema})
    pq.write_table(t, path, version="2.6", store_decimal_as_integer=True, row_group_size=7, **options)


load, changes, encodings = sys.argv[1:]
write(load, table([(i, i) for i in range(20)]), encodings)
rows = [(i, i + 3) for i in range(0, 20, 2)] + [(i, i + 1) for i in range(20, 30)] + [(1, None), (21, None)]
write(changes, table(rows, ["U"] * 10 + ["I"] * 10 + ["D"] * 2), encodings)
