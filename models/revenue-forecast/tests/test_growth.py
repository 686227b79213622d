import pandas as pd
import pytest

from revenue_forecast.errors import ModelError
from revenue_forecast.growth import growth_factors

HISTORY = pd.Series(range(100, 122), index=pd.period_range("2025-01", periods=22, freq="M"), dtype=float)
CENTER = pd.Series(range(130, 160), index=pd.period_range("2026-11", periods=30, freq="M"), dtype=float)


def grown(projections):
    factors, applied = growth_factors(HISTORY, CENTER, projections, "Hardware")
    return pd.concat([HISTORY, CENTER * factors]), factors, applied


def year_on_year(revenue, months):
    now = revenue.loc[months]
    return 100 * (now.sum() / revenue.loc[now.index - 12].sum() - 1)


def test_without_projections_nothing_changes():
    _, factors, applied = grown({})
    assert (factors == 1).all()
    assert applied == []


def test_the_months_to_come_grow_as_asked_over_the_same_months_of_the_year_before():
    revenue, _, applied = grown({2026: 10, 2027: -5, 2028: 3})
    assert year_on_year(revenue, slice("2026-11", "2026-12")) == pytest.approx(10)
    assert year_on_year(revenue, slice("2027-01", "2027-12")) == pytest.approx(-5)
    assert year_on_year(revenue, slice("2028-01", "2028-12")) == pytest.approx(3)
    assert [(p.year, str(p.first), str(p.last), p.asked) for p in applied] == [
        (2026, "2026-11", "2026-12", 10),
        (2027, "2027-01", "2027-12", -5),
        (2028, "2028-01", "2028-12", 3),
    ]


def test_months_keep_their_shape_within_a_year():
    revenue, factors, _ = grown({2027: 20})
    assert factors.loc["2027-01":"2027-12"].nunique() == 1
    assert (revenue.loc["2026-11":"2026-12"] == CENTER.loc["2026-11":"2026-12"]).all()


def test_a_year_without_a_projection_goes_on_from_the_level_reached():
    revenue, factors, _ = grown({2027: 20})
    assert factors["2028-01"] == factors["2027-12"]
    plain = pd.concat([HISTORY, CENTER])
    months = slice("2028-01", "2028-12")
    assert year_on_year(revenue, months) == pytest.approx(year_on_year(plain, months))


def test_the_growth_that_would_have_been_is_told():
    plain = pd.concat([HISTORY, CENTER])
    _, _, applied = grown({2027: 20, 2028: 1})
    assert applied[0].otherwise == pytest.approx(year_on_year(plain, slice("2027-01", "2027-12")))
    assert applied[1].otherwise == pytest.approx(year_on_year(plain, slice("2028-01", "2028-12")))


def test_asking_for_what_would_have_been_changes_nothing():
    _, _, (without,) = grown({2027: 20})
    _, factors, _ = grown({2027: without.otherwise})
    assert factors.to_numpy() == pytest.approx(1)


def test_years_outside_the_forecast_have_no_effect():
    _, factors, applied = grown({2025: 50, 2040: 50})
    assert (factors == 1).all()
    assert applied == []


def test_growth_of_revenue_at_or_below_zero_is_refused():
    with pytest.raises(ModelError, match='"Hardware" for 2027 cannot be applied'):
        growth_factors(-HISTORY, CENTER, {2027: 5}, "Hardware")
