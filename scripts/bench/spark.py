"""Spark's side of the benchmark, after the job of the AWS sample, on two threads of one JVM with 3 GiB:

  merge LAKE CDC KEY CODEC WARM  changes into the files of LAKE that hold a changed key: new files, then the old are deleted

It merges into WARM first, a copy of LAKE, and prints what the second merge took of the JVM that is warm then: wall
seconds, CPU seconds and the JVM's peak resident bytes. Readers see rows twice while it runs.
"""

import os
import sys
import time

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

SETTINGS = {
    "spark.driver.memory": "3g",
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
}


def start(codec):
    builder = SparkSession.builder.master("local[2]").appName("bench").config("spark.sql.parquet.compression.codec", codec)
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def once(spark, lake, cdc, key):
    order = Window.partitionBy(key).orderBy(F.col("file").desc(), F.col("row").desc())
    numbered = spark.read.parquet(cdc).withColumn("file", F.input_file_name()).withColumn("row", F.monotonically_increasing_id())
    changes = numbered.withColumn("n", F.row_number().over(order)).filter("n = 1").drop("file", "row", "n").cache()
    target = spark.read.parquet(lake).select(key, F.input_file_name().alias("file"))
    hits = [row.file for row in target.join(changes.select(key), key, "left_semi").select("file").distinct().collect()]
    old = spark.read.parquet(*hits)
    merged = old.join(changes.select(key), key, "left_anti").unionByName(changes.filter("Op <> 'D'"))
    merged.coalesce(len(hits)).write.mode("append").parquet(lake)
    for file in hits:
        os.remove(file.removeprefix("file://"))
    changes.unpersist()


def used(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmHWM:"))


def merge(lake, cdc, key, codec, warm):
    spark = start(codec)
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    once(spark, warm, cdc, key)
    began, cpu = time.monotonic(), used(pid)
    once(spark, lake, cdc, key)
    print(time.monotonic() - began, used(pid) - cpu, peak(pid))
    spark.stop()


globals()[sys.argv[1]](*sys.argv[2:])
