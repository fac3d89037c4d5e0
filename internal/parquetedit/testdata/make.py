"""Writes the foreign files of this folder, and want.json: the SHA-256 of the printed values of every column.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pyarrow duckdb polars
    /tmp/venv/bin/python make.py
"""
import datetime as dt, decimal, math, os, struct
import duckdb, polars as pl, pyarrow as pa, pyarrow.parquet as pq

import digest

here = os.path.dirname(os.path.abspath(__file__))
D = decimal.Decimal
utc = dt.timezone.utc
epoch = dt.datetime(2024, 2, 29, 12, 34, 56, 789000)
rows = 600


def null(i, v, every=7):
    return None if i % every == 3 else v


def table():
    cols = {
        "id": pa.array(range(rows), pa.int64()),
        "i8": pa.array([null(i, i % 100 - 50) for i in range(rows)], pa.int8()),
        "u16": pa.array([null(i, i * 3) for i in range(rows)], pa.uint16()),
        "i32": pa.array([null(i, (i * 7919) % 1000 - 500) for i in range(rows)], pa.int32()),
        "u64": pa.array([null(i, 2**64 - 1 - i) for i in range(rows)], pa.uint64()),
        "f": pa.array([null(i, i / 3) for i in range(rows)], pa.float32()),
        "d": pa.array([null(i, math.nan if i == 5 else i / 7) for i in range(rows)], pa.float64()),
        "b": pa.array([null(i, i % 3 == 0) for i in range(rows)], pa.bool_()),
        "s": pa.array([null(i, "städt-%d" % (i % 40)) for i in range(rows)], pa.string()),
        "long": pa.array([null(i, "%d-" % i + "x" * (i % 50)) for i in range(rows)], pa.string()),
        "bin": pa.array([null(i, struct.pack(">I", i * 2654435761 % 2**32)) for i in range(rows)], pa.binary()),
        "fix": pa.array([null(i, struct.pack(">IH", i % 5, i)) for i in range(rows)], pa.binary(6)),
        "dec": pa.array([null(i, D(i * 1001 - 300000) / 100) for i in range(rows)], pa.decimal128(15, 2)),
        "wide": pa.array([null(i, D(i) ** 9 * (-1) ** i) for i in range(rows)], pa.decimal128(38, 0)),
        "day": pa.array([null(i, dt.date(1969, 12, 1) + dt.timedelta(i)) for i in range(rows)], pa.date32()),
        "ms": pa.array([null(i, epoch + dt.timedelta(seconds=i)) for i in range(rows)], pa.timestamp("ms")),
        "us": pa.array([null(i, epoch + dt.timedelta(microseconds=i)) for i in range(rows)], pa.timestamp("us", "UTC")),
        "tm": pa.array([null(i, dt.time(i % 24, i % 60, 1, 250)) for i in range(rows)], pa.time64("us")),
        "none": pa.array([None] * rows, pa.int32()),
    }
    return pa.table(cols)


def write(name, t, **kw):
    path = os.path.join(here, name)
    pq.write_table(t, path, **kw)
    return path


def main():
    t = table()
    small = t.slice(0, 200)
    made = [
        write("arrow_default.parquet", t.slice(0, 250), row_group_size=100),
        write("arrow_v2_zstd_index.parquet", small, compression="zstd", data_page_version="2.0", row_group_size=120,
              write_page_index=True, data_page_size=512, write_batch_size=50, write_page_checksum=True),
        write("arrow_none_plain.parquet", small.select(["id", "i32", "d", "b", "s", "dec", "none"]), compression="none",
              use_dictionary=False, row_group_size=80, store_schema=False),
        write("arrow_gzip_intdecimal.parquet", small.set_column(12, "dec", small["dec"].cast(pa.decimal128(15, 2)))
              .append_column("d9", pa.array([null(i, D(i) / 4) for i in range(200)], pa.decimal128(9, 2))),
              compression="gzip", store_decimal_as_integer=True, row_group_size=150),
        write("arrow_brotli.parquet", small.select(["id", "s", "long"]), compression="brotli"),
        write("arrow_delta.parquet", small.select(["id", "i32", "u64", "ms", "s", "long", "bin", "fix", "f", "d"]),
              use_dictionary=False, row_group_size=90, compression="snappy", column_encoding={
                  "id": "DELTA_BINARY_PACKED", "i32": "DELTA_BINARY_PACKED", "u64": "DELTA_BINARY_PACKED",
                  "ms": "BYTE_STREAM_SPLIT", "s": "DELTA_BYTE_ARRAY", "long": "DELTA_LENGTH_BYTE_ARRAY",
                  "bin": "DELTA_BYTE_ARRAY", "fix": "BYTE_STREAM_SPLIT", "f": "BYTE_STREAM_SPLIT", "d": "BYTE_STREAM_SPLIT"}),
        write("spark_like.parquet", small.drop_columns(["u16", "u64", "tm"]), version="1.0", flavor="spark",
              use_deprecated_int96_timestamps=True, compression="snappy", data_page_version="1.0"),
        write("arrow_required.parquet", pa.table([small["id"], pa.array(["k%d" % i for i in range(200)])], schema=pa.schema([
            pa.field("id", pa.int64(), nullable=False), pa.field("k", pa.string(), nullable=False)])), row_group_size=64),
        write("arrow_empty.parquet", t.slice(0, 0)),
    ]
    duck = os.path.join(here, "duckdb_zstd.parquet")
    con = duckdb.connect()
    con.register("t", t.slice(0, 300))
    con.execute(f"copy (select * exclude (tm) from t) to '{duck}' (format parquet, compression zstd, row_group_size 2048)")
    made.append(duck)
    duck2 = os.path.join(here, "duckdb_v2_snappy.parquet")
    con.execute(f"copy (select id, i32, s, long, d, dec, us from t) to '{duck2}' (format parquet, parquet_version v2)")
    made.append(duck2)
    pol = os.path.join(here, "polars_zstd.parquet")
    pl.from_arrow(t.slice(0, 200).drop_columns(["fix"])).write_parquet(pol, compression="zstd", row_group_size=100, data_page_size=600)
    made.append(pol)
    digest.record(os.path.basename(p) for p in made)


main()
