"""What the user asks for, as JSON or as a table: nothing else of the model knows which.

The rules and the defaults are in `input.schema.json`, those for a row of a table in `row.schema.json`.
"""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revenue_forecast.errors import ADVICE, ModelError
from revenue_forecast.table import table_document

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Request:
    """One forecast to make. `growth_percent` maps a product line and a calendar year to percent.

    The forecast is `horizon_months` long, or longer to cover every year with a projection, as far as
    `longest_horizon_months` goes. The two are equal when the user chose the horizon.
    """

    title: str
    horizon_months: int
    longest_horizon_months: int
    interval_percent: float
    growth_percent: dict[str, dict[int, float]]

    def months_after(self, last: "pd.Period") -> int:
        """How many months to forecast when `last` is the last month of the history."""
        last_year = max((year for years in self.growth_percent.values() for year in years), default=last.year)
        months = 12 * (last_year - last.year) + 12 - last.month
        return min(max(self.horizon_months, months), self.longest_horizon_months)

    @property
    def horizon_name(self) -> str:
        """The horizon as the log tells it, before the history is known."""
        if self.horizon_months == self.longest_horizon_months:
            return f"{self.horizon_months} months"
        return f"{self.horizon_months} months or up to the end of the last year with a projection"

    @property
    def interval_name(self) -> str:
        """The interval as people call it, for example `90 % interval`."""
        return f"{self.interval_percent:g} % interval"


def read_request(path: Path, schema_path: Path, row_schema_path: Path) -> Request:
    """Reads the input file, JSON or a clean `.csv`; raises `ModelError` when there is none or when it asks for
    something impossible."""
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    kind = path.suffix.lower()
    if kind in (".xlsx", ".xls"):
        raise ModelError(
            f"The model does not read the workbook {path.name} itself; Dropcast converts it to CSV.",
            "Upload the workbook to Dropcast, or save it as CSV UTF-8 with commas to run the model without Dropcast.",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The input file {path.name} could not be opened.", "Upload the file again.", str(error)
        ) from error
    if kind == ".csv":
        try:
            text = content.decode("utf-8-sig")
        except ValueError as error:
            raise ModelError(f"The input file {path.name} is not in UTF-8.", ADVICE, str(error)) from error
        row_schema = json.loads(row_schema_path.read_text(encoding="utf-8"))
        request = parse_request(table_document(text, row_schema), schema)
        # A table says nothing of a horizon. Whoever projects a year wants to see it, to its end.
        return replace(request, longest_horizon_months=schema["properties"]["horizon_months"]["maximum"])
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"The input file {path.name} is not valid JSON.", ADVICE, str(error)) from error
    return parse_request(document, schema)


def parse_request(document: Any, schema: dict[str, Any]) -> Request:
    """Turns the document into a request, with the schema's defaults for what it leaves out.

    Dropcast has checked the document against the schema already. The checks here are for runs by hand, and make
    sure that a wrong value ends in a sentence instead of a wrong forecast.
    """
    rules = schema["properties"]
    _check_object(document, "The input")
    for key in document:
        if key not in rules:
            raise ModelError(f'The input has a field "{key}" that this model does not know.', ADVICE)
    given = {name: document.get(name, rule["default"]) for name, rule in rules.items()}

    horizon = _number(given["horizon_months"], rules["horizon_months"], "horizon_months")
    if horizon != int(horizon):
        raise ModelError(f"horizon_months must be a whole number, not {horizon:g}.", ADVICE)
    if not isinstance(given["title"], str) or not given["title"].strip():
        raise ModelError("title must be a non-empty string.", ADVICE)

    growth_rule = rules["growth_percent"]["additionalProperties"]["patternProperties"]
    ((year_pattern, percent_rule),) = growth_rule.items()
    _check_object(given["growth_percent"], "growth_percent")
    growth: dict[str, dict[int, float]] = {}
    for line, years in given["growth_percent"].items():
        _check_object(years, f'growth_percent of "{line}"')
        growth[line] = {}
        for year, percent in years.items():
            if not re.search(year_pattern, year):
                raise ModelError(f'growth_percent of "{line}" names the year "{year}"; it must be like 2027.', ADVICE)
            growth[line][int(year)] = _number(percent, percent_rule, f'growth_percent of "{line}" for {year}')

    return Request(
        title=" ".join(given["title"].split()),
        horizon_months=int(horizon),
        longest_horizon_months=int(horizon),
        interval_percent=_number(given["interval_percent"], rules["interval_percent"], "interval_percent"),
        growth_percent=growth,
    )


def _check_object(value: Any, name: str) -> None:
    if not isinstance(value, dict):
        raise ModelError(f"{name} must be an object in braces, not {json.dumps(value)[:40]}.", ADVICE)


def _number(value: Any, rule: dict[str, Any], name: str) -> float:
    low, high = rule["minimum"], rule["maximum"]
    # In Python true is a number too; in JSON it is not.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ModelError(f"{name} must be a number from {low} to {high}, not {json.dumps(value)[:40]}.", ADVICE)
    return float(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
