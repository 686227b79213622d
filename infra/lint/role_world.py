"""What is tried on each role: the actions of a service, each at each of the places that it could be done at.

A place is one resource in one situation: the deployment's own, another deployment's of the same account, tagged
otherwise, asked for with other parameters. Items, objects and secrets are not here:
tests/tests/whole_stack/role_matrix.rs tries them on the emulator.
"""

from dataclasses import dataclass, field

from template_roles import ACCOUNT, REGION, arn

MODEL = "churn"
JOB = "4f0f3c1e-8c5b-4c0e-9d5e-0f6a4b1c2d3e"
DIGEST = "sha256:" + "0a" * 32
# Tried by tests/tests/whole_stack/role_matrix.rs.
ELSEWHERE = ("s3:", "secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:PutItem")
ELSEWHERE += ("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query")


@dataclass(frozen=True)
class Place:
    """A resource, and the condition keys of the situation that it is reached in."""

    arn: str
    context: dict = field(default_factory=dict, hash=False)


EVERYWHERE = Place("*")


def of(service, resource):
    """An ARN of this account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def resource_tags(stack):
    """A resource that bears the tag of a stack."""
    return {"aws:ResourceTag/dropcast:stack": stack}


def request_tags(stack, *beside):
    """A request that tags with that of a stack, and with more."""
    return {"aws:RequestTag/dropcast:stack": stack, "aws:TagKeys": ["dropcast:stack", *beside]}


def batch(stack):
    """AWS Batch: queues, definitions and jobs."""
    own, other = stack.name, f"{stack.name}-test"
    repository = stack.output("ImageRepository")
    image = {"batch:Image": f"{repository}@{DIGEST}", "batch:Privileged": "false"}
    definition = of("batch", f"job-definition/{own}_{MODEL}")
    foreign = of("batch", f"job-definition/{other}_{MODEL}")
    job = of("batch", f"job/{JOB}")
    places = {
        "queue": Place(stack.output("JobQueueArn")),
        "another queue": Place(of("batch", "job-queue/another")),
        "definition": Place(f"{definition}:3", resource_tags(own)),
        "definition without the tag": Place(f"{definition}:3"),
        "definition without a revision": Place(definition),
        "definition of another stack": Place(f"{foreign}:3", resource_tags(other)),
        "definition of another stack with the tag": Place(f"{foreign}:3", resource_tags(own)),
        "definition with the model's name alone": Place(of("batch", f"job-definition/{MODEL}:3"), resource_tags(own)),
        "job": Place(job, resource_tags(own)),
        "job of another stack": Place(job, resource_tags(other)),
        "job without the tag": Place(job),
        "new job": Place(job, request_tags(own)),
        "new job with the tag of another stack": Place(job, request_tags(other)),
        "new job with a tag too many": Place(job, request_tags(own, "team")),
        "new definition": Place(definition, image | request_tags(own)),
        "new definition in a folder of the repository": Place(
            definition, image | request_tags(own) | {"batch:Image": f"{repository}/{MODEL}@{DIGEST}"}
        ),
        "new definition without the tag": Place(definition, image),
        "new definition with the tag of another stack": Place(definition, image | request_tags(other)),
        "new definition with a tag too many": Place(definition, image | request_tags(own, "team")),
        "new definition of another stack": Place(foreign, image | request_tags(own)),
        "new definition with the model's name alone": Place(
            of("batch", f"job-definition/{MODEL}"), image | request_tags(own)
        ),
        "new definition with an image by tag": Place(
            definition, image | request_tags(own) | {"batch:Image": f"{repository}:latest"}
        ),
        "new definition with a foreign image": Place(
            definition, image | request_tags(own) | {"batch:Image": f"docker.io/library/debian@{DIGEST}"}
        ),
        "new privileged definition": Place(
            definition, image | request_tags(own) | {"batch:Privileged": "true"}
        ),
    }
    if stack.output("LargeJobQueueArn") != "none":
        places["queue of large jobs"] = Place(stack.output("LargeJobQueueArn"))
    actions = "SubmitJob TerminateJob CancelJob TagResource UntagResource RegisterJobDefinition"
    actions += " DeregisterJobDefinition UpdateJobQueue DeleteJobQueue"
    yield "batch", actions, places
    yield "batch", "ListJobs DescribeJobs DescribeJobDefinitions DescribeJobQueues", {"everywhere": EVERYWHERE}


def states(stack):
    """Step Functions: state machines, executions and tasks."""
    machine = stack.output("StateMachineArn")
    places = {
        "state machine": Place(machine),
        "another state machine": Place(of("states", "stateMachine:another")),
        "execution": Place(machine.replace("stateMachine", "execution") + ":run"),
    }
    yield "states", "StartExecution StopExecution DescribeExecution UpdateStateMachine DeleteStateMachine", places
    yield "states", "SendTaskSuccess SendTaskFailure SendTaskHeartbeat", {"everywhere": EVERYWHERE}


def messages(stack):
    """Queues, mail, events and alarms."""
    queues = {logical: Place(found) for logical, found in stack.arns("AWS::SQS::Queue").items()}
    queues["another queue"] = Place(of("sqs", "another"))
    actions = "SendMessage ReceiveMessage DeleteMessage GetQueueAttributes ChangeMessageVisibility PurgeQueue"
    yield "sqs", f"{actions} SetQueueAttributes DeleteQueue", queues
    sender = stack.parameters["SenderAddress"]
    identity = of("ses", f"identity/{sender}")
    mails = {
        "sender": Place(identity, {"ses:FromAddress": sender}),
        "another sender": Place(identity, {"ses:FromAddress": "boss@corp.example"}),
        "configuration set": Place(of("ses", "configuration-set/another"), {"ses:FromAddress": sender}),
    }
    yield "ses", "SendRawEmail SendEmail SendTemplatedEmail DeleteIdentity", mails
    bus = of("events", "event-bus/default")
    events = {
        "own events": Place(bus, {"events:source": "dropcast"}),
        "another's events": Place(bus, {"events:source": "aws.partner/jobs"}),
        "another bus": Place(of("events", "event-bus/another"), {"events:source": "dropcast"}),
    }
    yield "events", "PutEvents PutRule PutTargets DeleteRule", events
    topics = {"topic": Place(stack.output("OperatorTopicArn")), "another topic": Place(of("sns", "another"))}
    yield "sns", "Publish Subscribe", topics
    stream = stack.children["StorageStack"].output("RunsTableStreamArn")
    streams = {"stream": Place(stream), "another stream": Place(of("dynamodb", "table/another/stream/2026"))}
    actions = "DescribeStream GetRecords GetShardIterator ListStreams"
    yield "dynamodb", f"{actions} PutResourcePolicy DeleteResourcePolicy", streams


def roles(stack):
    """IAM: roles of models, made and passed; what limits them."""
    own, other = stack.name, f"{stack.name}-test"
    boundary = {"iam:PermissionsBoundary": stack.children["ModelsStack"].parameters["JobBoundaryArn"]}
    another_boundary = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/another"}
    model = f"arn:aws:iam::{ACCOUNT}:role/dropcast/{own}/{own}-job-{MODEL}-0a1b2c3d"
    foreign = f"arn:aws:iam::{ACCOUNT}:role/dropcast/{other}/{other}-job-{MODEL}-0a1b2c3d"
    execution, function = stack.output("JobExecutionRoleArn"), stack.arns("AWS::IAM::Role")["NotifyRole"]

    def tagged(new, key="dropcast-model", known=None, beside=()):
        tags = {f"aws:RequestTag/{key}": new, "aws:TagKeys": [key, *beside]}
        return boundary | tags | ({} if known is None else {"aws:ResourceTag/dropcast-model": known})

    def passed(to):
        return {"iam:PassedToService": to}

    places = {
        "model's role": Place(model, boundary),
        "model's role without a boundary": Place(model),
        "model's role with another boundary": Place(model, another_boundary),
        "model's role of another stack": Place(foreign, boundary),
        "model's new role": Place(model, tagged(MODEL)),
        "model's role with its tag again": Place(model, tagged(MODEL, known=MODEL)),
        "model's role with another model's tag": Place(model, tagged("victim", known=MODEL)),
        "model's role with another tag": Place(model, tagged(MODEL, key="team")),
        "model's new role with a tag too many": Place(model, tagged(MODEL, beside=["team"])),
        "model's new role of another stack": Place(foreign, tagged(MODEL)),
        "model's role for Batch": Place(model, passed("batch.amazonaws.com")),
        "model's role for ECS": Place(model, passed("ecs-tasks.amazonaws.com")),
        "model's role for Lambda": Place(model, passed("lambda.amazonaws.com")),
        "model's role of another stack for Batch": Place(foreign, passed("batch.amazonaws.com")),
        "execution role for Batch": Place(execution, passed("batch.amazonaws.com")),
        "execution role for ECS": Place(execution, passed("ecs-tasks.amazonaws.com")),
        "execution role for EC2": Place(execution, passed("ec2.amazonaws.com")),
        "function's role": Place(function, boundary),
        "function's role for Batch": Place(function, passed("batch.amazonaws.com")),
    }
    actions = "PassRole CreateRole DeleteRole GetRole UpdateRole UpdateAssumeRolePolicy PutRolePolicy DeleteRolePolicy"
    actions += " AttachRolePolicy DetachRolePolicy PutRolePermissionsBoundary DeleteRolePermissionsBoundary"
    yield "iam", f"{actions} TagRole UntagRole", places
    yield "sts", "AssumeRole", places
    policy = {"boundary": Place(boundary["iam:PermissionsBoundary"])}
    yield "iam", "CreatePolicy CreatePolicyVersion SetDefaultPolicyVersion DeletePolicyVersion DeletePolicy", policy


def logs(stack):
    """CloudWatch Logs and X-Ray."""
    groups = {stack.value(group["Properties"].get("LogGroupName")) or stack.physical_name(logical): logical
              for stack, logical, group in stack.all("AWS::Logs::LogGroup")}
    places = {logical: Place(of("logs", f"log-group:{name}:log-stream:s")) for name, logical in groups.items()}
    # Those of an existing queue and an existing project.
    for output in ("JobLogGroup", "BuildLogGroup"):
        if stack.output(output) not in groups:
            places[output] = Place(of("logs", f"log-group:{stack.output(output)}:log-stream:s"))
    places["another log group"] = Place(of("logs", "log-group:/aws/lambda/another:log-stream:s"))
    actions = "CreateLogStream PutLogEvents GetLogEvents FilterLogEvents DeleteLogStream DeleteLogGroup"
    yield "logs", f"{actions} PutRetentionPolicy", places
    delivery = "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries"
    delivery += " PutResourcePolicy DescribeResourcePolicies DescribeLogGroups"
    yield "logs", delivery, {"everywhere": EVERYWHERE}
    tracing = "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets GetTraceSummaries"
    yield "xray", tracing, {"everywhere": EVERYWHERE}


def builds(stack):
    """CodeBuild, its connection to GitHub, and the images."""
    projects = {
        "project": Place(arn("AWS::CodeBuild::Project", stack.output("BuildProject"))),
        "another project": Place(arn("AWS::CodeBuild::Project", "another")),
    }
    yield "codebuild", "StartBuild StopBuild BatchGetBuilds ListBuildsForProject UpdateProject DeleteProject", projects
    connections = {
        "connection": Place(stack.parameters["SourceConnectionArn"]),
        "another connection": Place(of("codeconnections", "connection/another")),
    }
    for service in ("codeconnections", "codestar-connections"):
        yield service, "GetConnection GetConnectionToken UseConnection DeleteConnection", connections
    name = stack.output("ImageRepository").split("/", 1)[1]
    images = {
        "repository": Place(of("ecr", f"repository/{name}")),
        "folder of the repository": Place(of("ecr", f"repository/{name}/{MODEL}")),
        "another repository": Place(of("ecr", "repository/another")),
    }
    actions = "BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer DescribeImages InitiateLayerUpload"
    actions += " UploadLayerPart CompleteLayerUpload PutImage BatchDeleteImage SetRepositoryPolicy DeleteRepository"
    yield "ecr", actions, images
    yield "ecr", "GetAuthorizationToken", {"everywhere": EVERYWHERE}


def machines(stack):
    """Functions, instances and networks."""
    functions = {logical: Place(found) for logical, found in stack.arns("AWS::Lambda::Function").items()}
    functions["another function"] = Place(of("lambda", "function:another"))
    yield "lambda", "InvokeFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction", functions
    create = {"ecs:CreateAction": "RegisterContainerInstance"}
    clusters = {
        "Batch's cluster": Place(of("ecs", "cluster/AWSBatch-x")),
        "another cluster": Place(of("ecs", "cluster/another")),
        "Batch's instance": Place(of("ecs", "container-instance/AWSBatch-x/i")),
        "Batch's new instance": Place(of("ecs", "container-instance/AWSBatch-x/i"), create),
        "another instance": Place(of("ecs", "container-instance/another/i"), create),
    }
    actions = "DeregisterContainerInstance RegisterContainerInstance SubmitAttachmentStateChanges"
    actions += " SubmitContainerStateChange SubmitTaskStateChange Poll StartTelemetrySession"
    actions += " UpdateContainerInstancesState TagResource RunTask CreateCluster DeleteCluster"
    yield "ecs", actions, clusters
    yield "ecs", "DiscoverPollEndpoint", {"everywhere": EVERYWHERE}
    vpc, group = "vpc/{}", of("ec2", "security-group/{}")
    network = stack.children.get("NetworkStack")
    if network:
        own = {"ec2:Vpc": of("ec2", vpc.format(network.physical_name("Vpc")))}
        default = network.attribute("Vpc", "DefaultSecurityGroup")
        places = {
            "default group": Place(group.format(default), own),
            "rule of the VPC": Place(of("ec2", "security-group-rule/sgr-1"), own),
            "rule of another VPC": Place(
                of("ec2", "security-group-rule/sgr-1"), {"ec2:Vpc": of("ec2", vpc.format("another"))}
            ),
            "another group": Place(group.format("sg-another"), own),
        }
        actions = "RevokeSecurityGroupIngress RevokeSecurityGroupEgress AuthorizeSecurityGroupIngress"
        yield "ec2", f"{actions} DeleteSecurityGroup", places
    yield "ec2", "DescribeSecurityGroupRules DescribeInstances RunInstances", {"everywhere": EVERYWHERE}


def whole_services(stack):
    """What no function has to do with."""
    table = arn("AWS::DynamoDB::Table", stack.output("RunsTableName"))
    yield "dynamodb", "DeleteTable UpdateTable Scan ExportTableToPointInTime", {"table": Place(table)}
    secret = {"link secret": Place(stack.output("LinkSecretArn"))}
    yield "secretsmanager", "PutSecretValue DeleteSecret PutResourcePolicy", secret
    yield "cloudformation", "UpdateStack DeleteStack", {"stack": Place(of("cloudformation", f"stack/{stack.name}/1"))}
    yield "kms", "Decrypt CreateGrant", {"key": Place(of("kms", "key/1"))}
    yield "ssm", "GetParameter SendCommand", {"everywhere": EVERYWHERE}


def tries(stack):
    """Each action at each of its places: (action, place's name) to Place."""
    found = {}
    for part in (batch, states, messages, roles, logs, builds, machines, whole_services):
        for service, actions, places in part(stack):
            for action in actions.split():
                for name, place in places.items():
                    found[f"{service}:{action}", name] = place
    return found
