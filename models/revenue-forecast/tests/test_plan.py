import pandas as pd
import pytest
from conftest import line_rows

from revenue_forecast.errors import ModelError
from revenue_forecast.history import prepare_history
from revenue_forecast.plan import check_lines, make_plan

TWO_LINES = line_rows("Hardware", months=58) + line_rows("Services", months=58, level=4e5)


@pytest.fixture(scope="module")
def history():
    return prepare_history(TWO_LINES)


@pytest.mark.parametrize(("asked", "meant"), [("Hardwear", "Hardware"), ("services", "Services")])
def test_an_unknown_line_is_answered_with_the_known_ones(history, ask, asked, meant):
    with pytest.raises(ModelError) as caught:
        check_lines(ask(growth_percent={asked: {"2025": 1}}), history)
    assert caught.value.happened == (
        f'The product line "{asked}" is not in the revenue history. Did you mean "{meant}"?'
    )
    assert caught.value.advice.endswith("Known product lines: Hardware and Services.")


def test_a_line_that_was_left_out_cannot_be_planned(ask):
    gone = prepare_history(line_rows("Old", months=24, start=2015) + TWO_LINES)
    with pytest.raises(ModelError, match='"Old" cannot be forecast: its last figure is for December 2016'):
        check_lines(ask(growth_percent={"Old": {"2025": 1}}), gone)


def test_projections_reach_the_table_and_leave_other_lines_alone(history, ask):
    plain = make_plan(ask(horizon_months=26), history)
    plan = make_plan(ask(horizon_months=26, growth_percent={"Hardware": {"2025": 20}}), history)
    hardware, services = (line.forecast for line in plan.lines)
    year = slice("2025-01", "2025-12")
    before = pd.concat([plan.lines[0].history, hardware["forecast"]]).loc["2024-01":"2024-12"].sum()
    assert hardware.loc[year, "forecast"].sum() == pytest.approx(1.2 * before)
    assert (hardware.loc[year, "growth_percent"] == 20).all()
    assert hardware.loc["2026-01":, "growth_percent"].isna().all()
    assert (hardware["without_projections"] == plain.lines[0].forecast["forecast"]).all()
    assert services.equals(plain.lines[1].forecast)


def test_the_total_adds_up_to_the_cent(history, ask):
    plan = make_plan(ask(growth_percent={"Hardware": {"2025": 7.5}}), history)
    for column in ("forecast", "without_projections"):
        added = sum(line.forecast[column] for line in plan.lines)
        assert (plan.total.forecast[column] - added).abs().max() < 0.001
    assert (plan.total.forecast["lower"] < plan.total.forecast["forecast"]).all()
    assert (plan.total.forecast["forecast"] < plan.total.forecast["upper"]).all()


def test_a_single_line_is_the_total(ask):
    plan = make_plan(ask(), prepare_history(line_rows("Hardware")))
    assert plan.total is plan.lines[0]


def test_a_projection_outside_the_forecast_is_noted(history, ask):
    plan = make_plan(ask(horizon_months=3, growth_percent={"Hardware": {"2024": 1, "2026": 2, "2031": 3}}), history)
    assert plan.notes == (
        "The growth of Hardware for 2026 and 2031 has no effect: the forecast runs from November 2024 to January 2025.",
    )


@pytest.mark.parametrize(("percents", "noted"), [((0.045, -0.03, 0), 1), ((0.5, 1), 0), ((0,), 0), ((), 0)])
def test_projections_that_look_like_fractions_are_noted(history, ask, percents, noted):
    years = {str(2025 + i): percent for i, percent in enumerate(percents)}
    plan = make_plan(ask(horizon_months=60, growth_percent={"Hardware": years}), history)
    assert sum(note.startswith("Every growth projection is smaller than 1 %.") for note in plan.notes) == noted


def test_every_example_names_lines_that_the_shipped_history_has(schema):
    from revenue_forecast.database import parse_url, read_rows
    from revenue_forecast.job import MODEL_FOLDER, ROW_SCHEMA, SCHEMA, SHIPPED_HISTORY
    from revenue_forecast.request import read_request

    shipped = prepare_history(read_rows(parse_url(f"sqlite:///{SHIPPED_HISTORY}")))
    paths = sorted(path for kind in ("*.json", "*.csv") for path in (MODEL_FOLDER / "examples").glob(kind))
    assert len(paths) >= 4
    for path in paths:
        request = read_request(path, SCHEMA, ROW_SCHEMA)
        check_lines(request, shipped)
        years = {year for years in request.growth_percent.values() for year in years}
        last = shipped.last_month + request.months_after(shipped.last_month)
        assert all(shipped.last_month.year <= year <= last.year for year in years), path.name
