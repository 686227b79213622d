"""Starts MiniStack with patches for the differences from AWS that matter to Dropcast.

Step Functions: a `lambda:invoke.waitForTaskToken` task must fail when the invoked function fails, and its
`TimeoutSeconds` may be a JSONata expression. MiniStack 1.5.33 swallows the function's error and
passes the expression, unevaluated, to a timer; the execution then hangs or fails outside its own
Catch. It also gives every attempt of a task the same token. The state machine for AWS
needs all three, so the emulator is patched instead of the state machine. A throttled function
gets the error name that it has on AWS.

Lambda: the emulator's Runtime API sends an event's headers and body in two writes, and Nagle's
algorithm delays the second by the 40 ms of a delayed acknowledgement, once per invocation.
It treats a batch of stream records as processed even if the function reports that some of them failed.
And it does not pass a function its log format and log level.

S3: the emulator answers a request for an object version without the response headers that the request sets.
Its events for EventBridge lack the object's version id, by which Dropcast identifies an upload.

CloudFormation: the emulator applies a template's transforms only to the root stack; AWS applies them to
nested stacks too. When it updates a nested stack, it forgets the attributes of unchanged resources.

Sources: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html and
https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html.
"""

import json
import socketserver
import threading
from importlib.metadata import version

import identity
import policy_variables
from ministack import app
from ministack.services import eventbridge, lambda_svc, s3, stepfunctions
from ministack.services.cloudformation import _stacks, engine, provisioners

KNOWN_VERSION = "1.5.33"
MAX_WAIT_SECONDS = 99_999_999

_execute_task = stepfunctions._execute_task
_invoke_with_callback = stepfunctions._invoke_with_callback
_apply_jsonata_arguments = stepfunctions._apply_jsonata_arguments
_throttle_response = lambda_svc._throttle_response
_execute_function = lambda_svc._execute_function
_provided_worker_env = lambda_svc._provided_worker_env
_get_object = s3._get_object
_fire_s3_event = s3._fire_s3_event
_dispatch_event = eventbridge._dispatch_event
_parse_template = engine._parse_template
_nested_stack_deploy = provisioners._cfn_nested_stack_deploy
_update_resource = provisioners._update_resource
_in_nested_stack = threading.local()
_s3_event = threading.local()


def execute_task(state, raw_input, execution, context):
    """Runs a task with its time limit evaluated, once, as AWS does when it enters the state."""
    limit = state.get("TimeoutSeconds")
    if not isinstance(limit, str):
        return _execute_task(state, raw_input, execution, context)
    try:
        seconds = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", raw_input, context)
    except stepfunctions._ExecutionError as error:
        catcher = stepfunctions._find_matching_catcher(state.get("Catch", []), error.error)
        if catcher is None:
            raise
        caught = {"Error": error.error, "Cause": error.cause}
        language = stepfunctions._state_query_language(state, context)
        return stepfunctions._apply_catcher(catcher, raw_input, context, language, caught), catcher["Next"]
    return _execute_task({**state, "TimeoutSeconds": seconds}, raw_input, execution, context)


def apply_jsonata_arguments(state, raw_input, context=None):
    """Evaluates a task's arguments with a new token for each attempt."""
    if context and ".waitForTaskToken" in state.get("Resource", ""):
        context["Task"] = {"Token": stepfunctions.new_uuid()}
    return _apply_jsonata_arguments(state, raw_input, context)


def invoke_with_callback(resource, arguments, token, state):
    """Invokes a function with a task token; fails with the function's error, or waits for the answer."""
    if "states:::lambda:invoke" not in resource:
        return _invoke_with_callback(resource, arguments, token, state)
    answered = threading.Event()
    waiting = {"event": answered, "result": None, "error": None, "heartbeat": None}
    stepfunctions._task_tokens[token] = waiting
    try:
        function = stepfunctions._resolve_lambda_function_ref(arguments.get("FunctionName", ""), optimized=True)
        try:
            stepfunctions._call_lambda(function, arguments.get("Payload", {}))
        except stepfunctions._ExecutionError:
            # An answer that arrived before the function failed is valid: it ended the task.
            if not answered.is_set():
                raise
        if not answered.wait(timeout=state.get("TimeoutSeconds", MAX_WAIT_SECONDS)):
            raise stepfunctions._ExecutionError("States.Timeout", "")
    finally:
        stepfunctions._task_tokens.pop(token, None)
    if waiting["error"]:
        raise stepfunctions._ExecutionError(waiting["error"]["Error"], waiting["error"]["Cause"])
    return json.loads(waiting["result"])


def throttle_response(*arguments, **options):
    """Answers for a throttled function with the error name that Step Functions reports."""
    answer = _throttle_response(*arguments, **options)
    answer["body"]["errorType"] = "Lambda.TooManyRequestsException"
    return answer


def execute_function(function, event):
    """Invokes a function; a batch of stream records that failed partially counts as failed and is retried."""
    result = _execute_function(function, event)
    records = event.get("Records") if isinstance(event, dict) else None
    body = result.get("body")
    if records and records[0].get("eventSource") == "aws:dynamodb" and isinstance(body, dict):
        if body.get("batchItemFailures"):
            failure = {"errorType": "PartialFailure", "errorMessage": json.dumps(body)}
            return {**result, "error": True, "body": failure}
    return result


def provided_worker_env(config, code_dir, port):
    """Returns a function's environment, including its logging configuration."""
    environment = _provided_worker_env(config, code_dir, port)
    logging = config.get("LoggingConfig") or {}
    if logging.get("LogFormat") == "JSON":
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        environment["AWS_LAMBDA_LOG_LEVEL"] = logging.get("ApplicationLogLevel", "INFO")
    return environment


def nested_stack_deploy(*arguments, **options):
    """Deploys a nested stack, applying its template's transforms."""
    _in_nested_stack.depth = getattr(_in_nested_stack, "depth", 0) + 1
    try:
        return _nested_stack_deploy(*arguments, **options)
    finally:
        _in_nested_stack.depth -= 1


def parse_template(text):
    """Reads a template, and applies its transforms if it is that of a nested stack."""
    template = _parse_template(text)
    if not getattr(_in_nested_stack, "depth", 0):
        return template
    transformed = engine._apply_transforms(template)
    if isinstance(transformed, engine._TransformFailed):
        raise ValueError(f"the template of a nested stack could not be transformed: {transformed.error}")
    return transformed


def update_resource(kind, physical_id, old, new, stack, logical_id=None, attributes=None):
    """Updates a resource; in a nested stack, keeps the attributes that the update does not return."""
    if attributes is not None or not getattr(_in_nested_stack, "depth", 0):
        return _update_resource(kind, physical_id, old, new, stack, logical_id, attributes)
    known = _stacks[stack]["_resources"].get(logical_id, {}).get("Attributes") or {}
    physical_id, answered = _update_resource(kind, physical_id, old, new, stack, logical_id, known)
    return physical_id, {**known, **(answered or {})}


def get_object(bucket_name, key, headers, query_params=None):
    """Answers with an object; of a version too under the name and type that the request gives it."""
    status, answer, body = _get_object(bucket_name, key, headers, query_params)
    if status == 200 and "versionId" in (query_params or {}):
        s3._apply_response_overrides(answer, query_params)
    return status, answer, body


def fire_s3_event(*arguments, version_id=None, **options):
    """Publishes an event of S3; remembers the object's version for the event that goes to EventBridge."""
    _s3_event.version_id = version_id
    try:
        return _fire_s3_event(*arguments, version_id=version_id, **options)
    finally:
        _s3_event.version_id = None


def dispatch_event(event, *arguments, **options):
    """Delivers an event of EventBridge; one of S3 with the object's version id, where the bucket keeps versions."""
    version_id = getattr(_s3_event, "version_id", None)
    if version_id and event.get("Source") == "aws.s3":
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = version_id
        event = {**event, "Detail": json.dumps(detail)}
    return _dispatch_event(event, *arguments, **options)


def repair():
    """Applies the patches, which are for exactly one version of MiniStack."""
    found = version("ministack")
    if found != KNOWN_VERSION:
        raise SystemExit(f"the patches are for MiniStack {KNOWN_VERSION}, but {found} is installed")
    stepfunctions._execute_task = execute_task
    stepfunctions._apply_jsonata_arguments = apply_jsonata_arguments
    stepfunctions._invoke_with_callback = invoke_with_callback
    lambda_svc._throttle_response = throttle_response
    lambda_svc._execute_function = execute_function
    lambda_svc._provided_worker_env = provided_worker_env
    s3._get_object = get_object
    s3._fire_s3_event = fire_s3_event
    eventbridge._dispatch_event = dispatch_event
    engine._parse_template = parse_template
    provisioners._cfn_nested_stack_deploy = nested_stack_deploy
    provisioners._update_resource = update_resource
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


if __name__ == "__main__":
    repair()
    identity.repair()
    policy_variables.repair()
    app.main()
