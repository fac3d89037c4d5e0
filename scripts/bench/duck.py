"""DuckDB's side of the benchmark: each command is what a competent engineer would write for it, on two threads.

  load RAW OUT CODEC             LOAD files to one file
  loadcsv RAW OUT CODEC          the same where they are CSV, with a header, whose types RAW/../types says
  partition RAW OUT COLUMN       LOAD files to Hive partitions
  merge LAKE CDC KEY CODEC       changes into the files of LAKE that hold a changed key, in place

It has neither a plan nor a condition: a run that dies in the middle leaves some files changed and others not.
zstd is at level 1, which is what sluice's encoder corresponds to. The rest prepares and compares, and is not timed:

  csv RAW OUT                    makes the input of loadcsv: RAW as one file of CSV with gzip, and its types
  wide RAW OUT                   makes the input of the partitioned load: RAW with a column of 1,000 values in no order
  changes CDC OUT COPIES ROWS    makes the changes of a filled lake: those of CDC for every copy, whose keys are less by ROWS
  rows LAKE CDC KEY OUT          ordinals of the rows of each file of LAKE that CDC changes: OUT/FILE.rows, 64-bit integers
  hash COLUMN FILE…              rows and a hash of all rows that does not depend on order; partition column from the path
  fold LAKE CDC KEY              the same for LAKE with the changes of CDC, which is not written
"""

import array
import glob
import os
import sys

import duckdb

db = duckdb.connect(":memory:", config={"threads": "2", "autoinstall_known_extensions": "false"})
db.execute("SET enable_progress_bar = false")


def text(value):
    return "'" + value.replace("'", "''") + "'"


def written(codec):
    return f"FORMAT parquet, COMPRESSION {codec}" + (", COMPRESSION_LEVEL 1" if codec == "zstd" else "")


def load(raw, out, codec):
    db.execute(f"COPY (SELECT 'I' AS Op, * FROM {text(raw + '/LOAD*.parquet')}) TO {text(out)} ({written(codec)})")


def csv(raw, out):
    os.makedirs(out)
    source = f"FROM {text(raw + '/LOAD*.parquet')}"
    with open(os.path.join(os.path.dirname(out), "types"), "w") as types:
        for name, kind, *_ in db.execute(f"DESCRIBE {source}").fetchall():
            types.write(f"{name} {kind}\n")
    target = os.path.join(out, "LOAD00000001.csv.gz")
    db.execute(f"COPY ({source}) TO {text(target)} (FORMAT csv, HEADER true, NULLSTR 'NULL', COMPRESSION gzip)")


def loadcsv(raw, out, codec):
    with open(os.path.join(os.path.dirname(raw), "types")) as types:
        columns = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in (line.split(" ", 1) for line in types.read().splitlines()))
    read = f"read_csv({text(raw + '/LOAD*.csv.gz')}, header = true, nullstr = 'NULL', columns = {{{columns}}})"
    db.execute(f"COPY (SELECT 'I' AS Op, * FROM {read}) TO {text(out)} ({written(codec)})")


def partition(raw, out, column):
    db.execute(
        f"COPY (SELECT 'I' AS Op, * FROM {text(raw + '/LOAD*.parquet')}) TO {text(out)} "
        f"({written('zstd')}, PARTITION_BY ({column}))"
    )


def wide(raw, out):
    os.makedirs(out)
    for name in sorted(glob.glob(raw + "/LOAD*.parquet")):
        target = os.path.join(out, os.path.basename(name))
        db.execute(
            f"COPY (SELECT *, (l_suppkey % 1000)::INT AS l_region FROM {text(name)}) TO {text(target)} "
            "(FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 10240)"
        )


def lakefiles(lake):
    return sorted(glob.glob(lake + "/*.parquet"))


def last(cdc, key):
    db.execute(
        f"CREATE TEMP TABLE changes AS SELECT * EXCLUDE (filename, file_row_number) "
        f"FROM read_parquet({text(cdc + '/*.parquet')}, filename=true, file_row_number=true) "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY filename DESC, file_row_number DESC) = 1"
    )


def merge(lake, cdc, key, codec):
    files = lakefiles(lake)
    last(cdc, key)
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
            f"TO {text(new)} ({written(codec)})"
        )
        os.replace(new, file)


def changes(cdc, out, copies, rows):
    os.makedirs(out)
    db.execute(
        f"CREATE TEMP TABLE shifted AS SELECT row_number() OVER (ORDER BY hash(l_orderkey - k * {rows})) AS number, "
        f"* EXCLUDE (k) REPLACE ((l_orderkey - k * {rows})::BIGINT AS l_orderkey) "
        f"FROM {text(cdc + '/*.parquet')}, range({copies}) r(k)"
    )
    (count,) = db.execute("SELECT count(*) FROM shifted").fetchone()
    for i, first in enumerate(range(1, count + 1, 20_000)):
        target = os.path.join(out, f"20250101-01{i // 60:02}{i % 60:02}000.parquet")
        db.execute(
            f"COPY (SELECT * EXCLUDE (number) FROM shifted WHERE number BETWEEN {first} AND {first + 19_999} ORDER BY number) "
            f"TO {text(target)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 10240)"
        )


def rows(lake, cdc, key, out):
    last(cdc, key)
    os.makedirs(out)
    for file in lakefiles(lake):
        found = db.execute(
            f"SELECT file_row_number FROM read_parquet({text(file)}, file_row_number=true) SEMI JOIN changes USING ({key}) ORDER BY ALL"
        ).fetchall()
        with open(os.path.join(out, os.path.basename(file) + ".rows"), "wb") as f:
            array.array("q", [row for (row,) in found]).tofile(f)


def hashed(source):
    columns = sorted(row[0] for row in db.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    rows = ", ".join('"' + c + '"' for c in columns)
    print(*db.execute(f"SELECT count(*), sum(hash({rows})::HUGEINT) FROM {source}").fetchone())


def hash(column, *files):
    hive = f", hive_partitioning=true, hive_types={{'{column}': INT}}" if column else ""
    hashed(f"read_parquet({list(files)}{hive})")


def fold(lake, cdc, key):
    last(cdc, key)
    hashed(
        f"(SELECT * FROM read_parquet({lakefiles(lake)}) ANTI JOIN changes USING ({key}) "
        f"UNION ALL BY NAME SELECT * FROM changes WHERE Op <> 'D')"
    )


globals()[sys.argv[1]](*sys.argv[2:])
