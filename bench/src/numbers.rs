//! Moments, percentiles and rounding.

use serde::Serialize;

/// A moment in nanoseconds since 1970, on the clock that every process of the machine shares.
pub(crate) type Nanos = i128;

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "A bench compares its own clock with that of other processes."
)]
pub(crate) fn now() -> Nanos {
    jiff::Timestamp::now().as_nanosecond()
}

/// Milliseconds from one moment to a later one.
#[expect(
    clippy::cast_precision_loss,
    reason = "Spans of minutes in nanoseconds fit an f64."
)]
pub(crate) fn millis(from: Nanos, to: Nanos) -> f64 {
    (to - from) as f64 / 1e6
}

/// Median, 90th percentile and extremes of a measured series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of a series by the nearest rank; zeros for an empty one.
    pub(crate) fn of(series: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = series.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            round(sorted.get(rank - 1).copied().unwrap_or_default())
        };
        Self {
            min: at(0),
            p50: at(50),
            p90: at(90),
            max: at(100),
        }
    }
}

/// To hundredths, which is more than any of these clocks can tell.
pub(crate) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Megabytes of 10⁶ bytes.
#[expect(clippy::cast_precision_loss, reason = "Sizes are far below 2^53.")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    round(bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn percentiles_are_measured_values() {
        let spread = Spread::of((1..=20).rev().map(f64::from));
        assert_eq!(
            (spread.min, spread.p50, spread.p90, spread.max),
            (1.0, 10.0, 18.0, 20.0)
        );
        assert!(Spread::of([]).p50.abs() < f64::EPSILON);
    }
}
