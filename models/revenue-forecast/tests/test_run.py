"""The model as a job runs it: `python main.py` in a process of its own, told everything by DROPCAST_* variables."""

import csv
import io
import json

import pytest
from conftest import line_rows, write_sqlite

EXAMPLE = {"title": "Plan 2027", "horizon_months": 14, "growth_percent": {"Hardware": {"2027": 4.5}}}


def test_a_run_writes_its_three_files_and_says_what_it_does(model):
    done = model.run(EXAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in model.output.iterdir()) == ["forecast.csv", "forecast.png", "summary.md"]
    lines = done.stdout.splitlines()
    assert lines[0] == "Reading the input file input.json."
    assert "History: January 2019 to October 2026" in done.stdout
    assert lines[-1].startswith("Wrote forecast.csv, summary.md and forecast.png in ")
    rows = list(csv.DictReader(io.StringIO(model.read("forecast.csv").decode())))
    assert len(rows) == 14 * 5
    assert model.read("summary.md").startswith(b"# Plan 2027\n")
    assert model.read("forecast.png").startswith(b"\x89PNG")


def test_the_same_input_and_history_give_the_same_bytes(model):
    assert model.run(EXAMPLE).returncode == 0
    first = [model.read(name) for name in ("forecast.csv", "forecast.png")]
    again = model.run(EXAMPLE)
    assert "Using the history extract that was read less than a minute ago." in again.stdout
    assert [model.read(name) for name in ("forecast.csv", "forecast.png")] == first


def test_the_kept_extract_spares_the_database_until_told_otherwise(model, tmp_path):
    path = write_sqlite(tmp_path / "history.sqlite", line_rows("Gadgets"))
    address = {"HISTORY_DATABASE_URL": f"sqlite:///{path}"}
    assert model.run(**address).returncode == 0
    kept = (model.cache / "history-extract.json").read_text()
    afresh = model.run(**address, HISTORY_CACHE_HOURS="0")
    assert "Reading the history from the SQLite file history.sqlite." in afresh.stdout
    (model.cache / "history-extract.json").write_text(kept[:100])
    damaged = model.run(**address)
    assert "The cached history extract is damaged and is ignored." in damaged.stdout
    assert damaged.returncode == 0
    assert json.loads((model.cache / "history-extract.json").read_text())["rows"] == json.loads(kept)["rows"]


def test_a_run_needs_no_cache_folder(model):
    done = model.run(DROPCAST_CACHE_DIR="", MPLCONFIGDIR=str(model.cache))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_cache_folder_that_cannot_be_written_is_no_failure(model):
    blocked = model.cache / "file"
    blocked.write_text("a file where the folder should be")
    done = model.run(DROPCAST_CACHE_DIR=str(blocked), MPLCONFIGDIR=str(model.cache))
    assert done.returncode == 0
    assert "could not be kept for the next run" in done.stdout


@pytest.mark.parametrize(
    ("document", "environment", "happened", "advice"),
    [
        ("not json", {}, "The input file input.json is not valid JSON.", "Correct the file and upload it again."),
        (
            {"growth_percent": {"Hardwear": {"2027": 4.5}}},
            {},
            'The product line "Hardwear" is not in the revenue history. Did you mean "Hardware"?',
            "Correct the file and upload it again. Known product lines:"
            " Cloud subscriptions, Hardware, Services and Software licences.",
        ),
        (
            {},
            {"HISTORY_DATABASE_URL": "postgresql://reader:s3cret@127.0.0.1:1/sales"},
            'The revenue history could not be read: no connection to the database "sales" on 127.0.0.1:1.',
            "Upload the file again in a few minutes. If that fails too, contact the owner of the history database.",
        ),
        (
            {},
            {"HISTORY_CACHE_HOURS": "a day", "DROPCAST_OUTPUT_DIR": ""},
            "The model was started without a usable value for DROPCAST_OUTPUT_DIR and HISTORY_CACHE_HOURS.",
            "Contact the operator; nothing is wrong with your input file.",
        ),
    ],
)
def test_a_failure_ends_with_what_happened_and_what_to_do(model, document, environment, happened, advice):
    failed = model.run(document, **environment)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-2:] == [happened, advice]
    assert "Traceback" not in failed.stderr
    assert "s3cret" not in failed.stdout + failed.stderr
    assert list(model.output.iterdir()) == []


def test_a_database_without_the_table_is_told_from_one_that_does_not_answer(model, tmp_path):
    path = tmp_path / "empty.sqlite"
    path.touch()
    failed = model.run(HISTORY_DATABASE_URL=f"sqlite:///{path}")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-2].startswith(
        "The SQLite file empty.sqlite answered, but its table monthly_reve"
    )


def test_a_mistake_in_the_model_ends_in_plain_words_too(model, tmp_path, capsys, monkeypatch):
    from revenue_forecast import job

    address = "postgresql://reader:s3cret@db.example/sales"

    def broken(*_):
        raise RuntimeError(f"cannot use {address} with s3cret")

    monkeypatch.setattr(job, "run", broken)
    environment = {"DROPCAST_INPUT_FILE": "x", "DROPCAST_OUTPUT_DIR": "y", "HISTORY_DATABASE_URL": address}
    assert job.main(environment) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-2:] == [
        "The forecast stopped because of a bug in the model.",
        "Contact the operator; nothing is wrong with your input file.",
    ]
    assert "s3cret" not in "\n".join(lines)


def test_a_wrong_input_is_answered_before_the_slow_libraries_are_loaded(model):
    failed = model.run("[]", PYTHONPROFILEIMPORTTIME="1")
    assert failed.stderr.endswith("Correct the file and upload it again.\n")
    assert "import time:" in failed.stderr
    assert "| pandas" not in failed.stderr and "sqlalchemy" not in failed.stderr
