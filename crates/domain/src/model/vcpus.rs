//! How many virtual CPUs a job has.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

/// Above the largest EC2 instance types on sale for batch work.
const MAX: u32 = 256;

/// Virtual CPUs: 0.25 or 0.5, which Fargate alone offers, or a whole number from 1 to 256.
///
/// Serialised as a number, and written as AWS Batch takes it: `0.25`, `4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vcpus {
    quarters: u32,
}

/// What is no number of virtual CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write 0.25, 0.5 or a whole number from 1 to {MAX}")]
pub struct VcpusError;

impl Vcpus {
    /// A quarter of one.
    pub const QUARTER: Self = Self { quarters: 1 };
    /// Half of one.
    pub const HALF: Self = Self { quarters: 2 };
    /// One.
    pub const ONE: Self = Self::whole(1);

    /// So many whole ones; within a manifest 1 to 256.
    pub const fn whole(number: u32) -> Self {
        Self {
            quarters: number.saturating_mul(4),
        }
    }

    /// Whether it is one whole, as words that count them must know.
    pub fn is_one(self) -> bool {
        self == Self::ONE
    }
}

impl FromStr for Vcpus {
    type Err = VcpusError;

    fn from_str(text: &str) -> Result<Self, VcpusError> {
        match text {
            "0.25" => Ok(Self::QUARTER),
            "0.5" => Ok(Self::HALF),
            whole => whole
                .parse()
                .ok()
                .filter(|number| (1..=MAX).contains(number))
                .map(Self::whole)
                .ok_or(VcpusError),
        }
    }
}

impl fmt::Display for Vcpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::QUARTER => f.write_str("0.25"),
            Self::HALF => f.write_str("0.5"),
            Self { quarters } => write!(f, "{}", quarters / 4),
        }
    }
}

impl JsonSchema for Vcpus {
    fn schema_name() -> Cow<'static, str> {
        "Vcpus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Virtual CPUs: a whole number, or 0.25 or 0.5, which Fargate alone offers.",
            "anyOf": [
                { "enum": [Self::QUARTER, Self::HALF] },
                { "type": "integer", "minimum": 1, "maximum": MAX }
            ],
        })
    }
}

impl Serialize for Vcpus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::QUARTER => serializer.serialize_f64(0.25),
            Self::HALF => serializer.serialize_f64(0.5),
            Self { quarters } => serializer.serialize_u32(quarters / 4),
        }
    }
}

impl<'de> Deserialize<'de> for Vcpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An f64 holds every one of them exactly, and is written without a trailing zero.
        let number = f64::deserialize(deserializer)?;
        number.to_string().parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["0.25", "0.5", "1", "2", "96", "256"] {
            let vcpus: Vcpus = text.parse().unwrap();
            assert_eq!(vcpus.to_string(), text);
            assert_eq!(serde_json::to_string(&vcpus).unwrap(), text);
            assert_eq!(serde_json::from_str::<Vcpus>(text).unwrap(), vcpus);
        }
        for text in ["0", "0.3", "1.5", "257", "-1", "", "NaN"] {
            assert!(text.parse::<Vcpus>().is_err(), "{text}");
        }
        assert!(Vcpus::QUARTER < Vcpus::HALF && Vcpus::HALF < Vcpus::whole(1));
    }
}
