"""Makes `history.sqlite`, the synthetic revenue history that ships with the model.

The same seed gives the same figures on every machine. Run it again after a change here and commit the file:

    python history/make_history.py
"""

import math
import os
import random
import sqlite3
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

SEED = 20190101
FIRST_YEAR = 2019
MONTHS = 94  # January 2019 to October 2026


@dataclass(frozen=True)
class Line:
    """How one product line's revenue comes about; `season` holds a percentage for each calendar month."""

    name: str
    start: float
    yearly_growth: tuple[float, ...]
    season: tuple[float, ...]
    noise: float


LINES = (
    Line(
        "Cloud subscriptions",
        620_000,
        (0.34, 0.38, 0.31, 0.27, 0.22, 0.19, 0.17, 0.15),
        (-1, -2, 0, 0, 1, 0, -1, -2, 1, 1, 1, 2),
        0.012,
    ),
    Line(
        "Hardware",
        3_100_000,
        (0.03, -0.06, 0.07, 0.05, 0.01, 0.02, 0.03, 0.02),
        (-9, -11, 2, -3, -2, 1, -6, -8, 3, 4, 11, 18),
        0.030,
    ),
    Line(
        "Services",
        1_450_000,
        (0.05, 0.01, 0.06, 0.07, 0.05, 0.04, 0.04, 0.05),
        (-3, 0, 3, 1, 2, 1, -7, -12, 4, 5, 4, 2),
        0.022,
    ),
    Line(
        "Software licences",
        1_900_000,
        (-0.01, -0.04, -0.02, -0.05, -0.06, -0.04, -0.05, -0.04),
        (-12, -6, 14, -9, -5, 11, -10, -7, 12, -6, -2, 20),
        0.035,
    ),
)


def figures(line: Line, generator: random.Random) -> list[tuple[str, str, float]]:
    """Rows (product line, first day of the month, revenue) of one line, oldest first."""
    normal = statistics.NormalDist()
    level, drift, rows = math.log(line.start), 0.0, []
    for index in range(MONTHS):
        year, month = divmod(index, 12)
        level += math.log1p(line.yearly_growth[year]) / 12
        # Chance that lingers for some months, as orders do, beside chance of the single month.
        drift = 0.7 * drift + line.noise / 2 * normal.inv_cdf(generator.random())
        chance = drift + line.noise * normal.inv_cdf(generator.random())
        revenue = math.exp(level + chance) * (1 + line.season[month] / 100)
        rows.append((line.name, f"{FIRST_YEAR + year}-{month + 1:02}-01", round(revenue, 2)))
    return rows


def write(path: Path) -> None:
    """Writes the database beside its final place and moves it there, so that a reader never sees half of it."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    generator = random.Random(SEED)
    connection = sqlite3.connect(draft)
    try:
        with connection:
            connection.execute(
                "CREATE TABLE monthly_revenue (product_line TEXT NOT NULL, month DATE NOT NULL,"
                " revenue NUMERIC NOT NULL, PRIMARY KEY (product_line, month)) WITHOUT ROWID"
            )
            for line in LINES:
                connection.executemany("INSERT INTO monthly_revenue VALUES (?, ?, ?)", figures(line, generator))
    finally:
        connection.close()
    os.replace(draft, path)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("history.sqlite"))
