//! A file's media type, by its extension.

use std::path::Path;

/// The media type of a file named so; `application/octet-stream` when its extension says nothing.
///
/// Without a charset: a model may write any, and the name does not tell.
pub(crate) fn of(path: &str) -> String {
    let extension = Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str());
    // Not in the registry that `mime_guess` carries.
    if let Some("parquet") = extension {
        return "application/vnd.apache.parquet".to_owned();
    }
    if let Some("jsonl" | "ndjson") = extension {
        return "application/x-ndjson".to_owned();
    }
    mime_guess::from_path(path)
        .first_or_octet_stream()
        .essence_str()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_extension_decides() {
        for (path, media_type) in [
            ("forecast.csv", "text/csv"),
            ("a/summary.md", "text/markdown"),
            ("Chart.PNG", "image/png"),
            ("a.json", "application/json"),
            ("a.jsonl", "application/x-ndjson"),
            ("a.parquet", "application/vnd.apache.parquet"),
            (
                "a.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
            ("a.pdf", "application/pdf"),
            ("README", "application/octet-stream"),
            ("dir.csv/x", "application/octet-stream"),
        ] {
            assert_eq!(of(path), media_type, "{path}");
        }
    }
}
