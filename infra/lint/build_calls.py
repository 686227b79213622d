"""Checks that builds may call what they call: a permission that is missing shows only on AWS, in every build.

    python build_calls.py TEMPLATE FOLDER

For each CodeBuild project of the template it reads the buildspec and the scripts that the buildspec names, all from
the folder, and looks each `aws SERVICE COMMAND` in them up among the IAM actions of the project's role.
A command that is not in ACTIONS fails the check, so that its actions are added with it. Only actions are
compared, not the resources that they are granted on.
"""

import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

# What each command calls, as the service's own page on actions has it:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
ACTIONS = {
    "codebuild batch-get-builds": ["codebuild:BatchGetBuilds"],
    "codebuild start-build": ["codebuild:StartBuild"],
    "ecr describe-images": ["ecr:DescribeImages"],
    "ecr get-login-password": ["ecr:GetAuthorizationToken"],
    # HeadObject and GetObject.
    "s3 cp, down": ["s3:GetObject"],
    # ListObjectsV2 before them.
    "s3 cp --recursive, down": ["s3:GetObject", "s3:ListBucket"],
    "s3 cp, up": ["s3:PutObject"],
    "s3 cp --recursive, up": ["s3:PutObject"],
}

CALL = re.compile(r"\baws[ \t]+([a-z0-9-]+)[ \t]+([a-z0-9-]+)([^\n|&;>]*)")
OTHER_CALL = re.compile(r'(?:\baws[ \t]+-|"?\$AWS"?[ \t])[^\n]*')
SCRIPT = re.compile(r"/([\w-]+\.sh)\b")


def code(file):
    """A script or buildspec without its comments, which speak of commands and scripts too."""
    lines = file.read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def commands(text):
    """The commands of the AWS CLI in it, as ACTIONS names them."""
    # A line that ends in a backslash goes on.
    text = text.replace("\\\n", " ")
    # What the next loop would pass over is no command that ACTIONS could have.
    yield from OTHER_CALL.findall(text)
    for service, command, rest in CALL.findall(text):
        name = f"{service} {command}"
        if name == "s3 cp":
            arguments = [word for word in rest.split() if not word.startswith("--")]
            recursive = " --recursive" if "--recursive" in rest.split() else ""
            up = arguments[-1].strip("\"'").startswith("s3://")
            name = f"{name}{recursive}, {'up' if up else 'down'}"
        yield name


def granted(role):
    """The actions that a role's own policies allow."""
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                actions = statement["Action"]
                yield from [actions] if isinstance(actions, str) else actions


def files(project, folder):
    """A project's buildspec, and the scripts that it calls."""
    buildspec = folder / project["Properties"]["Source"]["BuildSpec"]["Fn::Sub"].rsplit("/", 1)[1]
    scripts = sorted(set(SCRIPT.findall(code(buildspec))))
    return [buildspec, *(folder / script for script in scripts)]


def faults(path, folder):
    """What is wrong, a sentence each."""
    resources = yaml_parse(path.read_text())["Resources"]
    for name, project in resources.items():
        if project["Type"] != "AWS::CodeBuild::Project":
            continue
        role = project["Properties"]["ServiceRole"]["Fn::GetAtt"][0]
        allowed = set(granted(resources[role]))
        for file in files(project, folder):
            for command in commands(code(file)):
                if command not in ACTIONS:
                    here = Path(__file__).name
                    yield f"{file} calls `aws {command}`, and ACTIONS in {here} does not say what that needs."
                for action in ACTIONS.get(command, []):
                    if action not in allowed:
                        yield f"{file} calls `aws {command}`, and {role} of {path} ({name}) lacks {action}."


def main(template, folder):
    """Prints the faults, and ends with 1 if there are any."""
    found = list(faults(Path(template), Path(folder)))
    print("\n".join(found) or "Builds may call what they call.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
