"""Joins history, statistical forecast and growth projections into the forecast that is reported."""

import difflib
from dataclasses import dataclass

import pandas as pd

from revenue_forecast.errors import ADVICE, ModelError, in_words
from revenue_forecast.forecast import Forecast, forecast_line, total
from revenue_forecast.growth import Applied, growth_factors
from revenue_forecast.history import History
from revenue_forecast.request import Request

ALL_LINES = "All lines"


@dataclass(frozen=True)
class LinePlan:
    """One line of the report, or the total of all: its history and its forecast.

    `tested_error` is how far off tests on the last two years were, in percent, where there are any.
    `forecast` has a row for each month with `forecast`, `lower`, `upper`, `without_projections` (revenue, rounded to
    hundredths) and `growth_percent` (the projection applied to the month, NaN when none).
    """

    name: str
    history: pd.Series
    forecast: pd.DataFrame
    applied: tuple[Applied, ...]
    seasonal: bool
    tested_error: float | None


@dataclass(frozen=True)
class Plan:
    """The whole report: lines sorted by name, their total (the line itself when there is one), notes for the user."""

    request: Request
    lines: tuple[LinePlan, ...]
    total: LinePlan
    notes: tuple[str, ...]


def check_lines(request: Request, history: History) -> None:
    """Raises `ModelError` when the request names product lines that cannot be forecast, with the ones that can."""
    known = list(history.table.columns)
    for name in request.growth_percent:
        if name in history.left_out:
            raise ModelError(
                f'The product line "{name}" cannot be forecast: {history.left_out[name]}.',
                f"Remove it from the file and upload the file again. Product lines to choose from: {in_words(known)}.",
            )
        if name not in known:
            by_lower_case = {line.lower(): line for line in known}
            near = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
            hint = f' Did you mean "{by_lower_case[near[0]]}"?' if near else ""
            raise ModelError(
                f'The product line "{name}" is not in the revenue history.{hint}',
                f"{ADVICE} Known product lines: {in_words(known)}.",
            )


def make_plan(request: Request, history: History) -> Plan:
    """Forecasts every line, applies the projections and adds up the total."""
    check_lines(request, history)
    lines, forecasts = [], []
    months = request.months_after(history.last_month)
    for name in history.table.columns:
        past = history.line(name)
        plain = forecast_line(past, months)
        asked = request.growth_percent.get(name, {})
        factors, applied = growth_factors(past, plain.center, asked, name)
        scaled = plain.scaled(factors)
        table = _table(scaled, plain, request.interval_percent)
        table["growth_percent"] = [asked.get(month.year) for month in table.index]
        table["growth_percent"] = table["growth_percent"].astype("float64")
        lines.append(LinePlan(name, past, table, tuple(applied), plain.seasonal, plain.tested_error))
        forecasts.append(scaled)
    return Plan(
        request,
        tuple(lines),
        lines[0] if len(lines) == 1 else _total(lines, forecasts, request),
        (*history.notes, *_notes(request, history, lines)),
    )


def _total(lines: list[LinePlan], scaled: list[Forecast], request: Request) -> LinePlan:
    together = total(scaled)
    table = _table(together, together, request.interval_percent)
    # The total is the sum of the rounded figures, so that the table adds up for whoever checks it.
    for column in ("forecast", "without_projections"):
        table[column] = sum(line.forecast[column] for line in lines).round(2)
    table["growth_percent"] = float("nan")
    past = pd.concat([line.history for line in lines], axis=1).sum(axis=1)
    return LinePlan(ALL_LINES, past, table, (), together.seasonal, None)


def _table(scaled: Forecast, plain: Forecast, percent: float) -> pd.DataFrame:
    lower, upper = scaled.bounds(percent)
    columns = {"forecast": scaled.center, "lower": lower, "upper": upper, "without_projections": plain.center}
    return pd.DataFrame(columns).round(2).rename_axis("month")


def _notes(request: Request, history: History, lines: list[LinePlan]) -> list[str]:
    notes = [f"{name} is not forecast: {reason}." for name, reason in history.left_out.items()]
    short = [line.name for line in lines if not line.seasonal]
    if short:
        notes.append(f"No yearly seasonality for {in_words(short)}: this needs two years of history.")
    for line in lines:
        used = {projection.year for projection in line.applied}
        unused = sorted(set(request.growth_percent.get(line.name, {})) - used)
        if unused:
            notes.append(
                f"The growth of {line.name} for {in_words(map(str, unused))} has no effect:"
                f" the forecast runs from {line.forecast.index[0]:%B %Y} to {line.forecast.index[-1]:%B %Y}."
            )
    percents = [percent for years in request.growth_percent.values() for percent in years.values() if percent]
    if percents and all(abs(percent) < 1 for percent in percents):
        notes.append(
            "Every growth projection is smaller than 1 %."
            " If that is not intended, write 4.5 for 4.5 %, not 0.045."
        )
    return notes
