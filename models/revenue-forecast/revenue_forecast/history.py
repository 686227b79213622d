"""Turns the rows of the history into one clean table of months and product lines."""

from dataclasses import dataclass

import pandas as pd

from revenue_forecast.database import ASK_OWNER, Row
from revenue_forecast.errors import ModelError

SHORTEST = 12
"""Months that a line must have: growth compares a month with the same month of the year before."""

DISCONTINUED_AFTER = 12
"""A line without figures for this many months counts as discontinued."""


@dataclass(frozen=True)
class History:
    """Revenue by month (monthly `PeriodIndex`, without gaps) and product line (columns, sorted by name).

    Every line ends in the last month. A line that began later than others holds NaN before its first month.
    `left_out` says of each line that is not forecast why; `notes` are further sentences for the user.
    """

    table: pd.DataFrame
    left_out: dict[str, str]
    notes: tuple[str, ...]

    @property
    def last_month(self) -> pd.Period:
        """The newest month that every line has."""
        return self.table.index[-1]

    def line(self, name: str) -> pd.Series:
        """One line's revenue from its first month on."""
        return self.table[name].dropna()


def prepare_history(rows: list[Row]) -> History:
    """Builds the table; raises `ModelError` when a month is missing in the middle or no line is long enough."""
    frame = pd.DataFrame(rows, columns=Row._fields)
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    table = frame.pivot(index="month", columns="product_line", values="revenue").sort_index(axis=1)
    table = table.reindex(pd.period_range(table.index.min(), table.index.max(), freq="M", name="month"))
    left_out: dict[str, str] = {}
    notes: list[str] = []

    newest = table.index[-1]
    ends = {name: table[name].last_valid_index() for name in table.columns}
    for name, end in ends.items():
        if (newest - end).n >= DISCONTINUED_AFTER:
            left_out[name] = f"its last figure is for {end:%B %Y}"
    table = table.drop(columns=list(left_out))

    slowest = min(table.columns, key=lambda name: ends[name])
    if ends[slowest] < newest:
        table = table.loc[: ends[slowest]]
        notes.append(f"Figures after {ends[slowest]:%B %Y} are not used: {slowest} has none yet.")

    for name in list(table.columns):
        line = table[name].loc[table[name].first_valid_index() :]
        months = int(line.notna().sum())
        if months < SHORTEST:
            left_out[name] = f"its history has {months} months, fewer than {SHORTEST}"
            table = table.drop(columns=name)
        elif months < len(line):
            month = line.index[line.isna()][0]
            raise ModelError(f'The revenue history of "{name}" has no figure for {month:%B %Y}.', ASK_OWNER)
    if table.columns.empty:
        raise ModelError(f"No product line has a history of {SHORTEST} months or more to forecast from.", ASK_OWNER)
    # What was left out may have been alone in having figures for the oldest months.
    return History(table.loc[table.first_valid_index() :], left_out, tuple(notes))
