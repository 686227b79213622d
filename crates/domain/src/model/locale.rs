//! How people of one country write numbers and dates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, VariantArray};

use crate::variants::every;

/// The order of a date's parts in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 31.12.2026
    DayMonthYear,
    /// 12/31/2026
    MonthDayYear,
    /// 2026-12-31
    YearMonthDay,
}

/// A locale whose numbers and dates are read, by its BCP 47 tag. The signs are those of
/// Unicode's CLDR.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumCount,
    VariantArray,
)]
#[non_exhaustive]
#[schemars(description = "How numbers and dates are written, as a BCP 47 tag.")]
pub enum Locale {
    /// English, United States.
    #[serde(rename = "en-US")]
    EnUs,
    /// English, United Kingdom.
    #[serde(rename = "en-GB")]
    EnGb,
    /// German, Germany.
    #[serde(rename = "de-DE")]
    DeDe,
    /// German, Austria.
    #[serde(rename = "de-AT")]
    DeAt,
    /// German, Switzerland.
    #[serde(rename = "de-CH")]
    DeCh,
    /// French, France.
    #[serde(rename = "fr-FR")]
    FrFr,
    /// Spanish, Spain.
    #[serde(rename = "es-ES")]
    EsEs,
    /// Italian, Italy.
    #[serde(rename = "it-IT")]
    ItIt,
    /// Dutch, Netherlands.
    #[serde(rename = "nl-NL")]
    NlNl,
    /// Portuguese, Brazil.
    #[serde(rename = "pt-BR")]
    PtBr,
    /// Polish, Poland.
    #[serde(rename = "pl-PL")]
    PlPl,
    /// Swedish, Sweden.
    #[serde(rename = "sv-SE")]
    SvSe,
}

impl Locale {
    /// Every locale.
    pub const ALL: [Self; <Self as EnumCount>::COUNT] = every(<Self as VariantArray>::VARIANTS);

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::EnUs => "en-US",
            Self::EnGb => "en-GB",
            Self::DeDe => "de-DE",
            Self::DeAt => "de-AT",
            Self::DeCh => "de-CH",
            Self::FrFr => "fr-FR",
            Self::EsEs => "es-ES",
            Self::ItIt => "it-IT",
            Self::NlNl => "nl-NL",
            Self::PtBr => "pt-BR",
            Self::PlPl => "pl-PL",
            Self::SvSe => "sv-SE",
        }
    }

    /// The sign before the decimals.
    pub fn decimal(self) -> char {
        match self {
            Self::EnUs | Self::EnGb | Self::DeCh => '.',
            _ => ',',
        }
    }

    /// The signs that may group thousands, the usual one first. Spaces stand for all of theirs:
    /// plain, no-break, narrow no-break.
    pub fn grouping(self) -> &'static [char] {
        match self {
            Self::EnUs | Self::EnGb => &[','],
            Self::DeDe | Self::EsEs | Self::ItIt | Self::NlNl | Self::PtBr => &['.'],
            Self::DeAt => &[' ', '.'],
            Self::DeCh => &['\u{2019}', '\''],
            Self::FrFr | Self::PlPl | Self::SvSe => &[' '],
        }
    }

    /// The order of a date's parts.
    pub fn date_order(self) -> DateOrder {
        match self {
            Self::EnUs => DateOrder::MonthDayYear,
            Self::SvSe => DateOrder::YearMonthDay,
            _ => DateOrder::DayMonthYear,
        }
    }
}
