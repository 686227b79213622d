import numpy as np
import pandas as pd
import pytest
from conftest import line_rows

from revenue_forecast.forecast import forecast_line, total


def series(months=72, **shape):
    rows = line_rows("a", months, **shape)
    return pd.Series([row.revenue for row in rows], index=pd.PeriodIndex([row.month for row in rows], freq="M"))


def test_trend_and_season_go_on():
    full = series(96)
    forecast = forecast_line(full[:-24], 24)
    assert list(forecast.center.index) == list(full.index[-24:])
    assert (abs(forecast.center / full[-24:] - 1)).max() < 0.06
    assert forecast.logarithmic and forecast.seasonal


def test_the_interval_holds_the_forecast_and_widens_with_level_and_distance():
    forecast = forecast_line(series(), 24)
    lower80, upper80 = forecast.bounds(80)
    lower95, upper95 = forecast.bounds(95)
    assert (lower95 < lower80).all() and (lower80 < forecast.center).all()
    assert (forecast.center < upper80).all() and (upper80 < upper95).all()
    width = (upper80 / lower80).to_numpy()
    assert width[-1] > width[0]


def test_the_interval_covers_as_often_as_it_says():
    random = np.random.default_rng(7)
    hits, tries = 0, 0
    for _ in range(20):
        noise = np.cumsum(random.normal(0, 0.01, 84)) + random.normal(0, 0.03, 84)
        full = series(84) * np.exp(noise)
        lower, upper = forecast_line(full[:-12], 12).bounds(80)
        hits += ((full[-12:] >= lower) & (full[-12:] <= upper)).sum()
        tries += 12
    assert 0.68 <= hits / tries <= 0.92


@pytest.mark.parametrize("months", [12, 13, 23, 24, 25, 36])
def test_short_histories_are_forecast_and_have_a_season_from_two_years_on(months):
    forecast = forecast_line(series(months), 18)
    assert forecast.seasonal == (months >= 24)
    assert np.isfinite(forecast.center).all() and np.isfinite(forecast.spread).all()


@pytest.mark.parametrize("value", [0.0, 5.0, 1e12])
def test_a_line_that_never_changes_stays_as_it_is(value):
    forecast = forecast_line(series() * 0 + value, 6)
    assert forecast.center.to_numpy() == pytest.approx(value)
    assert forecast.spread.to_numpy() == pytest.approx(0, abs=1e-6)


def test_refunds_below_zero_are_forecast_on_the_plain_scale():
    forecast = forecast_line(series() - 1.3e6, 12)
    lower, upper = forecast.bounds(90)
    assert not forecast.logarithmic
    assert (lower < forecast.center).all() and (forecast.center < upper).all()


def test_the_total_is_the_sum_and_lines_that_err_together_are_less_certain():
    random = np.random.default_rng(3)
    shared = np.exp(random.normal(0, 0.03, 72))
    alone = [np.exp(random.normal(0, 0.03, 72)) for _ in range(2)]
    together = [forecast_line(series() * shared, 6) for _ in range(2)]
    apart = [forecast_line(series() * noise, 6) for noise in alone]
    assert total(together).center.to_numpy() == pytest.approx((together[0].center * 2).to_numpy())
    # Two lines that are the same err the same way: the total is as uncertain, relatively, as each of them.
    assert total(together).deviation().to_numpy() == pytest.approx((2 * together[0].deviation()).to_numpy())
    assert (total(apart).deviation() < sum(part.deviation() for part in apart)).all()


def test_one_line_is_its_own_total():
    forecast = forecast_line(series(), 6)
    assert total([forecast]) is forecast


def test_scaling_keeps_the_relative_uncertainty():
    forecast = forecast_line(series(), 6)
    factors = pd.Series(1.5, index=forecast.center.index)
    for plain, scaled in zip(forecast.bounds(90), forecast.scaled(factors).bounds(90), strict=True):
        assert (plain * 1.5).to_numpy() == pytest.approx(scaled.to_numpy())


def test_the_model_is_tested_where_the_history_is_long_enough():
    assert forecast_line(series(29), 6).tested_error is None
    assert 0 < forecast_line(series(72), 6).tested_error < 5


def test_a_break_in_the_business_widens_the_interval_within_reason():
    broken = series() * 0 + 1e6
    broken.iloc[-9:] *= 3
    forecast = forecast_line(broken, 24)
    lower, upper = forecast.bounds(90)
    assert np.isfinite(upper).all() and (lower > 0).all()
    assert (forecast.spread > 0).all()


def test_a_line_that_fell_to_zero_is_forecast_without_a_test_on_the_logarithm():
    ended = series()
    ended.iloc[-3:] = 0
    forecast = forecast_line(ended, 6)
    assert not forecast.logarithmic
    assert np.isfinite(forecast.spread).all()
