"""Writes the files of this folder that come from a real Spark, that is from parquet-mr, and their digests in want.json.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pyarrow 'pyspark==3.5.*'     (and a Java 17)
    /tmp/venv/bin/python make_spark.py

Pages hold 40 rows, so that a small file has many; a dictionary is given up after a few hundred bytes.
"""
import datetime as dt, decimal, glob, math, os, shutil, tempfile

from pyspark.sql import SparkSession
from pyspark.sql.types import *

import digest

D = decimal.Decimal
rows = 400


def null(i, v, every=7):
    return None if i % every == 3 or 80 <= i < 130 else v


def row(i):
    """One row. Rows 80 to 129 are NULL in every column but the first: a whole page and parts of its neighbors."""
    return (
        i, null(i, i % 100 - 50), null(i, (i * 7919) % 1000 - 500), null(i, i / 3), null(i, math.nan if i == 5 else i / 7),
        null(i, i % 3 == 0), null(i, "städt-%d" % (i % 9)), null(i, "%d-" % i + "x" * (i % 30)),
        null(i, bytes([i % 251, i * 7 % 256])), null(i, D(i * 1001 - 300000) / 100), null(i, D(i) ** 9 * (-1) ** i),
        null(i, dt.date(1969, 12, 1) + dt.timedelta(i)), null(i, dt.datetime(2024, 2, 29, 12, 0) + dt.timedelta(microseconds=i)), None,
    )


schema = StructType([StructField(name, t, name != "id") for name, t in [
    ("id", LongType()), ("i8", ByteType()), ("i32", IntegerType()), ("f", FloatType()), ("d", DoubleType()), ("b", BooleanType()),
    ("s", StringType()), ("long", StringType()), ("bin", BinaryType()), ("dec", DecimalType(15, 2)), ("wide", DecimalType(38, 0)),
    ("day", DateType()), ("ts", TimestampType()), ("none", IntegerType()),
]])

small = {
    "parquet.page.row.count.limit": "40", "parquet.page.size.row.check.min": "10", "parquet.dictionary.page.size": "700",
    "parquet.block.size.row.check.min": "100", "parquet.block.size.row.check.max": "100",
}
files = {
    # Spark as it comes: V1 pages, snappy, INT96, the page index; its pages made small.
    "spark_v1.parquet": ({}, {"compression": "snappy"}),
    # What jobs write that must please old readers of Hive: FLBA decimals, no decimals in integers.
    "spark_legacy_gzip.parquet": ({"spark.sql.parquet.writeLegacyFormat": "true"}, {"compression": "gzip", "parquet.page.write-checksum.enabled": "false"}),
    # V2 pages: DELTA_*, RLE booleans; several row groups; microseconds.
    "spark_v2_zstd.parquet": ({"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"},
                              {"compression": "zstd", "parquet.writer.version": "v2", "parquet.block.size": "20000"}),
    # Bloom filters beside dictionaries, one of which is given up; not compressed, milliseconds, several row groups.
    "spark_bloom_none.parquet": ({"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS"},
                                 {"compression": "none", "parquet.bloom.filter.enabled": "true", "parquet.bloom.filter.max.bytes": "1024",
                                  "parquet.bloom.filter.expected.ndv#id": "400", "parquet.bloom.filter.expected.ndv#long": "400",
                                  "parquet.block.size": "20000"}),
}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    base = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
    spark = base.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    df = spark.createDataFrame([row(i) for i in range(rows)], schema).coalesce(1)
    for name, (conf, options) in files.items():
        for k, v in conf.items():
            spark.conf.set(k, v)
        with tempfile.TemporaryDirectory() as d:
            df.write.mode("overwrite").options(**{**small, **options}).parquet(d + "/out")
            (part,) = glob.glob(d + "/out/*.parquet")
            shutil.copy(part, os.path.join(here, name))
        for k in conf:
            spark.conf.unset(k)
    spark.stop()
    digest.record(files)


main()
