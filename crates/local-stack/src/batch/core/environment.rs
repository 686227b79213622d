//! `DescribeJobQueues` and `DescribeComputeEnvironments`: one of each.

use serde_json::{Value, json};

use super::{super::config::LimitAction, Core};

impl Core {
    /// The queue, when it is among those asked for by name or ARN, or when nothing is asked for.
    pub(crate) fn describe_queues(&self, asked: Option<&[String]>) -> Value {
        let arn = self.queue_arn();
        if !includes(asked, &self.settings.queue_name, &arn) {
            return json!({ "jobQueues": [] });
        }
        let actions: Vec<Value> = self
            .settings
            .time_limit_actions
            .iter()
            .map(|one| {
                json!({
                    "reason": one.reason,
                    "state": "RUNNABLE",
                    "maxTimeSeconds": one.max_time_seconds,
                    "action": match one.action {
                        LimitAction::Cancel => "CANCEL",
                        LimitAction::Terminate => "TERMINATE",
                    },
                })
            })
            .collect();
        json!({ "jobQueues": [{
            "jobQueueName": self.settings.queue_name,
            "jobQueueArn": arn,
            "state": "ENABLED",
            "status": "VALID",
            "statusReason": "JobQueue Healthy",
            "priority": 1,
            "computeEnvironmentOrder": [{
                "order": 1,
                "computeEnvironment": self.compute_environment_arn(),
            }],
            "serviceEnvironmentOrder": [],
            "jobQueueType": "ECS",
            "tags": {},
            "jobStateTimeLimitActions": actions,
        }]})
    }

    /// The compute environment, under the same rule.
    pub(crate) fn describe_compute_environments(&self, asked: Option<&[String]>) -> Value {
        let name = &self.settings.compute_environment_name;
        let arn = self.compute_environment_arn();
        if !includes(asked, name, &arn) {
            return json!({ "computeEnvironments": [] });
        }
        json!({ "computeEnvironments": [{
            "computeEnvironmentName": name,
            "computeEnvironmentArn": arn,
            "ecsClusterArn": self.settings.arns.cluster(name),
            "tags": {},
            "type": "MANAGED",
            "state": "ENABLED",
            "status": "VALID",
            "statusReason": "ComputeEnvironment Healthy",
            "computeResources": {
                "type": "EC2",
                "allocationStrategy": "BEST_FIT_PROGRESSIVE",
                "minvCpus": 0,
                "maxvCpus": self.settings.max_vcpus,
                "desiredvCpus": self.used_vcpus,
                "instanceTypes": ["optimal"],
                "subnets": [],
                "securityGroupIds": [],
                "tags": {},
            },
            "containerOrchestrationType": "ECS",
        }]})
    }

    fn compute_environment_arn(&self) -> String {
        self.settings
            .arns
            .compute_environment(&self.settings.compute_environment_name)
    }
}

fn includes(asked: Option<&[String]>, name: &str, arn: &str) -> bool {
    let asked = asked.unwrap_or_default();
    asked.is_empty() || asked.iter().any(|one| one == name || one == arn)
}
