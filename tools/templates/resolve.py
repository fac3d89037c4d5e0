"""Resolves the intrinsic functions of a translated template for given parameters, as a deployment would.

What only a deployment knows is made up: an ARN from the resource's name, other attributes as NAME.ATTRIBUTE.
"""

import re

PSEUDO = {
    "AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333", "AWS::StackName": "lake",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/lake/1", "AWS::URLSuffix": "amazonaws.com",
}
ABSENT = object()

SERVICES = {"StepFunctions": "states"}  # in ARNs, where they are called otherwise than in types


class Unknown(Exception):
    """A name that the template does not have."""


def made_up(parameter):
    """A value for a parameter without a default."""
    return f"arn:aws:service:eu-west-1:111122223333:{parameter}" if parameter.endswith("Arn") else f"{parameter}-value"


class Resolver:
    """One deployment of a template: resources holds those that are made, their properties resolved."""

    def __init__(self, template, parameters=None):
        self.template = template
        self.parameters = {name: p.get("Default", made_up(name)) for name, p in template.get("Parameters", {}).items()}
        self.parameters.update(parameters or {})
        self.resources = {
            name: {**{k: v for k, v in r.items() if k != "Properties"}, "Properties": self.resolve(r.get("Properties", {}))}
            for name, r in template["Resources"].items() if self.holds(r.get("Condition"))
        }

    def holds(self, name):
        """Whether a condition, or none, holds."""
        return name is None or self.condition(self.template["Conditions"][name])

    def condition(self, c):
        (kind, args), = c.items()
        if kind == "Fn::Equals":
            left, right = (self.resolve(a) for a in args)
            return str(left) == str(right)
        if kind == "Condition":
            return self.holds(args)
        results = [self.condition(a) for a in args]
        return {"Fn::Not": lambda: not results[0], "Fn::And": lambda: all(results), "Fn::Or": lambda: any(results)}[kind]()

    def resolve(self, v):
        if isinstance(v, list):
            return [x for x in (self.resolve(x) for x in v) if x is not ABSENT]
        if not isinstance(v, dict):
            return v
        if len(v) == 1:
            (kind, args), = v.items()
            if kind == "Ref":
                return self.ref(args)
            if kind.startswith("Fn::"):
                return getattr(self, kind[4:].lower())(args)
        return {k: x for k, x in ((k, self.resolve(x)) for k, x in v.items()) if x is not ABSENT}

    def ref(self, name):
        if name == "AWS::NoValue":
            return ABSENT
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            value = self.parameters[name]
            if self.template["Parameters"][name]["Type"] == "CommaDelimitedList" and isinstance(value, str):
                return value.split(",")
            return value
        if name not in self.template["Resources"]:
            raise Unknown(f"Ref {name}")
        kind = self.template["Resources"][name]["Type"]
        # Of these a reference is the ARN.
        if kind in ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine", "AWS::SecretsManager::Secret"):
            return self.arn(name)
        return name

    def arn(self, name):
        kind = self.template["Resources"][name]["Type"].split("::")[1]
        if kind == "S3":
            return f"arn:aws:s3:::{name}"
        what = f"log-group:{name}:*" if kind == "Logs" else name
        return f"arn:aws:{SERVICES.get(kind, kind.lower())}:eu-west-1:111122223333:{what}"

    def getatt(self, args):
        name, attribute = args if isinstance(args, list) else args.split(".", 1)
        if name not in self.template["Resources"]:
            raise Unknown(f"GetAtt {name}")
        return self.arn(name) if attribute.endswith("Arn") and not attribute.startswith("Outputs.") else f"{name}.{attribute}"

    def sub(self, args):
        text, own = args if isinstance(args, list) else (args, {})

        def one(match):
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return str(self.resolve(own[name]))
            return str(self.getatt(name) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", one, text)

    def join(self, args):
        return args[0].join(str(x) for x in self.resolve(args[1]))

    def split(self, args):
        return self.resolve(args[1]).split(args[0])

    def select(self, args):
        return self.resolve(args[1])[int(args[0])]

    def getazs(self, _):
        return ["eu-west-1a", "eu-west-1b"]

    def __getattr__(self, name):
        if name == "if":  # a word of Python
            return lambda args: self.resolve(args[1] if self.holds(args[0]) else args[2])
        raise AttributeError(name)


def of(d, kind):
    """Name, properties and all of each resource of a kind that a deployment makes."""
    return [(name, r["Properties"], r) for name, r in d.resources.items() if r["Type"] == kind]
