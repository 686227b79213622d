//! The pages of a link that does not open: short and plain.

use dropcast_domain::link::LinkError;

use crate::Answer;

pub(crate) fn refused(reason: LinkError) -> Answer {
    match reason {
        LinkError::Forged => page(
            403,
            "This link is not valid",
            "It may be incomplete or changed. Open it from the mail again, or copy the whole link.",
        ),
        LinkError::Expired => page(
            410,
            "This link has expired",
            "The file may still exist. Ask the operator, or upload the input again.",
        ),
        LinkError::Revoked => page(
            410,
            "This link was revoked",
            "The links of this run were revoked after the mail was sent. Ask the operator.",
        ),
    }
}

pub(crate) fn gone() -> Answer {
    page(
        410,
        "This file was deleted",
        "Its retention period is over. To create it again, upload the input again.",
    )
}

pub(crate) fn try_later() -> Answer {
    page(
        503,
        "This link cannot be opened right now",
        "Nothing is wrong with the link. Try again in a minute.",
    )
}

/// Both texts are our own; nothing of the request is shown.
fn page(status: u16, headline: &str, advice: &str) -> Answer {
    Answer::page(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{headline}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.5 system-ui,sans-serif;\
             max-width:32rem;margin:15vh auto;padding:0 1.5rem}}h1{{font-size:1.5rem}}</style>\
             <h1>{headline}</h1><p>{advice}</p></html>\n"
        ),
    )
}
