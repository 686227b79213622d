"""The plan as a table: the clean CSV that Dropcast makes of a CSV file or of an Excel workbook.

UTF-8, commas, one header whose names are the row schema's, numbers with a decimal point. Dropcast has checked every
cell already. The checks here are for runs by hand, and make sure that a wrong table ends in a sentence instead of a
wrong forecast.
"""

import csv
import io
import re
from typing import Any

from revenue_forecast.errors import ADVICE, ModelError, in_words

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def table_document(text: str, row_schema: dict[str, Any]) -> dict[str, Any]:
    """The document that says in JSON what the table says; raises `ModelError` when it cannot be understood.

    A row without a growth leaves that year to the history. Its product line is kept, so that its name is checked too.
    """
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except ValueError as error:
        raise ModelError("The table is empty.", ADVICE) from error
    except csv.Error as error:
        raise ModelError("The table cannot be read as CSV.", ADVICE, str(error)) from error
    _check_header(header, row_schema)

    growth: dict[str, dict[str, float]] = {}
    seen: dict[tuple[str, str], int] = {}
    # Rows are counted as a spreadsheet shows them: the header is the first.
    for number, cells in enumerate(rows, start=2):
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise ModelError(f"Row {number} of the table has {len(cells)} cells; the header has {len(header)}.", ADVICE)
        row = dict(zip(header, cells, strict=True))
        # A space behind a name is not seen in a spreadsheet.
        line, year, percent = row["product_line"].strip(), row["year"], row["growth_percent"]
        for column in row_schema["required"]:
            if not row[column].strip():
                raise ModelError(f"Row {number} of the table has no {column}.", ADVICE)
        first = seen.setdefault((line, year), number)
        if first != number:
            raise ModelError(f"Row {number} of the table repeats row {first}: {line} in {year}.", ADVICE)
        years = growth.setdefault(line, {})
        if percent:
            if not NUMBER.fullmatch(percent):
                raise ModelError(
                    f'growth_percent in row {number} of the table must be a number like 4.5, not "{percent[:40]}".',
                    ADVICE,
                )
            years[year] = float(percent)
    if not seen:
        raise ModelError("The table has no rows below its header.", ADVICE)
    return {"growth_percent": growth}


def _check_header(header: list[str], row_schema: dict[str, Any]) -> None:
    known = row_schema["properties"]
    for name in header:
        if name not in known:
            raise ModelError(
                f'The table has a column "{name}" that this model does not know.',
                f"{ADVICE} Its columns are {in_words(known)}.",
            )
    if len(set(header)) < len(header):
        raise ModelError("The table has two columns of the same name.", ADVICE)
    missing = [name for name in (*row_schema["required"], "growth_percent") if name not in header]
    if missing:
        raise ModelError(f"The table has no column {in_words(missing)}.", ADVICE)
