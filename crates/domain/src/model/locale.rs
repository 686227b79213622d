//! How people of one country write numbers and dates.

use crate::variants::named_enum;

/// The order of a date's parts, written in digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 31.12.2026
    DayMonthYear,
    /// 12/31/2026
    MonthDayYear,
    /// 2026-12-31
    YearMonthDay,
}

named_enum! {
    /// A locale whose numbers and dates are read, by its BCP 47 tag. The separators are
    /// those of Unicode's CLDR.
    #[non_exhaustive]
    #[schemars(description = "How numbers and dates are written, as a BCP 47 tag.")]
    pub enum Locale {
        /// English, United States.
        EnUs = "en-US",
        /// English, United Kingdom.
        EnGb = "en-GB",
        /// German, Germany.
        DeDe = "de-DE",
        /// German, Austria.
        DeAt = "de-AT",
        /// German, Switzerland.
        DeCh = "de-CH",
        /// French, France.
        FrFr = "fr-FR",
        /// Spanish, Spain.
        EsEs = "es-ES",
        /// Italian, Italy.
        ItIt = "it-IT",
        /// Dutch, Netherlands.
        NlNl = "nl-NL",
        /// Portuguese, Brazil.
        PtBr = "pt-BR",
        /// Polish, Poland.
        PlPl = "pl-PL",
        /// Swedish, Sweden.
        SvSe = "sv-SE",
    }
}

impl Locale {
    /// The decimal separator.
    pub fn decimal(self) -> char {
        match self {
            Self::EnUs | Self::EnGb | Self::DeCh => '.',
            _ => ',',
        }
    }

    /// The separators that may group thousands, the usual one first. A space means any of the
    /// plain, the no-break and the narrow no-break space.
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
