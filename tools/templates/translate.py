"""Translates a SAM template as the service does when it is deployed, without an account.

    translate.py DIR TEMPLATE…     writes DIR/NAME.json for each

Code and nested stacks are put at a made-up place; the state machine's definition is put in whole, as sam package does it. A template that
needs no translation comes out as JSON.
"""

import json
import pathlib
import sys

from cfnlint.decode import cfn_yaml
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

PLACE = "s3://bucket/code.zip"
STACKS = "https://s3.eu-west-1.amazonaws.com/bucket/"


class NoManagedPolicies(ManagedPolicyLoader):
    """Roles are written out here, so no policy is looked up by its name."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def plain(value):
    """The same without the linter's own kinds of nodes, and with every fresh list and dict apart from its source."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, str) else value


def load(path):
    """A template as written, intrinsic functions in their long form."""
    return plain(cfn_yaml.load(str(path)))


def translate(path):
    """A template as it is deployed. Raises what the translator raises."""
    template = load(path)
    if "Transform" not in template:
        return template
    folder = pathlib.Path(path).parent
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudFormation::Stack":
            if not (folder / properties["TemplateURL"]).is_file():
                raise FileNotFoundError(f"no template {properties['TemplateURL']}")
            properties["TemplateURL"] = STACKS + properties["TemplateURL"]
        if resource["Type"] == "AWS::Serverless::StateMachine" and "DefinitionUri" in properties:
            properties["Definition"] = json.loads((folder / properties.pop("DefinitionUri")).read_text())
    for properties in [template.get("Globals", {}).get("Function", {})] + [
            r.get("Properties", {}) for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]:
        if "CodeUri" in properties:
            properties["CodeUri"] = PLACE
    return transform(template, {}, NoManagedPolicies(), feature_toggle=None)


if __name__ == "__main__":
    for source in map(pathlib.Path, sys.argv[2:]):
        pathlib.Path(sys.argv[1], source.stem + ".json").write_text(json.dumps(translate(source), indent=1))
