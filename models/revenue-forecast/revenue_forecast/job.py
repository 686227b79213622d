"""One run of the model, from the DROPCAST_* variables to the files in the output folder.

The libraries that take long to load are imported where they are first needed: the first line of progress appears at
once, and a wrong input is answered without loading them.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from revenue_forecast.cache import load_extract, store_extract
from revenue_forecast.database import describe, fingerprint, parse_url, read_rows, without_secrets
from revenue_forecast.errors import ModelError, in_words
from revenue_forecast.request import read_request

if TYPE_CHECKING:
    from revenue_forecast.database import Row

MODEL_FOLDER = Path(__file__).resolve().parent.parent
SCHEMA = MODEL_FOLDER / "input.schema.json"
ROW_SCHEMA = MODEL_FOLDER / "row.schema.json"
SHIPPED_HISTORY = MODEL_FOLDER / "history" / "history.sqlite"
CACHE_HOURS = 24.0
ASK_OPERATOR = "Contact the operator; nothing is wrong with your input file."

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What the environment says. Without a cache folder nothing is kept; an age of zero hours reads afresh."""

    input_file: Path
    output_folder: Path
    cache_folder: Path | None
    database_address: str
    cache_age: timedelta

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the variables; raises `ModelError` naming all that are missing or wrong."""
        wrong = [name for name in ("DROPCAST_INPUT_FILE", "DROPCAST_OUTPUT_DIR") if not environment.get(name)]
        try:
            hours = float(environment.get("HISTORY_CACHE_HOURS") or CACHE_HOURS)
            cache_age = timedelta(hours=hours)
        except (ValueError, OverflowError):
            wrong.append("HISTORY_CACHE_HOURS")
        if wrong:
            raise ModelError(f"The model was started without a usable value for {in_words(wrong)}.", ASK_OPERATOR)
        cache = environment.get("DROPCAST_CACHE_DIR")
        return cls(
            Path(environment["DROPCAST_INPUT_FILE"]),
            Path(environment["DROPCAST_OUTPUT_DIR"]),
            Path(cache) if cache else None,
            environment.get("HISTORY_DATABASE_URL") or f"sqlite:///{SHIPPED_HISTORY}",
            cache_age,
        )


def main(environment: Mapping[str, str]) -> int:
    """Runs the model and answers its exit code. On failure the last lines on stderr are for the user."""
    address = environment.get("HISTORY_DATABASE_URL", "")
    try:
        run(Settings.from_environment(environment), say)
    except ModelError as error:
        if error.detail:
            print(without_secrets(error.detail.strip(), address), file=sys.stderr)
        print(error.happened, error.advice, sep="\n", file=sys.stderr)
        return 1
    except Exception:
        print(without_secrets(traceback.format_exc(), address), file=sys.stderr)
        print("The forecast stopped because of a bug in the model.", ASK_OPERATOR, sep="\n", file=sys.stderr)
        return 1
    return 0


def say(sentence: str) -> None:
    """One line of progress, at once: the log is read while the model runs."""
    print(sentence, flush=True)


def run(settings: Settings, say: Say) -> None:
    """Makes the forecast; raises `ModelError` with sentences for the user when it cannot."""
    started = time.monotonic()
    say(f"Reading the input file {settings.input_file.name}.")
    request = read_request(settings.input_file, SCHEMA, ROW_SCHEMA)
    lines = [line for line, years in request.growth_percent.items() if years]
    projected = in_words(lines) if lines else "no product line"
    say(f"Asked for: {request.horizon_name}, {request.interval_name}, growth projections for {projected}.")

    rows, source = history_rows(settings, datetime.now(UTC), say)
    _prepare_libraries(settings)
    from revenue_forecast.history import prepare_history
    from revenue_forecast.plan import check_lines, make_plan

    history = prepare_history(rows)
    first, last = history.table.index[0], history.last_month
    names = in_words(history.table.columns)
    say(f"History: {first:%B %Y} to {last:%B %Y}; product lines {names}.")
    check_lines(request, history)
    plan = make_plan(request, history)
    for note in plan.notes:
        say(note)

    from revenue_forecast.chart import chart_png
    from revenue_forecast.report import csv_text, summary_text

    files = {
        "forecast.csv": csv_text(plan).encode(),
        "summary.md": summary_text(plan, f"{source} It runs to {last:%B %Y}.").encode(),
        "forecast.png": chart_png(plan),
    }
    settings.output_folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (settings.output_folder / name).write_bytes(content)
    say(f"Wrote {in_words(files)} in {time.monotonic() - started:.1f} s.")


def history_rows(settings: Settings, now: datetime, say: Say) -> tuple[list["Row"], str]:
    """The history and the sentence on where it came from: the kept extract when it is fresh, else the database."""
    url = parse_url(settings.database_address)
    source, folder = fingerprint(url), settings.cache_folder
    if folder and settings.cache_age > timedelta(0):
        rows, sentence = load_extract(folder, source, now, settings.cache_age)
        say(sentence)
        if rows is not None:
            return rows, f"History from the {describe(url)}, kept from an earlier run."
    say(f"Reading the history from the {describe(url)}.")
    rows = read_rows(url)
    if folder:
        try:
            store_extract(folder, source, now, rows)
        except OSError as error:
            say(f"The history extract could not be kept for the next run: {error.strerror}.")
    return rows, f"History from the {describe(url)}."


def _prepare_libraries(settings: Settings) -> None:
    # The matrices here are small: threads would only add their own start. Read by numpy when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if settings.cache_folder:
        # Matplotlib looks for fonts once and remembers them; a container forgets its home folder after each run.
        os.environ.setdefault("MPLCONFIGDIR", str(settings.cache_folder / "matplotlib"))
