"""Makes a lake of hundreds of small files, as it arrives from others: scatter.py DIRECTORY."""

import datetime, decimal, os, sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

root = sys.argv[1]
db = duckdb.connect()


def folder(shelf):
    path = os.path.join(root, "shelf=%s" % shelf)
    os.makedirs(path, exist_ok=True)
    return path


def duck(shelf, name, sql, options="compression snappy"):
    db.execute("copy (%s) to '%s' (format parquet, %s)" % (sql, os.path.join(folder(shelf), name), options))


rows = "select 'I' as Op, (%d + i)::bigint as id, 'page ' || hash(i) as page, i / 7.0 as price from range(%d) r(i)"

# Sorted, apart, in no order of names: 100 files.
for n in range(100):
    duck(0, "part-%05d.parquet" % (n * 37 % 100), rows % (n * 300, 300))

# Keys all over the place, every codec: 60 files.
for n in range(60):
    codec = ["snappy", "zstd", "gzip", "uncompressed"][n % 4]
    duck(1, "part-%05d.parquet" % n, rows % (1_000_000 + n * 50 * 7919 % 90_000, 50), "compression " + codec)

# Of one row group too large to be copied whole, and far above the target.
duck(2, "large.parquet", "select 'U' as Op, i::bigint as id, md5(i::text) || md5((i + 1)::text) as page, 1.5 as price from range(2000000, 2040000) r(i)",
     "compression uncompressed, row_group_size 1000000")


def arrow(shelf, name, columns, **options):
    pq.write_table(pa.table(columns), os.path.join(folder(shelf), name), **options)


def ids(first, n, t=None):
    return pa.array(range(first, first + n), t or pa.int64())


# Tiny row groups, as DMS writes them, and some larger files between them.
for n in range(3):
    many = 12_000 if n else 3_000
    arrow(3, "dms-%d.parquet" % n,
          {"Op": ["I"] * many, "id": ids(3_000_000 + n * 50_000, many), "page": ["p%d" % (i % 11) for i in range(many)], "price": [None if i % 3 else i / 8 for i in range(many)]},
          row_group_size=100, compression="snappy", data_page_version="2.0" if n % 2 else "1.0")

# Other columns: without one, with one more, in another order, required, without Op.
for n in range(60):
    page, key = ["x%d" % i for i in range(20)], ids(4_000_000 + n * 20, 20)
    columns = [
        {"Op": ["I"] * 20, "id": key},
        {"id": key, "page": page, "Op": ["U"] * 20, "price": [0.5] * 20},
        {"Op": [None] * 20, "id": key, "page": page, "note": ["more"] * 20},
        {"id": key, "page": page},
    ][n % 4]
    table = pa.table(columns)
    if n % 8 == 1:
        table = table.cast(pa.schema([pa.field(f.name, f.type, nullable=False) for f in table.schema]))
    pq.write_table(table, os.path.join(folder(4), "part-%05d.parquet" % n), use_dictionary=n % 3 == 0)

# Other types: narrower ones, which the table's hold, and ones that it does not hold, or only another reading of it.
moment = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)
for n in range(60):
    first = 5_000_000 + n * 20
    page = ["y%d" % i for i in range(20)]
    columns, options = [
        ({"Op": ["I"] * 20, "id": ids(first, 20, pa.int32()), "page": page}, {}),
        ({"Op": ["I"] * 20, "id": ids(first, 20), "at": pa.array([moment] * 20, pa.timestamp("us"))}, {}),
        ({"Op": ["I"] * 20, "id": ids(first, 20), "at": pa.array([moment] * 20, pa.timestamp("ns"))}, {}),
        ({"Op": ["I"] * 20, "id": ids(first, 20), "at": pa.array([moment] * 20, pa.timestamp("ns"))}, {"use_deprecated_int96_timestamps": True}),
        ({"Op": ["I"] * 20, "id": ids(first, 20), "amount": pa.array([decimal.Decimal("12.34")] * 20, pa.decimal128(9, 2))}, {}),
        ({"Op": ["I"] * 20, "id": ids(first, 20), "amount": pa.array([decimal.Decimal("1.2345")] * 20, pa.decimal128(20, 4))}, {}),
        ({"Op": ["I"] * 20, "id": ids(first, 20), "price": pa.array([0.1] * 20, pa.float32())}, {}),
    ][n % 7]
    arrow(5, "part-%05d.parquet" % n, columns, **options)
