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
}
