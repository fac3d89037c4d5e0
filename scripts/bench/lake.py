"""Makes lakes as Spark leaves them (parquet-mr 1.11 or later), by pyarrow:

  spark RAW OUT FILES      LOAD files to so many lake files
  fill LAKE OUT COPIES     a lake of so many copies of the files of LAKE
  huge LAKE OUT COPIES GROUPS   one file with so many row groups, each of so many copies of LAKE

A lake file is one row group with snappy, V1 data pages of at most 20,000 rows or 1 MiB, a page index and no bloom
filter; decimals are integers; Op comes last, where the AWS sample's full load appends it. Columns have the dictionary
that parquet-mr would have kept: it drops one that is no smaller than the plain values of the first page.
A copy has the keys of the one before less its number of rows, so that they do not meet.
"""

import glob
import os
import sys
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

KEY = "l_orderkey"
PLAIN = {KEY, "l_partkey", "l_extendedprice", "l_comment"}


def writer(path, schema):
    return pq.ParquetWriter(
        path,
        schema,
        version="1.0",
        compression="snappy",
        use_dictionary=[name for name in schema.names if name not in PLAIN],
        data_page_version="1.0",
        data_page_size=1 << 20,
        max_rows_per_page=20_000,
        write_page_index=True,
        store_decimal_as_integer=True,
        store_schema=False,
    )


def write(out, number, table):
    name = f"part-{number:05}-{uuid.uuid4()}-c000.snappy.parquet"
    with writer(os.path.join(out, name), table.schema) as w:
        w.write_table(table, row_group_size=table.num_rows)


def files(lake):
    return sorted(glob.glob(lake + "/*.parquet"))


def rows(paths):
    return sum(pq.read_metadata(path).num_rows for path in paths)


def spark(raw, out, count):
    loads = sorted(glob.glob(raw + "/LOAD*.parquet"))
    size = -(-rows(loads) // int(count))
    number, have, pending = 0, 0, []
    for batch in (b for path in loads for b in pq.ParquetFile(path).iter_batches()):
        pending.append(batch.append_column("Op", pa.repeat("I", batch.num_rows)))
        have += batch.num_rows
        while have >= size:
            table = pa.Table.from_batches(pending)
            write(out, number, table.slice(0, size))
            number, have, pending = number + 1, have - size, table.slice(size).to_batches()
    if have:
        write(out, number, pa.Table.from_batches(pending))


def copy(path, shift):
    table = pq.read_table(path)
    index = table.schema.get_field_index(KEY)
    return table.set_column(index, KEY, pc.subtract(table.column(KEY), shift))


def fill(lake, out, copies):
    total = rows(files(lake))
    for k in range(int(copies)):
        for i, path in enumerate(files(lake)):
            write(out, k * len(files(lake)) + i, copy(path, k * total))


def huge(lake, out, copies, groups):
    total, k = rows(files(lake)), 0
    target = os.path.join(out, f"part-00000-{uuid.uuid4()}-c000.snappy.parquet")
    with writer(target, pq.read_schema(files(lake)[0]).remove_metadata()) as w:
        for _ in range(int(groups)):
            tables = [copy(path, (k + j) * total) for j in range(int(copies)) for path in files(lake)]
            group = pa.concat_tables(tables)
            w.write_table(group, row_group_size=group.num_rows)
            k += int(copies)


globals()[sys.argv[1]](*sys.argv[2:])
