//! Dates and times that are none.

use super::{values::said, *};

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn what_is_no_date_gets_a_sentence_that_says_what_to_write() {
    let date = json!({"type": "string", "format": "date"});
    let time = json!({"type": "string", "format": "date-time"});
    let german = Some(Locale::DeDe);
    for (property, cell, locale, expected) in [
        (
            &date,
            "soon",
            None,
            "found \"soon\"; a date such as 2026-01-31 is allowed.",
        ),
        (
            &date,
            "31/02/2026",
            None,
            "found \"31/02/2026\"; a date such as 2026-01-31 is allowed. February 2026 has 28 days.",
        ),
        (
            &date,
            "2026-13-01",
            None,
            "found \"2026-13-01\"; a date such as 2026-01-31 is allowed. There is no month 13.",
        ),
        (
            &date,
            "2026-02-30",
            None,
            "found \"2026-02-30\"; a date such as 2026-01-31 is allowed. February 2026 has 28 days.",
        ),
        (
            &date,
            "45000",
            None,
            "found \"45000\"; a date such as 2026-01-31 is allowed. In Excel this number of days represents 2023-03-15: write 2023-03-15, or give the cell a date format.",
        ),
        (
            &date,
            "31/01/2026",
            None,
            "found \"31/01/2026\"; a date such as 2026-01-31 is allowed. Write 2026-01-31.",
        ),
        (
            &date,
            "01/02/2026",
            None,
            "found \"01/02/2026\"; a date such as 2026-01-31 is allowed. Write 2026-02-01 or 2026-01-02, whichever is meant.",
        ),
        (
            &date,
            "2026/1/31",
            None,
            "found \"2026/1/31\"; a date such as 2026-01-31 is allowed. Write 2026-01-31.",
        ),
        (
            &date,
            "31.01.26",
            german,
            "found \"31.01.26\"; a date such as 31.01.2026 is allowed. Write the year with four digits.",
        ),
        (
            &date,
            "01/31/2026",
            german,
            "found \"01/31/2026\"; a date such as 31.01.2026 is allowed. There is no month 31.",
        ),
        (
            &date,
            "2026-01-31 08:30",
            None,
            "found \"2026-01-31 08:30\"; a date such as 2026-01-31 is allowed. Write the date without a time.",
        ),
        (
            &date,
            "2026-01-311",
            None,
            "found \"2026-01-311\"; a date such as 2026-01-31 is allowed.",
        ),
        (
            &time,
            "2026-01-31T25:00:00Z",
            None,
            "found \"2026-01-31T25:00:00Z\"; a date and time such as 2026-01-31T08:30:00Z is allowed.",
        ),
        (
            &time,
            "31/01/2026 08:30",
            None,
            "found \"31/01/2026 08:30\"; a date and time such as 2026-01-31T08:30:00Z is allowed. Write 2026-01-31T08:30:00Z.",
        ),
        (
            &time,
            "2026-01-31T08:30:00+0100",
            None,
            "found \"2026-01-31T08:30:00+0100\"; a date and time such as 2026-01-31T08:30:00Z is allowed.",
        ),
        (
            &time,
            "31.02.2026 08:30",
            german,
            "found \"31.02.2026 08:30\"; a date and time such as 31.01.2026 08:30 is allowed. February 2026 has 28 days.",
        ),
    ] {
        assert_eq!(said(property, cell, locale), expected);
    }
}
