"""DuckDB's side of the benchmark: each command is what a competent engineer would write for it, on two threads.

  load RAW OUT             LOAD files to one zstd file
  partition RAW OUT COL    LOAD files to Hive partitions
  merge LAKE CDC KEY       changes into the files of LAKE that hold a changed key, in place
  wide RAW OUT             makes the input of the partitioned load: RAW with a column of 1,000 values in no order
  hash GLOB COLUMN         rows and a hash of all rows that does not depend on order; partition columns from the path
"""

import glob
import os
import sys

import duckdb

db = duckdb.connect(":memory:", config={"threads": "2", "autoinstall_known_extensions": "false"})
db.execute("SET enable_progress_bar = false")


def text(value):
    return "'" + value.replace("'", "''") + "'"


def load(raw, out):
    db.execute(f"COPY (SELECT 'I' AS Op, * FROM {text(raw + '/LOAD*.parquet')}) TO {text(out)} (FORMAT parquet, COMPRESSION zstd)")


def partition(raw, out, column):
    db.execute(
        f"COPY (SELECT 'I' AS Op, * FROM {text(raw + '/LOAD*.parquet')}) TO {text(out)} "
        f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({column}))"
    )


def wide(raw, out):
    os.makedirs(out)
    for name in sorted(glob.glob(raw + "/LOAD*.parquet")):
        target = os.path.join(out, os.path.basename(name))
        db.execute(
            f"COPY (SELECT *, (l_suppkey % 1000)::INT AS l_region FROM {text(name)}) TO {text(target)} "
            "(FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 10240)"
        )


def merge(lake, cdc, key):
    files = sorted(glob.glob(lake + "/*.parquet"))
    db.execute(
        f"CREATE TEMP TABLE changes AS SELECT * EXCLUDE (filename, file_row_number) "
        f"FROM read_parquet({text(cdc + '/*.parquet')}, filename=true, file_row_number=true) "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY filename DESC, file_row_number DESC) = 1"
    )
    db.execute(
        f"CREATE TEMP TABLE hits AS SELECT {key}, filename AS file FROM read_parquet({files}, filename=true) "
        f"SEMI JOIN changes USING ({key})"
    )
    smallest = min(files, key=os.path.getsize)
    db.execute(f"INSERT INTO hits SELECT {key}, {text(smallest)} FROM changes ANTI JOIN hits USING ({key}) WHERE Op <> 'D'")
    for (file,) in db.execute("SELECT DISTINCT file FROM hits").fetchall():
        new = file + ".new"
        db.execute(
            f"COPY (SELECT * FROM read_parquet({text(file)}) ANTI JOIN changes USING ({key}) UNION ALL BY NAME "
            f"SELECT changes.* FROM changes JOIN hits USING ({key}) WHERE file = {text(file)} AND Op <> 'D') "
            f"TO {text(new)} (FORMAT parquet, COMPRESSION zstd)"
        )
        os.replace(new, file)


def hash(files, column):
    source = f"read_parquet({text(files)}, hive_partitioning=true, hive_types={{'{column}': INT}})" if column else f"read_parquet({text(files)})"
    columns = sorted(row[0] for row in db.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    rows = ", ".join('"' + c + '"' for c in columns)
    print(*db.execute(f"SELECT count(*), sum(hash({rows})::HUGEINT) FROM {source}").fetchone())


globals()[sys.argv[1]](*sys.argv[2:])
