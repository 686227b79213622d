//! The JSON of the CodeBuild API (2016-10-06) and of its events, as far as the local CodeBuild
//! speaks it. Fields that AWS knows and the local CodeBuild does not look at are tolerated.

pub(crate) mod answers;
pub(crate) mod event;
pub(crate) mod requests;

/// The prefix of an operation's name in `X-Amz-Target`.
pub(crate) const TARGET: &str = "CodeBuild_20161006.";

/// The operations that the local CodeBuild answers.
pub(crate) const SUPPORTED: [&str; 6] = [
    "StartBuild",
    "StopBuild",
    "BatchGetBuilds",
    "ListBuildsForProject",
    "ListBuilds",
    "BatchGetProjects",
];
