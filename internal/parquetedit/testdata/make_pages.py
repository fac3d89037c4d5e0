"""Writes the files of this folder that have many small pages, those that are to be refused, and the digests of the first in want.json.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pyarrow polars cryptography
    /tmp/venv/bin/python make_pages.py
"""
import datetime as dt, decimal, math, os, struct
import polars as pl, pyarrow as pa, pyarrow.parquet as pq, pyarrow.parquet.encryption as pe

import digest

here = os.path.dirname(os.path.abspath(__file__))
D = decimal.Decimal
rows = 400
epoch = dt.datetime(2024, 2, 29, 12, 34, 56, 789000)


def null(i, v, every=7):
    """Rows 80 to 129 are NULL: whole pages, and parts of their neighbors."""
    return None if i % every == 3 or 80 <= i < 130 else v


def table():
    """few has a dictionary that lasts; grow begins with few values and then has so many that writers give theirs up."""
    return pa.table({
        "id": pa.array(range(rows), pa.int64()),
        "u32": pa.array([null(i, 2**32 - 1 - i if i % 2 else i) for i in range(rows)], pa.uint32()),
        "f": pa.array([null(i, (i - 200) / 3) for i in range(rows)], pa.float32()),
        "d": pa.array([null(i, math.nan if i % 50 == 5 else -0.0 if i == 10 else i / 7) for i in range(rows)], pa.float64()),
        "b": pa.array([null(i, i % 3 == 0) for i in range(rows)], pa.bool_()),
        "few": pa.array([null(i, "städt-%d" % (i % 9)) for i in range(rows)], pa.string()),
        "grow": pa.array([null(i, "%d-" % (i % 10 if i < 160 else i) + "x" * 20) for i in range(rows)], pa.string()),
        "fix": pa.array([null(i, struct.pack(">IH", i % 5, i)) for i in range(rows)], pa.binary(6)),
        "wide": pa.array([null(i, D(i) ** 9 * (-1) ** i) for i in range(rows)], pa.decimal128(38, 0)),
        "us": pa.array([null(i, epoch + dt.timedelta(microseconds=i * 7919)) for i in range(rows)], pa.timestamp("us", "UTC")),
        "none": pa.array([None] * rows, pa.int32()),
    })


def write(name, t, **kw):
    pq.write_table(t, os.path.join(here, name), **{"data_page_size": 100, "write_batch_size": 20, "dictionary_pagesize_limit": 600, **kw})
    return name


delta = {
    "id": "DELTA_BINARY_PACKED", "u32": "DELTA_BINARY_PACKED", "us": "DELTA_BINARY_PACKED", "few": "DELTA_LENGTH_BYTE_ARRAY",
    "grow": "DELTA_BYTE_ARRAY", "fix": "DELTA_BYTE_ARRAY", "wide": "BYTE_STREAM_SPLIT", "f": "BYTE_STREAM_SPLIT", "d": "BYTE_STREAM_SPLIT",
    "b": "RLE",
}


def encrypted(t, name, **kw):
    class Keys(pe.KmsClient):
        def wrap_key(self, key, master):
            return key.hex()

        def unwrap_key(self, wrapped, master):
            return bytes.fromhex(wrapped)

    factory, kms = pe.CryptoFactory(lambda c: Keys()), pe.KmsConnectionConfig()
    props = factory.file_encryption_properties(kms, pe.EncryptionConfiguration(footer_key="k", column_keys={"c": ["few"]}, **kw))
    path = os.path.join(here, name)
    with pq.ParquetWriter(path, t.schema, encryption_properties=props) as w:
        w.write_table(t)


def main():
    t = table()
    made = [
        write("pages_arrow_v1_snappy.parquet", t, row_group_size=250, write_page_index=True, write_page_checksum=True),
        write("pages_arrow_v1_brotli.parquet", t.select(["id", "d", "few", "grow"]), version="1.0", compression="brotli"),
        write("pages_arrow_v2_snappy.parquet", t, data_page_version="2.0", write_page_index=True, use_dictionary=["few", "grow", "u32"]),
        write("pages_arrow_v2_gzip_delta.parquet", t, data_page_version="2.0", compression="gzip", use_dictionary=False,
              column_encoding=delta, row_group_size=300, write_page_checksum=True),
        write("pages_arrow_v1_none_delta.parquet", t, compression="none", use_dictionary=False, column_encoding=delta, write_page_index=True),
    ]
    try:
        made.append(write("pages_arrow_bloom_zstd.parquet", t.select(["id", "few", "grow", "wide"]), compression="zstd", row_group_size=200,
                          bloom_filter_options={"id": {"ndv": 400, "fpp": 0.05}, "grow": True, "few": {"ndv": 20}}))
    except TypeError as err:
        print("no bloom filters:", err)
    pl.from_arrow(t.drop_columns(["fix", "wide"])).write_parquet(
        os.path.join(here, "pages_polars_snappy.parquet"), compression="snappy", row_group_size=200, data_page_size=200)
    made.append("pages_polars_snappy.parquet")
    digest.record(made)
    small = t.select(["id", "few"]).slice(0, 20)
    count = pa.table({"n": range(1000), "s": ["v%d" % i * (1 + i % 5) for i in range(1000)]})
    pq.write_table(count, os.path.join(here, "refused/lz4raw.parquet"), compression="lz4", use_dictionary=False)
    encrypted(small, "refused/encrypted_footer.parquet")
    encrypted(small, "refused/encrypted_column.parquet", plaintext_footer=True)


main()
