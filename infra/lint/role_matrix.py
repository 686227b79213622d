"""Checks that a role allows what its function's ports do, and nothing else: every role, action and place is tried.

    python role_matrix.py TEMPLATES

TEMPLATES is the folder that transform.py wrote. PORTS says what each function, job and build does; a role that is not in
it fails, and so does a grant that no try reaches. Items, objects and secrets are tried on the emulator instead. For all
other services the policies in the templates are evaluated: the local Batch and CodeBuild enforce none, and a try of
what is allowed elsewhere would start, send or delete something.
"""

import itertools
import sys
from pathlib import Path

from ministack.core.iam_evaluator import fnmatch_iam, fnmatch_iam_cs
from role_world import ELSEWHERE, tries
from template_roles import Stack, allows, parsed

PARAMETERS = {
    "SenderAddress": "forecasts@corp.example",
    "OperatorAddress": "ops@corp.example",
    "AllowedRecipientDomains": "corp.example",
    "SourceConnectionArn": "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d",
}
# Deployments whose roles differ. Each role of the templates is in one of them.
DEPLOYMENTS = {
    "all of its own": PARAMETERS | {"LargeJobs": "yes", "SourceRepository": "https://github.com/corp/models"},
    "on instances": PARAMETERS | {"Compute": "EC2"},
    "on an existing queue, with an existing project": PARAMETERS
    | {
        "JobQueueArn": "arn:aws:batch:eu-west-1:111122223333:job-queue/shared",
        "JobLogGroup": "/aws/batch/job",
        "BuildProject": "shared-builds",
        "ImageRepository": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shared",
    },
}


def writes_log(*groups):
    """What writes a log does."""
    return {"logs:CreateLogStream logs:PutLogEvents": list(groups)}


def takes_messages(queue):
    """What Lambda does with a function's role to read its queue."""
    return {"sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes": [queue]}


PULLS = "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer"
CONNECTION = "{0}:GetConnection {0}:GetConnectionToken {0}:UseConnection"
OWN_NEW_DEFINITIONS = [
    "new definition",
    "new definition in a folder of the repository",
    # A tag beside it takes the right to tag, which is denied.
    "new definition with a tag too many",
]
# Named and tagged as the deployment's own, whatever else they say.
TAGGED_NEW_DEFINITIONS = [
    *OWN_NEW_DEFINITIONS[:2],
    "new definition with an image by tag",
    "new definition with a foreign image",
    "new privileged definition",
]
PORTS = {
    "StartRunRole": writes_log("StartRunLogs")
    | takes_messages("IntakeQueue")
    | {"states:StartExecution": ["state machine"]},
    "StartRefreshesRole": writes_log("StartRefreshesLogs"),
    "ValidateInputsRole": writes_log("ValidateInputsLogs"),
    "SubmitJobRole": writes_log("SubmitJobLogs")
    | {
        "batch:SubmitJob": ["queue", "queue of large jobs", "definition"],
        # A job is tagged as it is submitted; AWS does not say on which of the two it checks that.
        "batch:TagResource": ["new job", *TAGGED_NEW_DEFINITIONS],
        "batch:TerminateJob": ["job"],
        "batch:ListJobs batch:DescribeJobDefinitions": ["everywhere"],
        "states:SendTaskSuccess states:SendTaskFailure": ["everywhere"],
    },
    "TrackJobRole": writes_log("TrackJobLogs")
    | takes_messages("JobEventsQueue")
    | {
        "batch:TerminateJob": ["job"],
        "batch:DescribeJobs": ["everywhere"],
        "logs:GetLogEvents": ["JobLogs", "JobLogGroup"],
        "states:SendTaskSuccess states:SendTaskFailure": ["everywhere"],
    },
    "RepairRunsRole": writes_log("RepairRunsLogs")
    | {
        "batch:TerminateJob": ["job"],
        "batch:DescribeJobs batch:ListJobs": ["everywhere"],
        "events:PutEvents": ["own events"],
        "logs:GetLogEvents": ["JobLogs", "JobLogGroup"],
        "states:StartExecution": ["state machine"],
        "states:DescribeExecution": ["execution"],
        "states:SendTaskSuccess states:SendTaskFailure": ["everywhere"],
    },
    "IndexOutputsRole": writes_log("IndexOutputsLogs"),
    "FinishRunRole": writes_log("FinishRunLogs") | {"batch:TerminateJob": ["job"]},
    "AnnounceRunRole": writes_log("AnnounceRunLogs")
    | {
        "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams": ["stream"],
        "events:PutEvents": ["own events"],
        "sqs:SendMessage": ["AnnouncementsDeadLetters"],
    },
    "NotifyRole": writes_log("NotifyLogs") | takes_messages("NoticesQueue") | {"ses:SendRawEmail": ["sender"]},
    "OpenLinkRole": writes_log("OpenLinkLogs"),
    "RegisterVersionRole": writes_log("RegisterVersionLogs")
    | takes_messages("BuildsQueue")
    | {
        "batch:RegisterJobDefinition": OWN_NEW_DEFINITIONS,
        "batch:TagResource": TAGGED_NEW_DEFINITIONS,
        "batch:DescribeJobDefinitions": ["everywhere"],
        "codebuild:BatchGetBuilds codebuild:ListBuildsForProject": ["project"],
        "logs:GetLogEvents": ["ModelBuildsLogs", "BuildLogGroup"],
        "iam:CreateRole iam:PutRolePolicy": [
            "model's role",
            "model's new role",
            # Which model the role is for is fixed by its tag alone.
            "model's role with its tag again",
            "model's role with another model's tag",
            "model's role with another tag",
            "model's new role with a tag too many",
        ],
        "iam:TagRole": ["model's new role", "model's role with its tag again"],
        "iam:PassRole": [
            "model's role for Batch",
            "model's role for ECS",
            "execution role for Batch",
            "execution role for ECS",
        ],
    },
    "RunStateMachineRole": {
        "lambda:InvokeFunction": ["ValidateInputs", "SubmitJob", "TrackJob", "IndexOutputs", "FinishRun"],
        "logs:CreateLogDelivery logs:GetLogDelivery logs:UpdateLogDelivery logs:DeleteLogDelivery": ["everywhere"],
        "logs:ListLogDeliveries logs:PutResourcePolicy logs:DescribeResourcePolicies": ["everywhere"],
        "logs:DescribeLogGroups": ["everywhere"],
        "xray:PutTraceSegments xray:PutTelemetryRecords": ["everywhere"],
        "xray:GetSamplingRules xray:GetSamplingTargets": ["everywhere"],
    },
    "JobExecutionRole": writes_log("JobLogs", "JobLogGroup")
    | {"ecr:GetAuthorizationToken": ["everywhere"], PULLS: ["repository", "folder of the repository"]},
    "InstanceRole": writes_log("JobLogs")
    | {
        "ecr:GetAuthorizationToken ecs:DiscoverPollEndpoint": ["everywhere"],
        PULLS: ["repository", "folder of the repository"],
        "ecs:DeregisterContainerInstance ecs:RegisterContainerInstance": ["Batch's cluster"],
        "ecs:SubmitAttachmentStateChanges ecs:SubmitContainerStateChange": ["Batch's cluster"],
        "ecs:SubmitTaskStateChange": ["Batch's cluster"],
        "ecs:Poll ecs:StartTelemetrySession": ["Batch's instance", "Batch's new instance"],
        "ecs:UpdateContainerInstancesState": ["Batch's instance", "Batch's new instance"],
        "ecs:TagResource": ["Batch's new instance"],
    },
    "ModelBuildsRole": writes_log("ModelBuildsLogs")
    | {
        "ecr:GetAuthorizationToken": ["everywhere"],
        PULLS: ["repository"],
        "ecr:DescribeImages ecr:InitiateLayerUpload ecr:UploadLayerPart": ["repository"],
        "ecr:CompleteLayerUpload ecr:PutImage": ["repository"],
    },
    "RepositoryBuildsRole": writes_log("RepositoryBuildsLogs")
    | {
        "codebuild:StartBuild codebuild:BatchGetBuilds": ["project"],
        CONNECTION.format("codeconnections"): ["connection"],
        CONNECTION.format("codestar-connections"): ["connection"],
    },
    "CloseGroupRole": writes_log("CloseGroupLogs")
    | {
        "ec2:DescribeSecurityGroupRules": ["everywhere"],
        "ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress": ["default group", "rule of the VPC"],
    },
}
# What only some deployments allow: the ARN of an existing repository is not known, only its URI.
BESIDE = {
    "on an existing queue, with an existing project": {"JobExecutionRole": {PULLS: ["another repository"]}},
}


def expected(role, deployment):
    """What a role is to allow in a deployment: pairs of action and place."""
    beside = BESIDE.get(deployment, {}).get(role, {})
    for actions, places in itertools.chain(PORTS[role].items(), beside.items()):
        yield from itertools.product(actions.split(), places)


def unreached(statements, reached):
    """The grants that no try reached which the role allows: (action, pattern of resources)."""
    for statement in statements:
        if statement.effect != "Allow":
            continue
        if statement.not_actions or statement.not_resources:
            yield "NotAction", "NotResource"
        for action, pattern in itertools.product(statement.actions, statement.resources):
            seen = any(fnmatch_iam(did, action) and fnmatch_iam_cs(on, pattern) for did, on in reached)
            if not seen and not action.startswith(ELSEWHERE):
                yield action, pattern


def faults(deployment, stack):
    """Where roles and ports differ, a sentence each."""
    tried = tries(stack)
    for role in stack.roles():
        if role.name not in PORTS:
            yield f"{role.name} is not in PORTS of {Path(__file__).name}."
            continue
        # Places that this deployment does not have are those of another.
        wanted = {one for one in expected(role.name, deployment) if one in tried}
        statements, reached = parsed(role.statements), []
        for (action, name), place in tried.items():
            allowed = allows([statements], action, place.arn, place.context)
            if allowed:
                reached.append((action, place.arn))
            if allowed != ((action, name) in wanted):
                yield f"{role.name} {'may' if allowed else 'may not'} {action} on {name} ({place.arn})."
        for action, pattern in unreached(statements, reached):
            yield f"{role.name} may {action} on {pattern}, which is not tried: add it to role_world.py."


def main(templates):
    """Prints the faults, and ends with 1 if there are any."""
    found, roles, count, places = [], set(), 0, set()
    for deployment, parameters in DEPLOYMENTS.items():
        stack = Stack(Path(templates), "forecasts", parameters)
        found += [f"{deployment}: {fault}" for fault in faults(deployment, stack)]
        own = {role.name for role in stack.roles()}
        roles, places = roles | own, places | tries(stack).keys()
        count += len(own) * len(tries(stack))
    found += [f"{role} is in no deployment." for role in sorted(PORTS.keys() - roles)]
    for role in PORTS:
        missing = sorted(set(expected(role, None)) - places)
        found += [f"PORTS: {role} is to {action} on {place}, which is never tried." for action, place in missing]
    print("\n".join(found) or f"{len(roles)} roles allow what their ports do and nothing else, in {count} tries.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
