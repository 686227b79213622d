//! What is said of settings that are missing or unusable.

use dropcast_lambda_kit::config::Settings;

#[test]
fn every_missing_key_is_reported_together() {
    let mut settings = Settings::from_pairs([("A", " "), ("C", "x")]);
    settings.text("A");
    settings.text("B");
    let _: u32 = settings.parsed("C");
    settings.list("D");
    let message = settings.finish().unwrap_err().to_string();
    for fault in [
        "A is not set",
        "B is not set",
        "C: invalid digit",
        "D is not set",
    ] {
        assert!(message.contains(fault), "{message}");
    }
}

#[test]
fn what_may_be_empty_must_still_be_set() {
    let mut settings = Settings::from_pairs([("A", " "), ("B", " b ")]);
    assert_eq!(settings.text_if_any("A"), None);
    assert_eq!(settings.text_if_any("B"), Some("b".to_owned()));
    settings.text_if_any("C");
    let message = settings.finish().unwrap_err().to_string();
    assert_eq!(message, "unusable configuration: C is not set");
}

#[test]
fn a_list_has_at_least_one_entry() {
    let mut settings = Settings::from_pairs([("LIST", "a, b,")]);
    assert_eq!(settings.list("LIST"), ["a", "b"]);
    assert!(settings.finish().is_ok());
    for empty in ["", " ", ", ,"] {
        let mut settings = Settings::from_pairs([("LIST", empty)]);
        assert!(settings.list("LIST").is_empty());
        assert_eq!(
            settings.finish().unwrap_err().to_string(),
            "unusable configuration: LIST is an empty list; it needs at least one entry"
        );
    }
}
