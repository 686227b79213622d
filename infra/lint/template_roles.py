"""The roles of the templates as CloudFormation would create them, and whether one of them allows a request.

Reads what transform.py wrote. Nested stacks, conditions and references are resolved for one set of parameters; names
that CloudFormation generates are made up. Policies are evaluated by the emulator's own engine.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "crates/local-stack/emulator"))
import policy_variables  # noqa: E402
from ministack.core import iam_evaluator  # noqa: E402

policy_variables.repair()

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROOT = "template"
NO_VALUE = object()
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": NO_VALUE,
}
# How an ARN of a type looks after `arn:aws:`.
ARNS = {
    "AWS::Batch::JobQueue": "batch:{place}:job-queue/{name}",
    "AWS::CodeBuild::Project": "codebuild:{place}:project/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{place}:table/{name}",
    "AWS::ECR::Repository": "ecr:{place}:repository/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::Lambda::Function": "lambda:{place}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{place}:{name}",
    "AWS::SQS::Queue": "sqs:{place}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{place}:secret:{name}-a1b2c3",
    "AWS::StepFunctions::StateMachine": "states:{place}:stateMachine:{name}",
}
# Types whose `Ref` is the ARN.
REF_IS_ARN = {
    "AWS::Batch::JobQueue",
    "AWS::IAM::ManagedPolicy",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}
NAMES = ("LogGroupName", "Name")


def arn(kind, name):
    """The ARN of a resource of this type."""
    return "arn:aws:" + ARNS[kind].format(place=f"{REGION}:{ACCOUNT}", account=ACCOUNT, name=name)


@dataclass
class Role:
    """A role of a deployment."""

    name: str
    statements: list


@dataclass
class Stack:
    """A template with its parameters, and the stacks that it nests."""

    folder: Path
    name: str
    parameters: dict
    file: str = ROOT
    root: str = ""
    template: dict = field(init=False)
    children: dict = field(init=False, default_factory=dict)

    def __post_init__(self):
        self.template = json.loads((self.folder / f"{self.file}.json").read_text())
        self.root = self.root or self.name
        defaults = {
            name: parameter["Default"]
            for name, parameter in self.template.get("Parameters", {}).items()
            if "Default" in parameter
        }
        self.parameters = {**defaults, **self.parameters}
        for logical, resource in self.resources("AWS::CloudFormation::Stack"):
            properties = resource["Properties"]
            self.children[logical] = Stack(
                self.folder,
                f"{self.name}-{logical}-1A2B3C",
                self.value(properties.get("Parameters", {})),
                Path(properties["TemplateURL"]).stem,
                self.root,
            )

    def resources(self, kind):
        """The resources of a type that this stack itself creates, by logical id."""
        for logical, resource in self.template["Resources"].items():
            wanted = "Condition" not in resource or self.condition(resource["Condition"])
            if resource["Type"] == kind and wanted:
                yield logical, resource

    def all(self, kind):
        """Those of this stack and of all that it nests, each with its stack."""
        for logical, resource in self.resources(kind):
            yield self, logical, resource
        for child in self.children.values():
            yield from child.all(kind)

    def arns(self, kind):
        """The ARNs of all resources of a type, by logical id."""
        return {logical: arn(kind, stack.physical_name(logical)) for stack, logical, _ in self.all(kind)}

    def roles(self):
        """All roles with the statements of their policies."""
        for stack, logical, role in self.all("AWS::IAM::Role"):
            documents = [policy["PolicyDocument"] for policy in stack.value(role["Properties"].get("Policies", []))]
            if role["Properties"].get("ManagedPolicyArns"):
                raise SystemExit(f"{logical} has managed policies, which are not evaluated here.")
            yield Role(logical, [part for document in documents for part in document["Statement"]])

    def managed_policy(self, logical):
        """The statements of a managed policy of the templates."""
        for stack, found, policy in self.all("AWS::IAM::ManagedPolicy"):
            if found == logical:
                return stack.value(policy["Properties"]["PolicyDocument"])["Statement"]
        raise SystemExit(f"no template has the policy {logical}")

    def output(self, name):
        """An output of the stack."""
        return self.value(self.template["Outputs"][name]["Value"])

    def condition(self, name):
        """Whether a condition of the template holds."""
        return self.truth(self.template["Conditions"][name])

    def truth(self, expression):
        """Whether an expression of a condition holds."""
        ((function, operands),) = expression.items()
        if function == "Condition":
            return self.condition(operands)
        if function == "Fn::Equals":
            one, other = map(self.value, operands)
            return str(one) == str(other)
        truths = [self.truth(operand) for operand in operands]
        return {"Fn::And": all(truths), "Fn::Or": any(truths), "Fn::Not": not truths[0]}[function]

    def value(self, node):
        """What a part of the template means."""
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, operand),) = node.items()
            if function == "Ref":
                return self.reference(operand)
            if function == "Fn::GetAtt":
                return self.attribute(*(operand.split(".", 1) if isinstance(operand, str) else operand))
            if function == "Fn::If":
                condition, then, otherwise = operand
                return self.value(then if self.condition(condition) else otherwise)
            if function == "Fn::Sub":
                return self.substituted(operand)
            if function == "Fn::Join":
                separator, parts = operand
                return separator.join(self.value(parts))
            if function.startswith("Fn::"):
                return f"<{function}>"
        resolved = {key: self.value(part) for key, part in node.items()}
        return {key: part for key, part in resolved.items() if part is not NO_VALUE}

    def substituted(self, operand):
        """The text of an `Fn::Sub`."""
        text, own = (operand, {}) if isinstance(operand, str) else operand
        own = {key: self.value(part) for key, part in own.items()}
        found, rest = "", text
        while "${" in rest:
            before, _, rest = rest.partition("${")
            name, _, rest = rest.partition("}")
            if name.startswith("!"):
                found += before + "${" + name[1:] + "}"
            elif name in own:
                found += before + own[name]
            elif "." in name:
                found += before + self.attribute(*name.split(".", 1))
            else:
                found += before + self.reference(name)
        return found + rest

    def reference(self, name):
        """The value of a parameter, or what `Ref` gives for a resource."""
        if name in PSEUDO:
            return PSEUDO[name]
        if name == "AWS::StackName":
            return self.name
        if name in self.template.get("Parameters", {}):
            value = self.parameters[name]
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return value.split(",") if is_list and isinstance(value, str) else value
        kind = self.template["Resources"][name]["Type"]
        return self.attribute(name, "Arn") if kind in REF_IS_ARN else self.physical_name(name)

    def physical_name(self, logical):
        """The name of a resource: its own, or one as CloudFormation would generate it."""
        properties = self.template["Resources"][logical].get("Properties", {})
        for name in NAMES:
            if name in properties:
                return self.value(properties[name])
        name = f"{self.name}-{logical}-4d5e6f"
        # Buckets have no capitals.
        return name.lower() if self.template["Resources"][logical]["Type"] == "AWS::S3::Bucket" else name

    def attribute(self, logical, attribute):
        """What `GetAtt` gives."""
        if logical in self.children:
            return self.children[logical].output(attribute.removeprefix("Outputs."))
        kind = self.template["Resources"][logical]["Type"]
        name = self.physical_name(logical)
        if kind in ARNS and attribute in ("Arn", "Id"):
            return arn(kind, name)
        if attribute == "StreamArn":
            return f"{arn(kind, name)}/stream/2026-01-01T00:00:00.000"
        if attribute == "RepositoryUri":
            return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}"
        return f"{name}.{attribute}"


def parsed(statements):
    """Statements as the engine takes them; what it would pass over is a fault."""
    document = {"Version": "2012-10-17", "Statement": statements}
    if problem := iam_evaluator.validate_policy_document(document):
        raise SystemExit(problem)
    return iam_evaluator.parse_policy_document(document)


def allows(policies, action, resource, context, boundary=None, principal="role/any"):
    """Whether policies, within a boundary, allow a request. The context's keys are condition keys."""
    keys = {key.lower(): value for key, value in context.items()}
    # A request that names no tags has no aws:TagKeys.
    keys.setdefault("aws:tagkeys", None)
    request = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{ACCOUNT}:{principal}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
        secure_transport=True,
        service_context=keys,
        principal_keys=keys,
    )
    limits = [] if boundary is None else [[boundary]]
    return iam_evaluator.evaluate(request, policies, *limits).decision == "Allow"
