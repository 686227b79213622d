//! The position of a walk in a document, without an allocation per step.

use dropcast_domain::problem::pointer_segment;

/// A place in a document: the way there, kept on the stack of the walk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// The place as a JSON Pointer.
    pub(super) fn pointer(&self) -> String {
        let mut segments = Vec::new();
        let mut path = self;
        loop {
            match path {
                Path::Root => break,
                Path::Member(parent, key) => {
                    segments.push(pointer_segment(key));
                    path = parent;
                }
                Path::Item(parent, index) => {
                    segments.push(index.to_string());
                    path = parent;
                }
            }
        }
        segments
            .iter()
            .rev()
            .fold(String::new(), |pointer, segment| pointer + "/" + segment)
    }
}
