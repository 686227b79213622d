"""Keeps the history extract between runs, so that a burst of requests asks the database once."""

import hashlib
import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from revenue_forecast.database import Row, clean_rows
from revenue_forecast.errors import ModelError

FILE_NAME = "history-extract.json"
FORMAT = 1


def load_extract(folder: Path, source: str, now: datetime, max_age: timedelta) -> tuple[list[Row] | None, str]:
    """The kept rows when they come from `source` and are younger than `max_age`, and a sentence that says so or why
    not. A file that cannot be understood counts as no file: the next store replaces it."""
    try:
        text = (folder / FILE_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None, "There is no cached history extract yet."
    except (OSError, ValueError):
        return None, "The cached history extract cannot be read and is ignored."
    try:
        kept = json.loads(text)
        if kept["format"] != FORMAT or kept["sha256"] != _digest(kept["rows"]):
            raise ValueError("another format, or changed since it was written")
        fetched_at = datetime.fromisoformat(kept["fetched_at"])
        age = now - fetched_at
        rows = clean_rows(kept["rows"])
    except (KeyError, TypeError, ValueError, RecursionError, ModelError):
        return None, "The cached history extract is damaged and is ignored."
    if kept.get("source") != source:
        return None, "The cached history extract comes from another database and is ignored."
    if age < timedelta(0):
        return None, "The cached history extract is dated in the future and is ignored."
    if age >= max_age:
        return None, f"The cached history extract is {_in_words(age)} old, too old to use."
    return rows, f"Using the history extract that was read {_in_words(age)} ago."


def store_extract(folder: Path, source: str, now: datetime, rows: list[Row]) -> None:
    """Writes the extract in one step: a reader finds the old file or the new one, never a part. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        "format": FORMAT,
        "source": source,
        "fetched_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "sha256": _digest(rows),
        "rows": rows,
    }
    handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{FILE_NAME}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file, ensure_ascii=False)
        os.replace(draft, folder / FILE_NAME)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _digest(rows: list) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _in_words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{minutes // 60} hours"
