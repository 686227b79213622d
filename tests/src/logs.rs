//! What the functions logged.

use anyhow::{Context, Result};

use crate::Stack;

/// One line of a function's log.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// The line.
    pub text: String,
}

impl Stack {
    /// Every line that the template's functions have logged.
    pub async fn function_logs(&self) -> Result<Vec<LogLine>> {
        let prefix = format!("/aws/lambda/{}-", self.connection.stack_name);
        let mut lines = Vec::new();
        for group in self.log_groups().await? {
            let Some(function) = group.strip_prefix(&prefix) else {
                continue;
            };
            let texts = self.log(&group).await?;
            lines.extend(texts.into_iter().map(|text| LogLine {
                function: function.to_owned(),
                text,
            }));
        }
        Ok(lines)
    }

    /// The names of all log groups.
    pub async fn log_groups(&self) -> Result<Vec<String>> {
        let mut pages = self.logs.describe_log_groups().into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let groups = page?.log_groups.unwrap_or_default();
            names.extend(groups.into_iter().filter_map(|group| group.log_group_name));
        }
        Ok(names)
    }

    /// The lines of a log group.
    pub async fn log(&self, group: &str) -> Result<Vec<String>> {
        let mut pages = self
            .logs
            .filter_log_events()
            .log_group_name(group)
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("the log {group}"))?;
            let events = page.events.unwrap_or_default();
            lines.extend(events.into_iter().filter_map(|event| event.message));
        }
        Ok(lines)
    }
}
