"""Rules about where changes come from: the replication, and the sample database with its set-up step. See rules.py."""

import contextlib
import io
import json
import sys
import types
from unittest import mock

from resolve import of


def replication(d):
    for name, p, _ in of(d, "AWS::DMS::Endpoint"):
        if {"Password", "Username"} & set(p):
            yield f"{name}: names a user outside Secrets Manager"
        settings = p.get("S3Settings")
        if p["EndpointType"] == "source" and not any("SecretsManagerSecretId" in v for v in p.values() if isinstance(v, dict)):
            yield f"{name}: has no secret"
        if settings:
            want = {"DataFormat": "parquet", "IncludeOpForFullLoad": True, "PreserveTransactions": False,
                    "DatePartitionEnabled": False, "CdcInsertsOnly": False}
            for key, value in want.items():
                if settings.get(key) != value:
                    yield f"{name}: {key} is not {value}"
            if settings.get("BucketFolder", "x").endswith("/"):
                yield f"{name}: the folder ends with a slash"
    for kind in ("AWS::DMS::ReplicationConfig", "AWS::DMS::ReplicationTask"):
        for name, p, _ in of(d, kind):
            rules = json.loads(p["TableMappings"])["rules"]
            if not any(r["rule-action"] == "add-before-image-columns" and r["before-image-def"]["column-prefix"] == "BI_" for r in rules):
                yield f"{name}: a changed key leaves its old row behind"
            settings = json.loads(p.get("ReplicationSettings") or p["ReplicationTaskSettings"])
            if settings["FullLoadSettings"]["TargetTablePrepMode"] != "DO_NOTHING" or settings["TargetMetadata"]["BatchApplyEnabled"]:
                yield f"{name}: may delete or lose files"
            ddl = settings["ChangeProcessingDdlHandlingPolicy"]
            if ddl["HandleSourceTableDropped"] or ddl["HandleSourceTableTruncated"]:
                yield f"{name}: a TRUNCATE deletes its files"
    for name, p, _ in of(d, "AWS::DMS::ReplicationInstance"):
        if p.get("PubliclyAccessible") is not False:
            yield f"{name}: has a public address"


def databases(d):
    for name, p, _ in of(d, "AWS::RDS::DBCluster"):
        if not p.get("StorageEncrypted"):
            yield f"{name}: is not encrypted"
        if not p["MasterUserPassword"].startswith("{{resolve:secretsmanager:"):
            yield f"{name}: its password is written down"
    for name, p, _ in of(d, "AWS::RDS::DBInstance"):
        if p.get("PubliclyAccessible") is not False:
            yield f"{name}: has a public address"
    for name, p, _ in of(d, "AWS::RDS::DBClusterParameterGroup"):
        if p["Parameters"].get("binlog_format") != "ROW" or p["Parameters"].get("binlog_row_image") != "FULL":
            yield f"{name}: the binary log does not hold whole rows"


def set_ups(d):
    """Runs the code of a set-up step beside stand-ins of the two modules that Lambda has: its statements, and one that fails."""
    for name, p, _ in of(d, "Custom::Statements"):
        function = d.resources[p["ServiceToken"].rsplit(":", 1)[-1]]["Properties"]
        for broken in (None, len(p["Statements"]) - 1):
            ran, said = [], []

            def execute(sql, **where):
                if len(ran) == broken or set(where) != {"resourceArn", "secretArn", "database"}:
                    raise RuntimeError("broken on purpose")
                ran.append(sql)

            def send(_event, _context, status, _data, physical, reason=None):
                said.append((status, physical, reason))

            boto3, answers = types.ModuleType("boto3"), types.ModuleType("cfnresponse")
            boto3.client = lambda _: types.SimpleNamespace(execute_statement=execute)
            answers.SUCCESS, answers.FAILED, answers.send = "SUCCESS", "FAILED", send
            with mock.patch.dict(sys.modules, boto3=boto3, cfnresponse=answers), contextlib.redirect_stdout(io.StringIO()):
                scope = {}
                exec(function["Code"]["ZipFile"], scope)
                scope["handler"]({"RequestType": "Create", "LogicalResourceId": name, "ResourceProperties": p}, None)
            want = [("SUCCESS", name, None)] if broken is None else [("FAILED", name, "broken on purpose")]
            if said != want or ran != p["Statements"][:broken]:
                yield f"{name}: ran {len(ran)} of {len(p['Statements'])} statements and said {said}"
        if any(";" in s for s in p["Statements"]):
            yield f"{name}: the Data API takes one statement at a time"


RULES = [replication, databases, set_ups]
