"""Breaks the templates on purpose, one fault at a time, and says who of tools/templates/check finds it.

    faults.py ROOT     exits 1 when a fault is found by nobody

A fault is a text of a file, and what stands there instead. A text that is not there any more is an error: the list
follows the templates.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

MAIN, WATCH, DMS, SAMPLE = "template.yaml", "infra/observability.yaml", "infra/dms.yaml", "infra/sampledb.yaml"
ASL = "infra/tablerun.asl.json"

FAULTS = [
    # syntax, names, types
    (MAIN, "  ControlTable:\n    Type: AWS::DynamoDB::Table", "  ControlTable:\n    Type: AWS::DynamoDB::Tabel"),
    (MAIN, "      Role: !GetAtt MergeRole.Arn", "      Role: !GetAtt MergerRole.Arn"),
    (MAIN, "MemorySize: !Ref WorkerMemory", "MemorySize: plenty"),
    (MAIN, "      Timeout: 900\n", "      Timeout: 1200\n"),
    (MAIN, "    Runtime: provided.al2023", "    Runtime: go1.x"),
    (MAIN, "        TickMinutes: !Ref TickMinutes\n", "        TickMinute: !Ref TickMinutes\n"),
    (MAIN, "      TemplateURL: infra/observability.yaml", "      TemplateURL: infra/observation.yaml"),
    (MAIN, "!Sub sluice/${AWS::StackName}\n        SLUICE_T", "!Sub sluice/${AWS::Stack}\n        SLUICE_T"),
    (MAIN, "        SLUICE_RAW: !Sub\n          - s3://${Bucket}", "        SLUICE_RAW: !Sub\n          - s3://${Bukket}"),
    # schedules
    (MAIN, "rate(${TickMinutes} minutes)", "rate(${TickMinutes} minute)"),
    (MAIN, "rate(1 day)", "rate(1 days)"),
    (MAIN, 'FlexibleTimeWindow: {Mode: "OFF"}', "FlexibleTimeWindow: {Mode: OFF}"),
    (MAIN, "MaximumEventAgeInSeconds: 300 #", "MaximumEventAgeInSeconds: 30 #"),
    (MAIN, "        DeadLetterConfig: {Arn: !GetAtt DeadLetters.Arn}\n", ""),
    (MAIN, "<aws.scheduler.scheduled-time>", "<aws.scheduler.time>"),
    # storage
    (MAIN, "      DeletionProtectionEnabled: true\n", ""),
    (MAIN, "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    (MAIN, "        SSEEnabled: true", "        SSEEnabled: false"),
    (MAIN, "    Condition: MakesControlTable\n    DeletionPolicy: Retain", "    Condition: MakesControlTable\n    DeletionPolicy: Delete"),
    (MAIN, "        BlockPublicPolicy: true\n", ""),
    (MAIN, 'aws:SecureTransport: "false"', 'aws:SecureTransport: "true"'),
    (MAIN, "              - !Sub ${RawBucket.Arn}/*\n", ""),
    (MAIN, "            AbortIncompleteMultipartUpload:\n              DaysAfterInitiation: 7",
     "            ExpirationInDays: 7"),
    # roles
    (MAIN, "Action: states:StartExecution\n                Resource: !Ref TableRun", 'Action: states:StartExecution\n                Resource: "*"'),
    (MAIN, "Action: [dynamodb:GetItem, dynamodb:UpdateItem]", "Action: dynamodb:*"),
    (MAIN, "Action: [s3:GetObject, s3:PutObject, s3:AbortMultipartUpload]", "Action: [s3:GetObject, s3:PutObject, s3:DeleteObject]"),
    (MAIN, "                Condition:\n                  StringLike:\n                    s3:prefix: !Sub ${RawPrefix}*\n", ""),
    (MAIN, "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:table/${CatalogDatabase}/*", "arn:${AWS::Partition}:glue:*:*:table/*"),
    (MAIN, "      Role: !GetAtt MergeRole.Arn", "      Role: !GetAtt InitialLoadRole.Arn"),
    (MAIN, "                  StringEquals:\n                      kms:ViaService", "                  StringLike:\n                      kms:ViaServise"),
    (MAIN, "Action: [dynamodb:GetItem, dynamodb:UpdateItem]", "Action: [dynamodb:GetItem]"),
    (MAIN, "dynamodb:Scan, dynamodb:GetItem, dynamodb:PutItem]", "dynamodb:Scan, dynamodb:GetItem, dynamodb:PutItem, dynamodb:DeleteItem]"),
    (MAIN, "Action: [s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload]", "Action: [s3:DeleteObject, s3:AbortMultipartUpload]"),
    # what is seen
    (MAIN, "    Tracing: Active", "    Tracing: PassThrough"),
    (MAIN, "        Enabled: true\n      Logging:", "        Enabled: false\n      Logging:"),
    (MAIN, "IncludeExecutionData: false", "IncludeExecutionData: true"),
    (MAIN, "      RetentionInDays: !Ref LogRetentionDays\n", ""),
    (MAIN, "        LogGroup: !Ref MergeLogs\n", ""),
    (MAIN, "      KmsMasterKeyId: !GetAtt OperationsKey.Arn", "      KmsMasterKeyId: alias/aws/sns"),
    (MAIN, "              Service: cloudwatch.amazonaws.com\n            Action: [kms", "              Service: events.amazonaws.com\n            Action: [kms"),
    (WATCH, '"width": 24,', '"width": 25,'),
    (WATCH, '{"widgets": [', '{"widgets": [[,'),
    (WATCH, "AlarmActions: [!Ref TopicArn]", "AlarmActions: []"),
    (WATCH, "FILL(aborted, 0)", "FILL(abort, 0)"),
    (WATCH, "!Sub waiting - 180 * ${TickMinutes}", "waiting - 180 * ${TickMinutes}"),
    (WATCH, "TreatMissingData: ignore", "TreatMissingData: ignored"),
    # settings and secrets
    (MAIN, "        SLUICE_SCHEMA: !Ref Schema", "        SLUICE_SCHEME: !Ref Schema"),
    (MAIN, "        SLUICE_SCHEMA: !Ref Schema", "        SLUICE_SCHEMA: '{{resolve:secretsmanager:x:SecretString:y}}'"),
    (MAIN, "          SLUICE_BATCH_BYTES: !Ref BatchBytes\n", ""),
    (MAIN, "      - Assert: !Not [!Equals [!Ref SourceSubnetIds", "      - Assert: !Not [!Equals [!Join ['', [!Ref SourceSubnetIds]]"),
    (MAIN, "        MergeFunctionArn: !GetAtt MergeFunction.Arn\n      ", "      "),
    (MAIN, "        TopicArn: !Ref Topic\n      Role", "        TopikArn: !Ref Topic\n      Role"),
    (MAIN, "ReservedConcurrentExecutions: !If [ReservesWorkers, !Ref WorkerConcurrency, !Ref AWS::NoValue]", "Layers: []"),
    (MAIN, "          - ControllerConcurrency\n", ""),
    # DMS and the sample
    (DMS, "IncludeOpForFullLoad: true", "IncludeOpForFullLoad: false"),
    (DMS, '"TargetTablePrepMode": "DO_NOTHING"', '"TargetTablePrepMode": "DROP_AND_CREATE"'),
    (DMS, '"column-filter": "pk-only"}}', '"column-filter": "pk-only"}'),
    (DMS, "PubliclyAccessible: false", "PubliclyAccessible: true"),
    (DMS, "          SecretsManagerSecretId: !Ref SourceSecretArn\n", ""),
    (SAMPLE, "        binlog_format: ROW", "        binlog_format: MIXED"),
    (SAMPLE, "      StorageEncrypted: true\n", ""),
    (SAMPLE, '!Sub "{{resolve:secretsmanager:${Secret}:SecretString:password}}"', "changeme123"),
    (SAMPLE, "        except Exception", "       except Exception"),
    (SAMPLE, "    DependsOn: [Writer, SecretTarget]", "    DependsOn: [Write, SecretTarget]"),
    (SAMPLE, 'database=wanted["Database"], sql', 'data=wanted["Database"], sql'),
    (SAMPLE, "        - DELETE FROM productorder\n", "        - DELETE FROM productorder; SELECT 1\n"),
    (SAMPLE, 'FAILED, {}, event["LogicalResourceId"], reason', 'SUCCESS, {}, event["LogicalResourceId"], reason'),
    # the table run
    (ASL, '"StartAt"', '"StartsAt"'),
    (ASL, "${MergeFunctionArn}", "${MergeFunction}"),
    (ASL, '"Type": "Fail"', '"Type": "Failure"'),
]


def finder(root, copy):
    """Who finds the fault of a copy first: the quick ones are asked first."""
    here, python = root / "tools/templates", sys.executable
    templates = ["template.yaml", *sorted(str(p.relative_to(copy)) for p in (copy / "infra").glob("*.yaml"))]
    lint = [python, "-c", "import sys; from cfnlint.runner import main; sys.exit(main())", "--include-checks", "I", "--template"]
    for name, command in [
            ("rules", [python, here / "rules.py", *templates]),
            ("cfn-lint of the translation", ["sh", "-c", '"$0" "$1" "$2" template.yaml infra/*.yaml && shift 2 && "$@" "$PLACE"/*.json',
                                             python, here / "translate.py", copy, *lint]),
            ("cfn-lint", [*lint, *templates]),
            ("asl-validator", [root / "tools/asl/check", ASL]),
            ("tools/templates/check", [here / "check", copy])]:
        result = subprocess.run(command, cwd=copy, capture_output=True, text=True, env=ENVIRONMENT | {"PLACE": str(copy)})
        if result.returncode:
            lines = (result.stdout + result.stderr).strip().splitlines() or ["?"]
            return name, lines[-1] if "Traceback" in lines[0] else lines[0]
    return None, ""


if __name__ == "__main__":
    import os

    ENVIRONMENT = dict(os.environ) | {"AWS_DEFAULT_REGION": "eu-west-1"}
    root, missed = pathlib.Path(sys.argv[1]).resolve(), 0
    for file, right, wrong in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            shutil.copytree(root / "infra", copy / "infra")
            shutil.copy(root / "template.yaml", copy)
            text = (copy / file).read_text()
            if right not in text:
                sys.exit(f"{file}: no {right!r} to break")
            (copy / file).write_text(text.replace(right, wrong, 1))
            name, said = finder(root, copy)
            missed += not name
            print(f"{name or 'NOBODY'}: {file}: {wrong.strip().splitlines()[0] if wrong.strip() else 'without ' + right.strip()!r}: {said[:110]}", flush=True)
    print(f"{len(FAULTS)} faults, {missed} found by nobody")
    sys.exit(missed > 0)
