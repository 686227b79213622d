//! The tables of `docs/ERRORS.md`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dropcast_domain::{failure::ErrorCode, registry::BuildCode};

const PAGE: &str = "docs/ERRORS.md";
const END: &str = "<!-- codegen: end -->";

/// The page of a repository with its tables as the types say them.
pub(super) fn page(root: &Path) -> anyhow::Result<(PathBuf, String)> {
    let page =
        std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("reading {PAGE}"))?;
    let page = with_table(&page, "run errors", &run_errors())?;
    let page = with_table(&page, "build errors", &build_errors())?;
    Ok((PAGE.into(), page))
}

/// A page with what lies between a marker and the next end replaced.
fn with_table(page: &str, name: &str, table: &str) -> anyhow::Result<String> {
    let begin = format!("<!-- codegen: {name} -->");
    let (before, rest) = page
        .split_once(&begin)
        .with_context(|| format!("{PAGE} has no line {begin}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{PAGE} has no line {END} after {begin}"))?;
    Ok(format!("{before}{begin}\n{table}{END}{after}"))
}

fn run_errors() -> String {
    let rows = ErrorCode::ALL.map(|code| {
        let advice = code.advice().replace('<', "\\<");
        format!("| `{code}` | {} | {advice} |\n", code.meaning())
    });
    format!(
        "| code | what happened | what to do |\n|---|---|---|\n{}",
        rows.concat()
    )
}

fn build_errors() -> String {
    let rows = BuildCode::ALL.map(|code| format!("| **{code}** | {} |\n", code.meaning()));
    format!("| code | what happened |\n|---|---|\n{}", rows.concat())
}
