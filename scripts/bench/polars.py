"""Polars' side of the benchmark, lazily and streaming wherever it can, on two threads:

  load RAW OUT CODEC             LOAD files to one file, by sink_parquet
  loadcsv RAW OUT CODEC          the same where they are CSV, with a header, whose types RAW/../types says
  merge LAKE CDC KEY CODEC       changes into the files of LAKE that hold a changed key, in place

Like DuckDB's side it has neither a plan nor a condition.
"""

import glob
import os
import sys

os.environ["POLARS_MAX_THREADS"] = "2"

import polars as pl  # noqa: E402


def sink(frame, out, codec):
    frame.sink_parquet(out, compression=codec, compression_level=1 if codec == "zstd" else None)


def load(raw, out, codec):
    loads = sorted(glob.glob(raw + "/LOAD*.parquet"))
    sink(pl.scan_parquet(loads).select(pl.lit("I").alias("Op"), pl.all()), out, codec)


def polars_type(kind):
    if kind.startswith("DECIMAL"):
        precision, scale = kind[len("DECIMAL(") : -1].split(",")
        return pl.Decimal(int(precision), int(scale))
    return {"BIGINT": pl.Int64, "INTEGER": pl.Int32, "VARCHAR": pl.String, "DATE": pl.Date}[kind]


def loadcsv(raw, out, codec):
    with open(os.path.join(os.path.dirname(raw), "types")) as types:
        schema = {name: polars_type(kind) for name, kind in (line.split(" ", 1) for line in types.read().splitlines())}
    loads = sorted(glob.glob(raw + "/LOAD*.csv.gz"))
    sink(pl.scan_csv(loads, schema=schema, null_values="NULL").select(pl.lit("I").alias("Op"), pl.all()), out, codec)


def merge(lake, cdc, key, codec):
    files = sorted(glob.glob(lake + "/*.parquet"))
    changes = pl.read_parquet(sorted(glob.glob(cdc + "/*.parquet"))).unique(subset=key, keep="last", maintain_order=True)
    keys = changes.lazy().select(key)
    hits = (
        pl.scan_parquet(files, include_file_paths="file").select(key, "file").join(keys, on=key, how="semi").collect(engine="streaming")
    )
    smallest = min(files, key=os.path.getsize)
    fresh = changes.filter(pl.col("Op") != "D").join(hits, on=key, how="anti").select(key, pl.lit(smallest).alias("file"))
    hits = pl.concat([hits, fresh])
    for file in hits["file"].unique():
        old = pl.scan_parquet(file)
        mine = changes.lazy().join(hits.lazy().filter(pl.col("file") == file), on=key, how="semi").filter(pl.col("Op") != "D")
        new = file + ".new"
        sink(pl.concat([old.join(keys, on=key, how="anti"), mine.select(old.collect_schema().names())]), new, codec)
        os.replace(new, file)


globals()[sys.argv[1]](*sys.argv[2:])
