import json
from datetime import UTC, datetime, timedelta

import pytest
from conftest import line_rows

from revenue_forecast.cache import FILE_NAME, load_extract, store_extract

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
DAY = timedelta(hours=24)
ROWS = line_rows("Hardware", months=14) + line_rows("Logiciels d'été", months=14)


def test_what_was_stored_comes_back_until_it_is_a_day_old(tmp_path):
    store_extract(tmp_path, "source", NOW, ROWS)
    assert load_extract(tmp_path, "source", NOW, DAY)[0] == ROWS
    rows, sentence = load_extract(tmp_path, "source", NOW + timedelta(hours=23, minutes=59), DAY)
    assert rows == ROWS
    assert "23 hours ago" in sentence
    rows, sentence = load_extract(tmp_path, "source", NOW + DAY, DAY)
    assert rows is None
    assert "24 hours old" in sentence


def test_another_source_and_a_date_in_the_future_are_not_used(tmp_path):
    store_extract(tmp_path, "source", NOW, ROWS)
    rows, sentence = load_extract(tmp_path, "other", NOW, DAY)
    assert rows is None
    assert "another database" in sentence
    rows, sentence = load_extract(tmp_path, "source", NOW - timedelta(minutes=1), DAY)
    assert rows is None
    assert "future" in sentence


def test_no_extract_is_no_mistake(tmp_path):
    assert load_extract(tmp_path / "absent", "source", NOW, DAY)[0] is None


def damaged():
    yield "empty", lambda text: ""
    yield "cut off", lambda text: text[: len(text) // 2]
    yield "another kind of document", lambda text: "[1, 2]"
    yield "another format", lambda text: text.replace('"format": 1', '"format": 2')
    yield "a changed figure", lambda text: text.replace('"2020-02", ', '"2020-02", 1')
    yield "no time", lambda text: json.dumps({**json.loads(text), "fetched_at": "yesterday"})
    yield "time without a zone", lambda text: json.dumps({**json.loads(text), "fetched_at": "2026-11-01T08:00:00"})


@pytest.mark.parametrize("spoil", [pytest.param(change, id=name) for name, change in damaged()])
def test_a_damaged_extract_is_ignored_with_a_sentence(tmp_path, spoil):
    store_extract(tmp_path, "source", NOW, ROWS)
    path = tmp_path / FILE_NAME
    path.write_text(spoil(path.read_text()))
    rows, sentence = load_extract(tmp_path, "source", NOW, DAY)
    assert rows is None
    assert sentence == "The cached history extract is damaged and is ignored."


def test_bytes_that_are_no_text_are_ignored_with_a_sentence(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"\xff\x00\xfe")
    rows, sentence = load_extract(tmp_path, "source", NOW, DAY)
    assert rows is None
    assert "ignored" in sentence


def test_a_store_that_fails_leaves_the_old_extract_and_nothing_else(tmp_path, monkeypatch):
    store_extract(tmp_path, "source", NOW, ROWS)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        store_extract(tmp_path, "source", NOW + DAY, ROWS[:5])
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert load_extract(tmp_path, "source", NOW, DAY)[0] == ROWS
