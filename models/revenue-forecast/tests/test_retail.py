"""The model on real data that nobody here made: monthly sales of US retail and food services."""

import csv
import io
from pathlib import Path

from conftest import write_sqlite

from revenue_forecast.database import Row

HELD_BACK = 24
LINE = "Retail and food services"


def retail_rows():
    path = Path(__file__).with_name("data") / "us-retail-sales.csv"
    with path.open(newline="") as file:
        return [Row(LINE, row["ds"][:7], float(row["y"]) * 1e6) for row in csv.DictReader(file)]


def test_the_forecast_beats_the_seasonal_naive_one_on_the_last_two_years(model, tmp_path, record_property):
    rows = retail_rows()
    known, actual = rows[:-HELD_BACK], [row.revenue for row in rows[-HELD_BACK:]]
    path = write_sqlite(tmp_path / "retail.sqlite", known)
    done = model.run({"horizon_months": HELD_BACK}, HISTORY_DATABASE_URL=f"sqlite:///{path}")
    assert done.returncode == 0, done.stderr

    table = list(csv.DictReader(io.StringIO(model.read("forecast.csv").decode())))
    assert [row["month"] for row in table] == [row.month for row in rows[-HELD_BACK:]]
    # Seasonal-naive: each month is what it was in the last year that is known.
    naive = [row.revenue for row in known[-12:]] * (HELD_BACK // 12)
    errors = {
        "model": mean_error([float(row["forecast"]) for row in table], actual),
        "seasonal naive": mean_error(naive, actual),
    }
    record_property("mean absolute error", errors)
    assert errors["model"] < errors["seasonal naive"], errors
    inside = sum(float(row["lower"]) <= value <= float(row["upper"]) for row, value in zip(table, actual, strict=True))
    assert inside >= 18, f"the 90 % interval held {inside} of {HELD_BACK} months"


def mean_error(forecast, actual):
    return sum(abs(f - a) for f, a in zip(forecast, actual, strict=True)) / len(actual)
