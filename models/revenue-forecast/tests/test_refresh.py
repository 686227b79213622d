"""The refresh as a job runs it: the kept extract is replaced, or stays as it is."""

import json
import tomllib
from datetime import UTC, datetime, timedelta

from conftest import MODEL, line_rows, write_sqlite

from revenue_forecast.cache import FILE_NAME


def kept(model):
    return json.loads((model.cache / FILE_NAME).read_text())


def test_a_refresh_keeps_what_the_database_has_now_and_the_next_run_uses_it(model, tmp_path):
    database = write_sqlite(tmp_path / "h.sqlite", line_rows("Hardware"))
    address = f"sqlite:///{database}"
    done = model.refresh(HISTORY_DATABASE_URL=address)
    assert done.returncode == 0, done.stderr
    assert "Cached 48 figures of 1 product lines, up to 2023-12." in done.stdout
    assert list(model.output.iterdir()) == []
    run = model.run(HISTORY_DATABASE_URL=address)
    assert run.returncode == 0, run.stderr
    assert "Using the history extract that was read less than a minute ago." in run.stdout


def test_a_fresh_extract_is_replaced_all_the_same(model):
    assert model.refresh().returncode == 0
    # A minute is young enough for a run to use it, and too old for a refresh in the same second.
    before = datetime.now(UTC) - timedelta(minutes=1)
    extract = {**kept(model), "fetched_at": before.isoformat(timespec="seconds")}
    (model.cache / FILE_NAME).write_text(json.dumps(extract))
    assert model.refresh().returncode == 0
    assert datetime.fromisoformat(kept(model)["fetched_at"]) > before


def test_a_refresh_that_fails_says_why_and_leaves_what_was_kept(model, tmp_path):
    assert model.refresh().returncode == 0
    before = kept(model)
    done = model.refresh(HISTORY_DATABASE_URL=f"sqlite:///{tmp_path / 'absent.sqlite'}")
    assert done.returncode == 1
    assert "The revenue history was not found" in done.stderr
    assert kept(model) == before
    done = model.refresh(HISTORY_DATABASE_URL="postgresql://u:s3cret@127.0.0.1:9/none")
    assert done.returncode == 1
    assert "s3cret" not in done.stderr + done.stdout
    assert kept(model) == before


def test_without_a_cache_folder_there_is_nothing_to_refresh(model):
    done = model.refresh(DROPCAST_CACHE_DIR="")
    assert done.returncode == 1
    assert "DROPCAST_CACHE_DIR" in done.stderr


def test_the_manifest_names_the_program():
    manifest = tomllib.loads((MODEL / "model.toml").read_text())
    assert (MODEL / manifest["refresh"]["command"][-1]).is_file()
