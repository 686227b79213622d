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

from revenue_forecast.job import ROW_SCHEMA

EXAMPLES = MODEL / "examples"
TWIN = ".problems.json"
REJECTED = sorted(path for path in (EXAMPLES / "rejected").iterdir() if not path.name.endswith(TWIN))


@pytest.fixture(scope="module")
def manifest():
    return tomllib.loads((MODEL / "model.toml").read_text())


@pytest.fixture(scope="module")
def validator(schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def row_schema():
    return json.loads(ROW_SCHEMA.read_text())


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


@pytest.mark.parametrize("path", [path for path in REJECTED if path.suffix == ".json"], ids=lambda path: path.name)
def test_the_rejected_documents_are_rejected(path, validator):
    try:
        document = json.loads(path.read_text())
    except json.JSONDecodeError:
        return
    assert list(validator.iter_errors(document))


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.name)
def test_every_rejected_example_says_what_is_wrong_with_it(path):
    problems = json.loads(path.with_name(path.name + TWIN).read_text())
    assert problems
    place = {
        ".json": r"(/[^/]+)*",
        ".csv": r"row [0-9]+, column [a-z_]+",
        ".xlsx": r"Plan![A-Z][0-9]+",
        ".xls": r"Plan![A-Z][0-9]+",
    }[path.suffix]
    for problem in problems:
        assert {"at"} <= problem.keys() <= {"at", "message"}
        assert re.fullmatch(place, problem["at"])


def test_every_twin_belongs_to_a_rejected_example():
    twins = {path.name for path in (EXAMPLES / "rejected").glob(f"*{TWIN}")}
    assert twins == {path.name + TWIN for path in REJECTED}


def test_the_tables_are_what_their_script_makes(tmp_path):
    subprocess.run([sys.executable, MODEL / "tests" / "make_examples.py", tmp_path], check=True)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    kept = {path.relative_to(EXAMPLES): path.read_bytes() for path in EXAMPLES.rglob("*.*")}
    assert made == {path: content for path, content in kept.items() if path.suffix != ".json"}


def test_a_row_says_of_its_fields_what_the_document_says_of_them(schema, row_schema):
    Draft202012Validator.check_schema(row_schema)
    growth = schema["properties"]["growth_percent"]
    ((years, percent),) = growth["additionalProperties"]["patternProperties"].items()
    row = row_schema["properties"]
    for keyword in ("type", "minimum", "maximum"):
        assert row["growth_percent"][keyword] == percent[keyword]
    for keyword in ("minLength", "maxLength"):
        assert row["product_line"][keyword] == growth["propertyNames"][keyword]
    assert row["year"]["type"] == "integer"
    of_the_year = row["year"]["minimum"], row["year"]["maximum"]
    assert of_the_year == (2000, 2099) and years == "^20[0-9][0-9]$"
    for name, rule in row.items():
        assert rule["title"] and rule["description"], name


def test_the_manifest_names_columns_that_a_row_has(manifest, row_schema):
    table = manifest["input"]["table"]
    assert (MODEL / table["schema"]) == ROW_SCHEMA
    assert {*table["required_columns"], *table["key"]} <= row_schema["properties"].keys()
    formats = {path.suffix[1:] for path in EXAMPLES.iterdir() if path.is_file()}
    assert formats == set(manifest["input"]["accepts"])


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
