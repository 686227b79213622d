"""Reads the history and caches it, so that later runs need not read the database."""

import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from revenue_forecast.cache import store_extract
from revenue_forecast.database import describe, fingerprint, parse_url, read_rows, without_secrets
from revenue_forecast.errors import ModelError
from revenue_forecast.job import ASK_OPERATOR, SHIPPED_HISTORY, say

Say = Callable[[str], None]


def main(environment: Mapping[str, str]) -> int:
    """Refreshes the extract and answers the exit code. On failure the last lines on stderr say why."""
    address = environment.get("HISTORY_DATABASE_URL", "")
    try:
        refresh(environment, say)
    except ModelError as error:
        if error.detail:
            print(without_secrets(error.detail.strip(), address), file=sys.stderr)
        print(error.happened, error.advice, sep="\n", file=sys.stderr)
        return 1
    except Exception:
        print(without_secrets(traceback.format_exc(), address), file=sys.stderr)
        print("The refresh stopped because of a bug in the model.", ASK_OPERATOR, sep="\n", file=sys.stderr)
        return 1
    return 0


def refresh(environment: Mapping[str, str], say: Say) -> None:
    """Replaces the kept extract; raises `ModelError`, and leaves the kept one as it is, when it cannot."""
    folder = environment.get("DROPCAST_CACHE_DIR")
    if not folder:
        raise ModelError("The refresh was started without a usable value for DROPCAST_CACHE_DIR.", ASK_OPERATOR)
    url = parse_url(environment.get("HISTORY_DATABASE_URL") or f"sqlite:///{SHIPPED_HISTORY}")
    say(f"Reading the history from the {describe(url)}.")
    rows = read_rows(url)
    try:
        store_extract(Path(folder), fingerprint(url), datetime.now(UTC), rows)
    except OSError as error:
        raise ModelError(f"The history could not be cached: {error.strerror}.", ASK_OPERATOR) from error
    last = max(row.month for row in rows)
    say(f"Cached {len(rows)} figures of {len({row.product_line for row in rows})} product lines, up to {last}.")
