import csv
import io

import pytest
from conftest import line_rows
from matplotlib.image import imread

from revenue_forecast.chart import chart_png, spread_apart, tick
from revenue_forecast.history import prepare_history
from revenue_forecast.plan import make_plan
from revenue_forecast.report import CSV_COLUMNS, amount, calendar_years, csv_text, summary_text

ROWS = line_rows("Hardware", months=58) + line_rows("Services", months=58, level=4e5)


@pytest.fixture(scope="module")
def plan(schema):
    from revenue_forecast.request import parse_request

    fields = {"title": "Plan <2027> | *A*", "horizon_months": 26, "growth_percent": {"Hardware": {"2025": 7.5}}}
    return make_plan(parse_request(fields, schema), prepare_history(ROWS))


def test_the_table_has_a_row_for_each_line_and_month_and_the_total_last(plan):
    rows = list(csv.DictReader(io.StringIO(csv_text(plan))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["product_line"] for row in rows[::26]] == ["Hardware", "Services", "All lines"]
    assert [rows[0]["month"], rows[25]["month"]] == ["2024-11", "2026-12"]
    assert {row["growth_percent"] for row in rows if row["month"].startswith("2025")} == {"7.5", ""}
    for row in rows:
        assert float(row["lower"]) < float(row["forecast"]) < float(row["upper"])


def test_a_single_line_is_not_repeated_as_total(ask):
    plan = make_plan(ask(horizon_months=2), prepare_history(line_rows("Hardware, large")))
    assert [row["product_line"] for row in csv.DictReader(io.StringIO(csv_text(plan)))] == ["Hardware, large"] * 2


def test_the_summary_says_what_was_asked_and_what_comes_of_it(plan):
    text = summary_text(plan, "History from a test.")
    assert "in the next 12 months" in text
    assert "History from a test." in text
    assert "| 2023 (actual) | 2024 (10 actual + 2 forecast) | 2025 (forecast) | 2026 (forecast) |" in text
    assert "| Hardware | Jan – Dec 2025 | +7.5 % |" in text
    assert "in 90 of 100 cases" in text
    assert "were off by: Hardware" in text


def test_what_a_user_wrote_is_shown_as_text_and_not_as_markup(plan):
    assert summary_text(plan, "").startswith("# Plan \\<2027\\> \\| \\*A\\*\n")


def test_a_short_horizon_is_compared_with_the_same_months(ask):
    history = prepare_history(ROWS)
    assert "in November 2024, " in summary_text(make_plan(ask(horizon_months=1), history), "")
    text = summary_text(make_plan(ask(horizon_months=5), history), "")
    assert "in the next 5 months" in text
    assert "None applied" in text


def test_calendar_years_say_what_they_are_made_of(ask):
    plan = make_plan(ask(horizon_months=16), prepare_history(line_rows("Hardware", months=48)))
    assert calendar_years(plan) == [(2023, "actual"), (2024, "forecast"), (2025, "4 months")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (47.4, "47"),
        (1234, "1.23 k"),
        (98_760, "98.8 k"),
        (999_960, "1.00 M"),
        (12_345_678, "12.3 M"),
        (9_996_000, "10.0 M"),
        (123_456_789, "123 M"),
        (-2_100_000, "-2.10 M"),
        (5.478e12, "5.48 tn"),
    ],
)
def test_money_is_written_short(value, text):
    assert amount(value) == text


def test_the_revenue_axis_counts_in_thousands_and_millions():
    assert [tick(value) for value in (0, 250_000, 1_000_000, 2_500_000, 3e9)] == ["0", "250 k", "1 M", "2.5 M", "3 bn"]


def test_the_chart_fits_a_mail_and_is_drawn_the_same_every_time(plan):
    png = chart_png(plan)
    assert imread(io.BytesIO(png)).shape[:2] == (675, 1200)
    assert len(png) <= 300_000
    assert chart_png(plan) == png


@pytest.mark.parametrize("lines", [1, 12])
@pytest.mark.parametrize("months", [1, 60])
def test_the_chart_is_drawn_for_any_number_of_lines_and_months(ask, lines, months):
    rows = [row for i in range(lines) for row in line_rows(f"Line {i} with a long $name$ & more", level=1e5 * (i + 1))]
    png = chart_png(make_plan(ask(title="W" * 80, horizon_months=months), prepare_history(rows)))
    assert len(png) <= 300_000


def test_labels_are_pushed_apart_and_stay_in_the_panel():
    wanted, heights = [0.0, 0.1, 0.2, 5.0, 9.9, 10.0], [1.0, 1.0, 2.0, 1.0, 1.0, 1.0]
    places = spread_apart(wanted, heights, 0.0, 10.0)
    edges = [(place - height / 2, place + height / 2) for place, height in zip(places, heights, strict=True)]
    assert all(upper <= lower + 1e-9 for (_, upper), (lower, _) in zip(edges, edges[1:], strict=False))
    assert edges[0][0] >= 0 and edges[-1][1] <= 10
    assert places[3] == 5.0
