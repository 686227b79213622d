//! A Rust source, without what is said about it.

use proc_macro2::Span;
use syn::{
    spanned::Spanned as _,
    visit::{self, Visit},
};

/// The code of a source, line by line, without its comments and its tests, which may speak of anything.
///
/// A source that is not Rust is all code: the compiler says what is wrong with it.
pub(super) fn code(source: &str) -> Vec<(usize, &str)> {
    let mut tests = Tests::default();
    if let Ok(file) = syn::parse_file(source) {
        tests.visit_file(&file);
    }
    source
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(number, _)| {
            let mut tests = tests.0.iter();
            !tests.any(|(first, last)| (first..=last).contains(&number))
        })
        .collect()
}

/// The first and the last lines of everything under `#[cfg(test)]`.
#[derive(Default)]
struct Tests(Vec<(usize, usize)>);

impl<'ast> Visit<'ast> for Tests {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (attributes, span): (&[syn::Attribute], Span) = match item {
            syn::Item::Mod(item) => (&item.attrs, item.span()),
            syn::Item::Fn(item) => (&item.attrs, item.span()),
            syn::Item::Impl(item) => (&item.attrs, item.span()),
            syn::Item::Use(item) => (&item.attrs, item.span()),
            _ => (&[], item.span()),
        };
        if attributes.iter().any(is_for_tests) {
            self.0.push((span.start().line, span.end().line));
        } else {
            visit::visit_item(self, item);
        }
    }
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|condition| condition == "test")
}
