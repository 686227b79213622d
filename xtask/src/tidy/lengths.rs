//! How long files may be.

use std::path::Path;

use syn::visit::{self, Visit};

use super::{Finding, layers, workspace::Workspace};

const MAX_RUST_LINES: usize = 499;
const MAX_MAIN_LINES: usize = 30;
const MAX_LAMBDA_KIT_LINES: usize = 399;
const MAX_ROOT_TEMPLATE_LINES: usize = 400;
const MAX_STACK_LINES: usize = 450;

const LAMBDA_KIT: &str = "crates/lambda-kit/src";
const ROOT_TEMPLATE: &str = "template.yaml";
const STACKS: &str = "infra/stacks";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = check_rust_files(workspace);
    findings.extend(check_lambda_kit(workspace));
    findings.extend(check_mains(workspace));
    findings.extend(check_templates(workspace));
    findings
}

fn check_rust_files(workspace: &Workspace) -> Vec<Finding> {
    let files = workspace.rust_files("");
    files
        .filter_map(|(path, text)| {
            check_length(
                path,
                text,
                MAX_RUST_LINES,
                "Move a part of it to a module of its own",
            )
        })
        .collect()
}

fn check_length(path: &Path, text: &str, most: usize, advice: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > most).then(|| {
        Finding::in_file(
            path,
            format!("{lines} lines, and at most {most} are allowed. {advice}."),
        )
    })
}

/// Every function is built with it, so it stays what every function needs.
fn check_lambda_kit(workspace: &Workspace) -> Option<Finding> {
    let lines: usize = workspace
        .rust_files(LAMBDA_KIT)
        .map(|(_, text)| text.lines().count())
        .sum();
    (lines > MAX_LAMBDA_KIT_LINES).then(|| {
        Finding::in_file(
            LAMBDA_KIT,
            format!(
                "{lines} lines in all, and at most {MAX_LAMBDA_KIT_LINES} are allowed. \
                 Keep what only some functions need in a crate of its own."
            ),
        )
    })
}

/// No test runs a main, so there is nothing in it to test.
fn check_mains(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in workspace.packages.values() {
        if !layers::layer_of(package).is_some_and(|layer| layer.has_thin_mains) {
            continue;
        }
        for main in &package.mains {
            let Some(text) = workspace.files.get(main) else {
                continue;
            };
            findings.extend(check_length(
                main,
                text,
                MAX_MAIN_LINES,
                "A main sets up and runs: move the rest to lib.rs",
            ));
            match syn::parse_file(text) {
                Ok(file) => {
                    let mut branches = Branches::default();
                    branches.visit_file(&file);
                    findings.extend(branches.0.into_iter().map(|line| {
                        Finding::at(
                            main,
                            line,
                            "a branch in a main, which no test runs. Move it to lib.rs.",
                        )
                    }));
                }
                Err(error) => findings.push(Finding::at(
                    main,
                    error.span().start().line,
                    format!("not Rust: {error}"),
                )),
            }
        }
    }
    findings
}

/// The lines of a source's branches and loops.
#[derive(Default)]
struct Branches(Vec<usize>);

impl<'ast> Visit<'ast> for Branches {
    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        use syn::{Expr, spanned::Spanned as _};
        if matches!(
            expression,
            Expr::If(_) | Expr::Match(_) | Expr::While(_) | Expr::ForLoop(_) | Expr::Loop(_)
        ) {
            self.0.push(expression.span().start().line);
        }
        visit::visit_expr(self, expression);
    }
}

fn check_templates(workspace: &Workspace) -> Vec<Finding> {
    let stacks = workspace
        .files
        .iter()
        .filter(|(path, _)| path.starts_with(STACKS) && path.extension() == Some("yaml".as_ref()));
    let mut findings: Vec<Finding> = stacks
        .filter_map(|(path, text)| {
            check_length(
                path,
                text,
                MAX_STACK_LINES,
                "Move a concern to a stack of its own",
            )
        })
        .collect();
    if let Some(text) = workspace.files.get(Path::new(ROOT_TEMPLATE)) {
        findings.extend(check_length(
            Path::new(ROOT_TEMPLATE),
            text,
            MAX_ROOT_TEMPLATE_LINES,
            "It nests the stacks of infra/stacks: resources belong there",
        ));
    }
    findings
}
