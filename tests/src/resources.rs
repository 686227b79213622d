//! What CloudFormation made, in the root stack and in those that it nests.

use anyhow::{Context as _, Result, ensure};

use crate::Stack;

/// The type of a nested stack.
pub const NESTED_STACK: &str = "AWS::CloudFormation::Stack";

/// One resource of the deployment.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name in its template.
    pub logical_id: String,
    /// Its type, for example `AWS::Lambda::Function`.
    pub resource_type: String,
    /// What AWS calls it: its name, ARN or URL, by its type.
    pub physical_id: String,
}

impl Stack {
    /// Every resource of the root stack and of those that it nests, at any depth.
    pub async fn resources(&self) -> Result<Vec<Resource>> {
        let mut found = Vec::new();
        let mut stacks = vec![self.connection.stack_name.clone()];
        while let Some(stack) = stacks.pop() {
            let resources = self.cloudformation.list_stack_resources();
            let resources = resources.stack_name(&stack);
            let mut pages = resources.into_paginator().items().send();
            while let Some(resource) = pages.next().await {
                let resource = resource.with_context(|| format!("the resources of {stack}"))?;
                let resource = Resource {
                    logical_id: resource.logical_resource_id.unwrap_or_default(),
                    resource_type: resource.resource_type.unwrap_or_default(),
                    physical_id: resource.physical_resource_id.unwrap_or_default(),
                };
                if resource.resource_type == NESTED_STACK {
                    stacks.push(resource.physical_id.clone());
                }
                found.push(resource);
            }
        }
        Ok(found)
    }

    /// What AWS calls the resource with a logical id, of which there is one in all templates.
    pub async fn physical_id(&self, logical_id: &str) -> Result<String> {
        let mut found = self.resources().await?;
        found.retain(|resource| resource.logical_id == logical_id);
        ensure!(found.len() == 1, "{logical_id} is one resource: {found:?}");
        Ok(found.remove(0).physical_id)
    }
}
