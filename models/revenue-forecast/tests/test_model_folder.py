"""What Dropcast reads of the model without running it: the manifest, the schema, the examples, the shipped history."""

import json
import re
import sqlite3
import subprocess
import sys
import tomllib

import pytest
from conftest import MODEL
from jsonschema import Draft202012Validator

EXAMPLES = MODEL / "examples"


@pytest.fixture(scope="module")
def manifest():
    return tomllib.loads((MODEL / "model.toml").read_text())


@pytest.fixture(scope="module")
def validator(schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_manifest_names_what_is_there(manifest):
    assert manifest["name"] == MODEL.name
    assert (MODEL / manifest["input"]["schema"]).is_file()
    assert (MODEL / manifest["job"]["command"][-1]).is_file()
    assert {output["path"] for output in manifest["outputs"]} == {"forecast.csv", "forecast.png", "summary.md"}


def test_every_field_has_a_title_a_description_and_a_valid_default(schema, validator):
    for name, rule in schema["properties"].items():
        assert rule["title"] and rule["description"], name
        validator.validate({name: rule["default"]})


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.name)
def test_the_examples_are_accepted(path, validator, manifest):
    validator.validate(json.loads(path.read_text()))
    assert path.stat().st_size <= manifest["input"]["max_bytes"]


@pytest.mark.parametrize("path", sorted((EXAMPLES / "rejected").glob("*.json")), ids=lambda path: path.name)
def test_the_rejected_examples_are_rejected(path, validator):
    try:
        document = json.loads(path.read_text())
    except json.JSONDecodeError:
        return
    assert list(validator.iter_errors(document))


def test_the_failing_example_is_valid_and_fails_in_the_model(model, validator):
    (path,) = (EXAMPLES / "failing").glob("*.json")
    validator.validate(json.loads(path.read_text()))
    failed = model.run(path.read_text())
    assert failed.returncode == 1
    assert "Known product lines" in failed.stderr


def test_the_shipped_history_is_what_its_script_makes(tmp_path):
    made = tmp_path / "made.sqlite"
    subprocess.run([sys.executable, MODEL / "history" / "make_history.py", made], check=True)
    # Files of two SQLite versions differ in their headers; what is in them must not.
    assert dump(made) == dump(MODEL / "history" / "history.sqlite")


def dump(path):
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_hashes(name):
    text = (MODEL / name).read_text()
    blocks = [block for block in re.split(r"\n(?=[A-Za-z0-9])", text) if not block.startswith("#")]
    assert len(blocks) > 10
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", block) and "--hash=sha256:" in block, block.splitlines()[0]


def test_the_image_leaves_the_first_word_of_the_command_to_the_job_definition():
    dockerfile = (MODEL / "Dockerfile").read_text()
    instructions = [line.split()[0] for line in dockerfile.splitlines() if re.match(r"[A-Z]+ ", line)]
    assert "ENTRYPOINT" not in instructions
    assert 'CMD ["dropcast-job", "--", "python", "main.py"]' in dockerfile
