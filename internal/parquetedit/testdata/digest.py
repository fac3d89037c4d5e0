"""What pyarrow reads from Parquet files, as the tests compare it: the SHA-256 of the printed values of every column.

    python digest.py FILE…      prints {"FILE": {"column": "sha256", …}, …}, and where a file cannot be read {"error": "…"}
"""
import base64, hashlib, json, os, struct, sys, uuid

import pyarrow as pa, pyarrow.parquet as pq


def want(path):
    """Digests of the physical values as the tests print them, from the file as pyarrow reads it."""
    f = pq.ParquetFile(path, page_checksum_verification=True)
    schema, t = f.schema, f.read()
    out = {}
    for c in range(len(schema)):
        col = schema.column(c)
        out[col.name] = [cell(v, col, t.schema.field(c).type) for v in t.column(c)]
    return {k: hashlib.sha256("\n".join(v).encode()).hexdigest() for k, v in out.items()}


def cell(v, col, typ):
    if not v.is_valid:
        return "NULL"
    p, n = col.physical_type, col.length
    if pa.types.is_boolean(typ):
        return str(v.as_py()).lower()
    if pa.types.is_decimal(typ):
        u = int(v.as_py().scaleb(typ.scale))
        if p in ("INT32", "INT64"):
            return str(u)
        size = n if p == "FIXED_LEN_BYTE_ARRAY" else max(1, (u.bit_length() + 8) // 8)
        return base64.b64encode(u.to_bytes(size, "big", signed=True)).decode()
    if p == "INT96":
        ns = v.cast(pa.timestamp("ns")).value
        days, rest = divmod(ns, 86400 * 10**9)
        return base64.b64encode(struct.pack("<qI", rest, days + 2440588)).decode()
    if p in ("INT32", "INT64"):
        u = v.value if hasattr(v, "value") else v.as_py()
        if pa.types.is_integer(typ):
            u = v.as_py()
        bits = 32 if p == "INT32" else 64
        u &= 2**bits - 1
        return str(u - 2**bits if u >= 2 ** (bits - 1) else u)
    if p == "FLOAT":
        return "%08x" % struct.unpack("<I", struct.pack("<f", v.as_py()))[0]
    if p == "DOUBLE":
        return "%016x" % struct.unpack("<Q", struct.pack("<d", v.as_py()))[0]
    b = v.as_py()
    if isinstance(b, uuid.UUID):
        b = b.bytes
    return base64.b64encode(b.encode() if isinstance(b, str) else b).decode()


def record(names):
    """Puts the digests of files of this folder into want.json."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "want.json")
    with open(path) as f:
        known = json.load(f)
    for name in names:
        known[name] = want(os.path.join(here, name))
    with open(path, "w") as f:
        json.dump(known, f, indent=1)
        f.write("\n")


def main():
    out = {}
    for path in sys.argv[1:]:
        try:
            out[path] = want(path)
        except Exception as err:  # whatever it is belongs to the test that asked
            out[path] = {"error": f"{type(err).__name__}: {err}"}
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
