//! What tells a deployment's job definitions and jobs from all others of the account: a name, on
//! which rights to definitions rest, and a tag, on which rights to jobs rest, whose ids are Batch's.

use std::collections::HashMap;

use dropcast_domain::model::ModelName;

/// The tag that names the deployment: the stack's name.
pub const STACK_TAG: &str = "dropcast:stack";

/// The name of a model's job definitions: `<stack>_<model>`.
///
/// Neither a stack's name nor a model's has an underscore, so that the pattern `<stack>_*` reaches
/// no definition of a stack called `<stack>-test`, whatever its models are called.
pub fn definition_name(stack: &str, model: &ModelName) -> String {
    format!("{stack}_{model}")
}

/// Whether this is the ARN of one revision of the job definition of this name.
pub fn is_revision_of(arn: &str, name: &str) -> bool {
    let Some((definition, revision)) = arn.rsplit_once(':') else {
        return false;
    };
    let Some((place, named)) = definition.split_once(":job-definition/") else {
        return false;
    };
    let mut place = place.split(':');
    (place.next(), place.nth(1), named) == (Some("arn"), Some("batch"), name)
        && !revision.is_empty()
        && revision.bytes().all(|digit| digit.is_ascii_digit())
}

/// The tags of whatever a deployment makes in Batch.
pub fn tags(stack: &str) -> HashMap<String, String> {
    HashMap::from([(STACK_TAG.to_owned(), stack.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stacks_never_share_a_definition() {
        let name = |stack: &str, model: &str| definition_name(stack, &model.parse().unwrap());
        assert_eq!(name("forecasts", "churn"), "forecasts_churn");
        assert_ne!(name("a", "b-c"), name("a-b", "c"));
    }

    #[test]
    fn only_the_arn_of_a_revision_of_that_very_definition_is_one() {
        let place = "arn:aws-cn:batch:cn-north-1:111122223333";
        let is = |arn: &str| is_revision_of(arn, "forecasts_churn");
        assert!(is(&format!("{place}:job-definition/forecasts_churn:12")));
        for other in [
            "forecasts_churn",
            "forecasts_churn:",
            "forecasts_churn:+1",
            "forecasts_churn:*",
            "churn:1",
            "forecasts-test_churn:1",
            "forecasts_churn-2:1",
            "other/forecasts_churn:1",
        ] {
            assert!(!is(&format!("{place}:job-definition/{other}")), "{other}");
        }
        assert!(!is("forecasts_churn:12"));
        assert!(!is(&format!("{place}:job-queue/forecasts_churn:12")));
        assert!(!is(
            "arn:aws:ecs:eu-west-1:1:job-definition/forecasts_churn:12"
        ));
    }
}
