"""Checks that the boundary of the models' roles ends a role at its own model, and that the document says the same.

    python job_boundary.py TEMPLATES OPERATIONS

TEMPLATES is the folder that transform.py wrote, OPERATIONS the document with the statements for an organization's
boundary. Each try is made by a role whose own policy allows everything, so that the boundary alone decides.
"""

import json
import sys
from pathlib import Path

from role_matrix import PARAMETERS
from role_world import MODEL, Place, tries
from template_roles import ACCOUNT, Stack, allows, parsed

# The stack of the document, and its account.
NAME, ACCOUNT_OF_DOCUMENT = "dropcast", "123456789012"
HEADING = "### A boundary of your organization"
EVERYTHING = [parsed([{"Effect": "Allow", "Action": "*", "Resource": "*"}])]
TAG = {"aws:PrincipalTag/dropcast-model": MODEL}
RUN = "mfrggzdfmztwq2lknnwg23tpoa"
CREATES = {"s3:ObjectCreationOperation": "true"}
# The situations of a write: of a new object, of one that may be there, of a part.
WRITES = {
    "": CREATES | {"s3:if-none-match": "*"},
    ", whatever is there": CREATES,
    ", in parts": {"s3:ObjectCreationOperation": "false"},
}
OBJECTS = "GetObject GetObjectVersion DeleteObject DeleteObjectVersion PutObjectAcl AbortMultipartUpload".split()
# What a job does on the results bucket.
EXPECTED = {
    *(("s3:GetObject", place) for place in ("input", "prepared", "outputs", "cache")),
    *(("s3:PutObject", place) for place in ("outputs", "outputs, in parts")),
    *(("s3:PutObject", f"cache{situation}") for situation in WRITES),
    *(("s3:AbortMultipartUpload", place) for place in ("outputs", "cache")),
    ("s3:DeleteObject", "cache"),
    ("s3:ListBucket", "listing of cache"),
}


def objects(stack):
    """Tries on buckets: (action, place's name) to Place."""
    results = f"arn:aws:s3:::{stack.output('ResultsBucketName')}"
    folders = {
        "input": f"runs/{MODEL}/{RUN}/input/",
        "prepared": f"runs/{MODEL}/{RUN}/prepared/",
        "outputs": f"runs/{MODEL}/{RUN}/outputs/j/1/",
        "manifest": f"runs/{MODEL}/{RUN}/manifest.json",
        "problems": f"runs/{MODEL}/{RUN}/problems.json",
        "cache": f"cache/{MODEL}/",
        "input of another": f"runs/{MODEL}-2/{RUN}/input/",
        "prepared of another": f"runs/victim/{RUN}/prepared/",
        "outputs of another": f"runs/{MODEL}-2/{RUN}/outputs/j/1/",
        "cache of another": f"cache/{MODEL}-2/",
        "run of no model": f"runs/{RUN}/outputs/",
        "elsewhere": "other/",
    }
    places = {name: f"{results}/{folder}x.csv" for name, folder in folders.items()}
    places["an uploaded file"] = f"arn:aws:s3:::{stack.output('InputsBucketName')}/inputs/{MODEL}/x.csv"
    places["outputs of another stack"] = places["outputs"].replace(f"{NAME}-", f"{NAME}-test-", 1)
    found = {}
    for name, resource in places.items():
        for action in OBJECTS:
            found[f"s3:{action}", name] = Place(resource)
        for situation, context in WRITES.items():
            found["s3:PutObject", name + situation] = Place(resource, context)
    for action in ("ListBucket", "ListBucketVersions", "PutBucketPolicy", "DeleteBucket"):
        for name, folder in folders.items():
            found[f"s3:{action}", f"listing of {name}"] = Place(results, {"s3:prefix": folder})
        found[f"s3:{action}", "listing of everything"] = Place(results)
        found[f"s3:{action}", "listing of another bucket"] = Place("arn:aws:s3:::x", {"s3:prefix": f"cache/{MODEL}/"})
    return found


def documented(text):
    """The statements of the document, for the account that the tries are made in."""
    section = text.split(HEADING, 1)[1]
    block = section.split("```json\n", 1)[1].split("```", 1)[0]
    return json.loads(f"[{block.replace(ACCOUNT_OF_DOCUMENT, ACCOUNT)}]")


def allowed(tried, boundary, tag, principal=f"role/dropcast/{NAME}/{NAME}-job-{MODEL}-0a1b2c3d"):
    """The tries that a boundary allows to a role with this tag."""
    boundary = parsed(boundary)
    return {
        one
        for one, place in tried.items()
        if allows(EVERYTHING, one[0], place.arn, place.context | tag, boundary, principal)
    }


def differences(one, other, says):
    """Where two sets of tries differ, a sentence each."""
    for action, place in sorted(one ^ other):
        yield f"{says[(action, place) in one]}: {action} on {place}."


def faults(stack, text):
    """What is wrong, a sentence each."""
    tried = tries(stack) | objects(stack)
    template = stack.managed_policy("JobBoundary")
    by_template = allowed(tried, template, TAG)
    says = ("JobBoundary does not allow", "JobBoundary allows")
    yield from differences(by_template, EXPECTED, says)
    untagged = allowed(tried, template, {})
    yield from (f"JobBoundary allows a role without a model: {action} on {place}." for action, place in untagged)

    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    statements = documented(text)
    document = [anything, *statements]
    says = ("JobBoundary alone allows", "The statements in the document alone allow")
    yield from differences(allowed(tried, document, TAG), by_template, says)
    yield from differences(allowed(tried, document, {}), untagged, says)
    others = tried.keys() - allowed(tried, document, {}, "role/dropcast-NotifyRole")
    yield from (f"The document denies other roles {action} on {place}." for action, place in sorted(others))
    for number, statement in enumerate(statements, 1):
        rest = [part for part in document if part is not statement]
        if all(allowed(tried, rest, tag) == allowed(tried, document, tag) for tag in (TAG, {})):
            yield f"Statement {number} of the document makes no difference to any try."


def main(templates, operations):
    """Prints the faults, and ends with 1 if there are any."""
    stack = Stack(Path(templates), NAME, PARAMETERS)
    found = list(faults(stack, Path(operations).read_text()))
    print("\n".join(found) or "The boundary ends a role at its model, and the document's statements do the same.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
