"""Writes templates as CloudFormation gets them, for checkers that know neither SAM nor YAML's short forms.

    python transform.py FOLDER TEMPLATE...

A SAM template goes through SAM's own translator, with stand-ins for what `sam build` would have uploaded.
Every template is written into the folder as JSON, under its own name.
"""

import json
import os
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

SAM = "AWS::Serverless-2016-10-31"
UPLOADED = "s3://uploaded/file"
POINTERS = ("CodeUri", "DefinitionUri")


def transformed(template):
    """The template after the transform that it asks for."""
    if template.get("Transform") != SAM:
        return template
    for resource in template["Resources"].values():
        for pointer in POINTERS:
            if pointer in resource.get("Properties", {}):
                resource["Properties"][pointer] = UPLOADED
    # Parameters without a default have no value yet, and no managed policy is used by name.
    translator = Translator({}, Parser())
    return translator.translate(template, {}, feature_toggle=None)


def main(folder, *templates):
    """Transforms every template."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in map(Path, templates):
        # Plain types again: the reader's own carry places that JSON has no room for.
        template = json.loads(json.dumps(yaml_parse(path.read_text())))
        text = json.dumps(transformed(template), indent=1)
        (folder / path.with_suffix(".json").name).write_text(text + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
