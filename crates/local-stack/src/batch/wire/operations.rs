//! The operations of AWS Batch by their paths.

use serde_json::Value;

/// Paths and names that the local Batch answers.
const SUPPORTED: [(&str, &str); 10] = [
    ("/v1/submitjob", "SubmitJob"),
    ("/v1/describejobs", "DescribeJobs"),
    ("/v1/listjobs", "ListJobs"),
    ("/v1/terminatejob", "TerminateJob"),
    ("/v1/canceljob", "CancelJob"),
    ("/v1/registerjobdefinition", "RegisterJobDefinition"),
    ("/v1/deregisterjobdefinition", "DeregisterJobDefinition"),
    ("/v1/describejobdefinitions", "DescribeJobDefinitions"),
    ("/v1/describejobqueues", "DescribeJobQueues"),
    (
        "/v1/describecomputeenvironments",
        "DescribeComputeEnvironments",
    ),
];

/// Operations that AWS Batch has beside them; their paths are their names in lower case.
const OTHERS: [&str; 35] = [
    "CancelJobs",
    "CreateComputeEnvironment",
    "CreateConsumableResource",
    "CreateJobQueue",
    "CreateQuotaShare",
    "CreateSchedulingPolicy",
    "CreateServiceEnvironment",
    "DeleteComputeEnvironment",
    "DeleteConsumableResource",
    "DeleteJobQueue",
    "DeleteQuotaShare",
    "DeleteSchedulingPolicy",
    "DeleteServiceEnvironment",
    "DescribeConsumableResource",
    "DescribeQuotaShare",
    "DescribeSchedulingPolicies",
    "DescribeServiceEnvironments",
    "DescribeServiceJob",
    "GetJobQueueSnapshot",
    "ListConsumableResources",
    "ListJobsByConsumableResource",
    "ListQuotaShares",
    "ListSchedulingPolicies",
    "ListServiceJobs",
    "SubmitServiceJob",
    "TerminateJobs",
    "TerminateServiceJob",
    "TerminateServiceJobs",
    "UpdateComputeEnvironment",
    "UpdateConsumableResource",
    "UpdateJobQueue",
    "UpdateQuotaShare",
    "UpdateSchedulingPolicy",
    "UpdateServiceEnvironment",
    "UpdateServiceJob",
];

/// The names of the supported operations, for a message.
pub(crate) fn supported() -> String {
    SUPPORTED.map(|(_, name)| name).join(", ")
}

/// The operation that a request asks for: its name, and whether it is supported. `None` when the
/// path belongs to no operation of AWS Batch.
pub(crate) fn find_operation(method: &str, path: &str) -> Option<(&'static str, bool)> {
    if path.starts_with("/v1/tags/") {
        return match method {
            "GET" => Some(("ListTagsForResource", false)),
            "POST" => Some(("TagResource", false)),
            "DELETE" => Some(("UntagResource", false)),
            _ => None,
        };
    }
    if method != "POST" {
        return None;
    }
    if let Some((_, name)) = SUPPORTED.iter().find(|(known, _)| *known == path) {
        return Some((name, true));
    }
    let last = path.strip_prefix("/v1/")?;
    OTHERS
        .iter()
        .find(|name| name.eq_ignore_ascii_case(last))
        .map(|name| (*name, false))
}

/// Whether a request to make something tags it too
/// (<https://docs.aws.amazon.com/batch/latest/userguide/supported-iam-actions-tagging.html>).
pub(crate) fn tags(name: &str, body: &[u8]) -> bool {
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    matches!(name, "SubmitJob" | "RegisterJobDefinition")
        && fields["tags"]
            .as_object()
            .is_some_and(|tags| !tags.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{find_operation, tags};

    #[test]
    fn only_what_is_made_with_tags_is_tagged() {
        let tagged = br#"{"jobName":"a","tags":{"dropcast:stack":"dropcast"}}"#;
        assert!(tags("SubmitJob", tagged));
        assert!(tags("RegisterJobDefinition", tagged));
        assert!(!tags("TerminateJob", tagged));
        assert!(!tags("SubmitJob", br#"{"jobName":"a","tags":{}}"#));
        assert!(!tags("SubmitJob", b"{}"));
    }

    #[test]
    fn a_path_names_its_operation() {
        assert_eq!(
            find_operation("POST", "/v1/submitjob"),
            Some(("SubmitJob", true))
        );
        assert_eq!(
            find_operation("POST", "/v1/createjobqueue"),
            Some(("CreateJobQueue", false))
        );
        assert_eq!(
            find_operation("DELETE", "/v1/tags/arn"),
            Some(("UntagResource", false))
        );
        assert_eq!(find_operation("GET", "/v1/submitjob"), None);
        assert_eq!(find_operation("POST", "/v2/submitjob"), None);
    }
}
