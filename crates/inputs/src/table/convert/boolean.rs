//! Boolean values as people and their spreadsheets write them.

use dropcast_domain::model::Locale;

/// Reads a boolean, without regard to case.
pub(super) fn parse(text: &str, locale: Option<Locale>) -> Option<bool> {
    match text {
        "1" => return Some(true),
        "0" => return Some(false),
        _ if text.len() > 16 => return None,
        _ => {}
    }
    let is = |word: &str| text.eq_ignore_ascii_case(word) || text.to_lowercase() == word;
    if ["true", "yes"].into_iter().any(is) {
        return Some(true);
    }
    if ["false", "no"].into_iter().any(is) {
        return Some(false);
    }
    let (yes, no) = locale.map_or((&[][..], &[][..]), of);
    if yes.iter().copied().any(is) {
        Some(true)
    } else if no.iter().copied().any(is) {
        Some(false)
    } else {
        None
    }
}

/// A locale's own words: what a spreadsheet writes, and yes and no.
pub(super) fn of(locale: Locale) -> (&'static [&'static str], &'static [&'static str]) {
    match locale {
        Locale::DeDe | Locale::DeAt | Locale::DeCh => (&["wahr", "ja"], &["falsch", "nein"]),
        Locale::FrFr => (&["vrai", "oui"], &["faux", "non"]),
        Locale::EsEs => (&["verdadero", "sí", "si"], &["falso", "no"]),
        Locale::ItIt => (&["vero", "sì", "si"], &["falso", "no"]),
        Locale::NlNl => (&["waar", "ja"], &["onwaar", "nee"]),
        Locale::PtBr => (&["verdadeiro", "sim"], &["falso", "não", "nao"]),
        Locale::PlPl => (&["prawda", "tak"], &["fałsz", "nie"]),
        Locale::SvSe => (&["sant", "ja"], &["falskt", "nej"]),
        _ => (&[], &[]),
    }
}
