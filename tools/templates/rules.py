"""What the linters do not know of our templates. Each function is a rule: it gets a deployment and yields faults.

    rules.py TEMPLATE…     prints the faults and exits 1 when there are any

A template is judged as it would be deployed, once with everything made and once with everything there already.
"""

import json
import pathlib
import re
import sys

import resolve
import sources
import translate
from resolve import of

# Actions that have no resources to name: AWS demands Resource "*" for them.
NAMELESS = re.compile(r"xray:(Put|GetSampling).*|logs:(Create|Get|Update|Delete|List)LogDeliver.*|"
                      r"logs:(PutResourcePolicy|DescribeResourcePolicies|DescribeLogGroups)")
# The page names every variable and who does something with it; a test compares it with the code.
PAGE = pathlib.Path(__file__).parents[2] / "docs/FUNCTIONS.md"
ENVIRONMENT = {row[0]: set(row[1].split()) for row in re.findall(r"^\| `(SLUICE_\w+)` \|.*\| ([cwj ]+) \|$", PAGE.read_text(), re.M)}
LETTERS = {"ControllerFunction": "c", "InitialLoadFunction": "w", "MergeFunction": "w", "JanitorFunction": "j"}
IN_RULES = {"Fn::" + f for f in ("And", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "Not", "Or", "RefAll",
                                 "ValueOf", "ValueOfAll")}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/there"
THERE = {
    "RawBucketName": "raw-there", "RawPrefix": "cdc/", "LakeBucketName": "lake-there", "LakePrefix": "tables/",
    "LakeVersioning": "Enabled", "ControlTableName": "DMSCDC_Controller", "AlarmEmail": "a@example.com",
    "CatalogDatabase": "lake", "MakeCatalogDatabase": "true", "DmsSource": "sample", "RawKmsKeyArn": KEY,
    "LakeKmsKeyArn": KEY, "ControlTableKmsKeyArn": KEY, "WorkerConcurrency": 50, "ControllerConcurrency": 1,
    "Capacity": "instance", "AccountRoles": "true", "SourceSecretKmsKeyArn": KEY, "SourceEngine": "postgres", "Round": 2,
}


def as_list(v):
    return v if isinstance(v, list) else [v]


def strings(v, path=""):
    if isinstance(v, dict):
        for k, x in v.items():
            yield from strings(x, f"{path}.{k}")
    elif isinstance(v, list):
        for i, x in enumerate(v):
            yield from strings(x, f"{path}[{i}]")
    elif isinstance(v, str):
        yield path, v


def schedules(d):
    for name, p, _ in of(d, "AWS::Scheduler::Schedule"):
        rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", p["ScheduleExpression"])
        cron = re.fullmatch(r"cron\(\S+( \S+){5}\)", p["ScheduleExpression"])
        if not cron and (not rate or int(rate[1]) < 1 or (int(rate[1]) == 1) == bool(rate[3])):
            yield f"{name}: {p['ScheduleExpression']} is no schedule expression"
        if p["FlexibleTimeWindow"] != {"Mode": "OFF"}:
            yield f"{name}: the flexible window is not off"
        target = p["Target"]
        if set(target.get("DeadLetterConfig", {})) != {"Arn"}:
            yield f"{name}: its dead letters have no queue"
        if not 60 <= target.get("RetryPolicy", {}).get("MaximumEventAgeInSeconds", 0) <= 86400:
            yield f"{name}: MaximumEventAgeInSeconds is not between 60 and 86400"
        tick = json.loads(target["Input"])
        if "Controller" in target["Arn"] and tick != {"tick": "<aws.scheduler.scheduled-time>"}:
            yield f"{name}: the controller does not get the scheduled time"
        if "State" not in p:
            yield f"{name}: cannot be switched off"


def leftovers(d):
    for name, r in d.resources.items():
        for path, text in strings(r["Properties"]):
            if "${" in text:
                known = r["Properties"].get("DefinitionSubstitutions", {}) if "DefinitionString" in path else {}
                for left in re.findall(r"\$\{([^}]*)\}", text):
                    if left not in known:
                        yield f"{name}{path}: ${{{left}}} is left over"


def state_machines(d):
    for name, p, _ in of(d, "AWS::StepFunctions::StateMachine"):
        definition = p["DefinitionString"]
        for key in p["DefinitionSubstitutions"]:
            if f"${{{key}}}" not in definition:
                yield f"{name}: the substitution {key} is not used"
        document = json.loads(definition)
        if document.get("QueryLanguage", "JSONPath") != "JSONPath" or '"QueryLanguage": "JSONata"' in definition:
            yield f"{name}: JSONata works nowhere but on AWS"
        for word in ("ItemBatcher", "ResultWriter"):
            if f'"{word}"' in definition:
                yield f"{name}: {word}: batches are ready-made, and nobody reads a Map's output"
        if p["StateMachineType"] != "STANDARD":
            yield f"{name}: a table run may last for hours, so it is STANDARD"
        logging = p.get("LoggingConfiguration", {})
        if logging.get("Level") != "ERROR" or logging.get("IncludeExecutionData") is not False or not logging.get("Destinations"):
            yield f"{name}: does not log errors without data"
        if p.get("TracingConfiguration") != {"Enabled": True}:
            yield f"{name}: tracing is off"


def functions(d):
    roles = []
    invoke = {p["FunctionName"] for _, p, _ in of(d, "AWS::Lambda::EventInvokeConfig")}
    for name, p, _ in of(d, "AWS::Lambda::Function"):
        roles.append(p["Role"])
        if p.get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name}: tracing is off"
        group = d.resources.get(p.get("LoggingConfig", {}).get("LogGroup"), {"Type": ""})
        if group["Type"] != "AWS::Logs::LogGroup":
            yield f"{name}: has no log group of its own"
        for key, value in p.get("Environment", {}).get("Variables", {}).items():
            if key not in ENVIRONMENT:
                yield f"{name}: {key} is no setting"
            if re.search(r"secret|passw|token|\{\{resolve", f"{key}={value}", re.I):
                yield f"{name}: {key} looks like a secret"
            if not isinstance(value, (str, int)):
                yield f"{name}: {key} is no text"
        for key, users in ENVIRONMENT.items():
            if LETTERS.get(name) in users and key not in p["Environment"]["Variables"] and (name, key) != ("JanitorFunction", "SLUICE_PARALLEL"):
                yield f"{name}: {key} cannot be set"
        if "ZipFile" in p["Code"]:
            if len(p["Code"]["ZipFile"]) > 4096:
                yield f"{name}: code in a template has 4,096 characters at most"
            compile(p["Code"]["ZipFile"], name, "exec")
            continue
        if p["Runtime"] != "provided.al2023" or p["Handler"] != "bootstrap":
            yield f"{name}: is not a bootstrap on provided.al2023"
        if name in ("ControllerFunction", "JanitorFunction") and name not in invoke:
            yield f"{name}: what it fails at three times is lost"
        if name != "JanitorFunction" and d.parameters.get("WorkerConcurrency") and "ReservedConcurrentExecutions" not in p:
            yield f"{name}: its concurrency cannot be reserved"
    if len(roles) != len(set(roles)):
        yield "functions share a role"


def log_groups(d):
    for name, p, _ in of(d, "AWS::Logs::LogGroup"):
        if not p.get("RetentionInDays"):
            yield f"{name}: logs are kept for ever"


def statements(d):
    for name, p, _ in of(d, "AWS::IAM::Role"):
        for policy in p.get("Policies", []):
            for s in policy["PolicyDocument"]["Statement"]:
                yield name, s


def roles(d):
    for name, s in statements(d):
        sid = f"{name}.{s.get('Sid', '?')}"
        actions = as_list(s["Action"])
        for action in actions:
            if "*" in action:
                yield f"{sid}: {action} is more than one action"
        for resource in as_list(s["Resource"]):
            if resource == "*":
                if not all(NAMELESS.fullmatch(a) for a in actions):
                    yield f"{sid}: * where a name is known"
                continue
            # arn:partition:service:region:account:what. Of a bucket all objects may be meant, where the prefix is empty.
            parts = (resource.split(":", 5) + [""] * 5)[:6]
            everything = r"\*" if parts[2] == "s3" else r"([^/:]*[/:])?\*"
            if parts[0] != "arn" or any("*" in x for x in parts[:5]) or not parts[5] or re.match(everything, parts[5]):
                yield f"{sid}: {resource} does not name what it means"
        if any(a.startswith("s3:List") for a in actions) and name != "TargetRole" and \
                not any("s3:prefix" in c for c in s.get("Condition", {}).values()):
            yield f"{sid}: lists without a prefix"
        if any(a.startswith("kms:") for a in actions) and KEY in as_list(s["Resource"]) and \
                "kms:ViaService" not in s.get("Condition", {}).get("StringEquals", {}):
            yield f"{sid}: the key is not bound to its service"
    may = {}
    for name, s in statements(d):
        may.setdefault(name, set()).update(as_list(s["Action"]))
    for name in ("ControllerRole", "InitialLoadRole", "MergeRole", "TableRunRole"):
        for action in may.get(name, set()):
            if action.startswith("s3:Delete"):
                yield f"{name}: only the janitor deletes"
    for action in may.get("JanitorRole", set()):
        if re.match(r"s3:Put|dynamodb:(Put|Update|Delete)", action):
            yield f"JanitorRole: {action}: the janitor writes nothing"
    for name, p, _ in of(d, "AWS::IAM::Role"):
        for s in p["AssumeRolePolicyDocument"]["Statement"]:
            service = s["Principal"].get("Service", "")
            if not service:
                yield f"{name}: is taken by others than a service"
            if service in ("scheduler.amazonaws.com", "states.amazonaws.com") and "Condition" not in s:
                yield f"{name}: is taken for other accounts, too"


# What a role needs beside what its function asks for while all goes well: Lambda's own calls, keys, tidying up after an
# upload that went wrong, and reading an item that somebody else has registered meanwhile.
BESIDE = re.compile(r"(logs|xray|kms|sqs):.*|s3:AbortMultipartUpload (lake|bookkeeping)|dynamodb:GetItem control-table")


def places(s):
    """What the statement is about, in the words of functions/testdata/calls.txt."""
    for resource in as_list(s["Resource"]):
        service, what = (resource.split(":", 5) + [""] * 5)[2], resource.split(":", 5)[-1]
        if service == "s3":
            prefixes = [p for c in s.get("Condition", {}).values() for p in as_list(c.get("s3:prefix", []))]
            if "raw" in what.split("/")[0].lower():
                yield "raw"
            elif any("_sluice/" in p for p in prefixes):
                yield "bookkeeping"
            else:
                yield from ("lake", "bookkeeping")
        elif service == "states":
            yield "executions" if what.startswith("execution:") else "state-machine"
        else:
            yield {"dynamodb": "control-table", "glue": "catalog"}.get(service, service)


def calls(d):
    """Every action that a function was recorded to need is allowed, and no other (see functions/calls_test.go)."""
    if d.parameters.get("CatalogDatabase", "x") != "lake":
        return  # the record is of a deployment with a catalog
    if "ControllerRole" not in d.resources:
        return
    recorded = pathlib.Path(__file__).parents[2] / "functions" / "testdata" / "calls.txt"
    needed = {}
    for line in recorded.read_text().splitlines():
        function, call = line.split(" ", 1)
        needed.setdefault(function, set()).add(call)
    for function, role in {"controller": "ControllerRole", "initialload": "InitialLoadRole", "merge": "MergeRole", "janitor": "JanitorRole"}.items():
        allowed = [(a, {f"{a} {place}" for place in places(s)}) for name, s in statements(d) if name == role for a in as_list(s["Action"])]
        every = set().union(*(on for _, on in allowed))
        for call in sorted(needed[function] - every):
            yield f"{role}: {call} is needed and not allowed"
        for action, on in allowed:
            if not on & needed[function] and not any(BESIDE.fullmatch(call) for call in on):
                yield f"{role}: {action} is allowed and never called"


def buckets(d):
    policies = {p["Bucket"]: p["PolicyDocument"]["Statement"] for _, p, _ in of(d, "AWS::S3::BucketPolicy")}
    for name, p, r in of(d, "AWS::S3::Bucket"):
        if not p.get("BucketEncryption"):
            yield f"{name}: is not encrypted"
        if list(p.get("PublicAccessBlockConfiguration", {}).values()) != [True] * 4:
            yield f"{name}: public access is not blocked"
        if not any("AbortIncompleteMultipartUpload" in x and x["Status"] == "Enabled"
                   for x in p.get("LifecycleConfiguration", {}).get("Rules", [])):
            yield f"{name}: abandoned uploads stay"
        tls = [s for s in policies.get(name, []) if s["Effect"] == "Deny" and s["Action"] == "s3:*" and s["Principal"] == "*"
               and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
               and s["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]]
        if not tls:
            yield f"{name}: is open to requests without TLS"
        if name == "RawBucket" and "VersioningConfiguration" in p:
            yield f"{name}: DMS advises against versions"
        yield from retained(name, r)


def retained(name, r):
    if r.get("DeletionPolicy") != "Retain" or r.get("UpdateReplacePolicy") != "Retain":
        yield f"{name}: goes with the stack"


def tables(d):
    for name, p, r in of(d, "AWS::DynamoDB::Table"):
        if p.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
            yield f"{name}: no point-in-time recovery"
        if not p.get("SSESpecification", {}).get("SSEEnabled"):
            yield f"{name}: is not encrypted"
        if p.get("DeletionProtectionEnabled") is not True:
            yield f"{name}: may be deleted"
        if "TimeToLiveSpecification" in p:
            yield f"{name}: items expire"
        if p["KeySchema"] != [{"AttributeName": "path", "KeyType": "HASH"}]:
            yield f"{name}: its key is not path"
        yield from retained(name, r)


def messages(d):
    for name, p, _ in of(d, "AWS::SNS::Topic"):
        if "alias/aws/" in p.get("KmsMasterKeyId", "alias/aws/"):
            yield f"{name}: alarms cannot publish under the key of the service"
        key = d.resources.get(p.get("KmsMasterKeyId", "").rsplit(":", 1)[-1])
        if key and not any(s["Principal"].get("Service") == "cloudwatch.amazonaws.com" and "kms:GenerateDataKey*" in s["Action"]
                           for s in key["Properties"]["KeyPolicy"]["Statement"]):
            yield f"{name}: its key does not let alarms in"
    for name, p, _ in of(d, "AWS::SQS::Queue"):
        if not p.get("KmsMasterKeyId"):
            yield f"{name}: is not encrypted"


def alarms(d):
    for name, p, _ in of(d, "AWS::CloudWatch::Alarm"):
        if not p.get("AlarmActions"):
            yield f"{name}: tells nobody"
        metrics = p.get("Metrics", [])
        ids = {m["Id"] for m in metrics}
        for m in metrics:
            for word in re.findall(r"\b[a-z]\w*\b", m.get("Expression", "")):
                if word not in ids:
                    yield f"{name}: {word} is no metric of it"
        if metrics and sum(1 for m in metrics if m.get("ReturnData", True)) != 1:
            yield f"{name}: not one result"


def dashboards(d):
    for name, p, _ in of(d, "AWS::CloudWatch::Dashboard"):
        try:
            widgets = json.loads(p["DashboardBody"])["widgets"]
        except ValueError as e:
            yield f"{name}: {e}"
            continue
        taken = set()
        for w in widgets:
            title = w["properties"]["title"]
            cells = {(x, y) for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])}
            if w["x"] + w["width"] > 24 or cells & taken:
                yield f"{name}: {title} does not fit"
            taken |= cells
            if w["type"] == "metric" and not {"region", "metrics", "view"} <= set(w["properties"]):
                yield f"{name}: {title} lacks what CloudWatch asks for"


def questions(template):
    """What a deployer is asked and told."""
    groups = template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {}).get("ParameterGroups")
    asked = [name for g in groups or [] for name in g["Parameters"]]
    for name, p in template.get("Parameters", {}).items():
        if groups and asked.count(name) != 1:
            yield f"{name}: is in {asked.count(name)} groups of parameters"
        if not p.get("Description"):
            yield f"{name}: has no description"
    for name, rule in template.get("Rules", {}).items():
        for used in re.findall(r'"(Fn::\w+)"', json.dumps(rule)):
            if used not in IN_RULES:
                yield f"{name}: {used} does not work in rules"
    for name, o in template.get("Outputs", {}).items():
        if not o.get("Description"):
            yield f"{name}: has no description"


RULES = [schedules, leftovers, state_machines, functions, log_groups, roles, calls, buckets, tables, messages, alarms,
         dashboards, *sources.RULES]


def judge(template):
    """All faults of a translated template, each once."""
    found = list(questions(template))
    for parameters in ({}, {k: v for k, v in THERE.items() if k in template.get("Parameters", {})}):
        try:
            deployment = resolve.Resolver(template, parameters)
        except resolve.Unknown as e:
            found.append(f"{e}: no such name")
            continue
        for rule in RULES:
            try:
                found += rule(deployment)
            except (KeyError, ValueError, SyntaxError) as e:
                found.append(f"{rule.__name__}: {type(e).__name__}: {e}")
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    bad = False
    for path in map(pathlib.Path, sys.argv[1:]):
        for fault in judge(translate.translate(path)):
            print(f"{path}: {fault}")
            bad = True
    sys.exit(bad)
