"""delta-rs' side of the benchmark:

  convert LAKE                   makes LAKE a Delta table, which is not timed
  merge LAKE CDC KEY CODEC       changes into the table by its merge; prints the files that are live then

It is the one peer here whose commit is atomic to readers of the table format; readers of plain Parquet files see the old
files, too. The changes are reduced to the last of each key before, as its merge wants.
"""

import glob
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, WriterProperties, convert_to_deltalake


def convert(lake):
    convert_to_deltalake(lake)


def last(cdc, key):
    table = pq.ParquetDataset(sorted(glob.glob(cdc + "/*.parquet"))).read()
    numbered = table.append_column("number", pa.array(range(table.num_rows)))
    return table.take(numbered.group_by(key).aggregate([("number", "max")])["number_max"])


def merge(lake, cdc, key, codec):
    table = DeltaTable(lake)
    (
        table.merge(
            source=last(cdc, key),
            predicate=f"t.{key} = s.{key}",
            source_alias="s",
            target_alias="t",
            streamed_exec=False,  # the changes are in memory: their bounds prune files
            writer_properties=WriterProperties(compression=codec.upper()),
        )
        .when_matched_delete(predicate="s.\"Op\" = 'D'")
        .when_matched_update_all()
        .when_not_matched_insert_all(predicate="s.\"Op\" <> 'D'")
        .execute()
    )
    print("\n".join(table.file_uris()))


globals()[sys.argv[1]](*sys.argv[2:])
