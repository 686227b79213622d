"""Tells the emulator's permission checks what AWS would tell them.

With AUTH=true MiniStack holds every function to its role, but it does not know some of the
resources and condition keys that the roles name. They are added here, so that a role can be as
narrow as AWS allows and still be tried out on this machine. And what each role was used for is
written down, a line for each action on each resource, so that a test can show that no role allows
more than is called.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import os
import re
import threading
from pathlib import Path

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

_pin_request_origin = app.pin_request_origin
_extract_resource_arn = iam_actions.extract_resource_arn
_request_tag_context = iam_actions.request_tag_context
_s3_service_context = iam_actions.s3_service_context
_enforce = iam_evaluator.enforce
_resolve_principal = iam_evaluator.resolve_principal

_KEY_CONDITION = re.compile(r"([#\w]+)\s*=\s*(:\w+)")


def pin_request_origin(address, encrypted):
    """Counts a request over the loopback as encrypted: it leaves no wire, and policies demand TLS."""
    _pin_request_origin(address, encrypted or address == "127.0.0.1")


def extract_resource_arn(service, method, path, headers, body, params, region, account):
    """Names the resource of a request: of mail the sender's identity, of log lines their stream, of
    a role its path too."""
    arn = _extract_resource_arn(service, method, path, headers, body, params, region, account)
    if service == "ses" and arn == "*" and iam_actions._query_param(params, "Source"):
        return f"arn:aws:ses:{region}:{account}:identity/{iam_actions._query_param(params, 'Source')}"
    if service == "iam" and (name := iam_actions._query_param(params, "RoleName")):
        path = _of_role(params, "Path") or "/"
        return f"arn:aws:iam::{account}:role{path}{name}"
    if service == "logs" and (stream := _fields(body).get("logStreamName")):
        return f"{arn}:log-stream:{stream}"
    return arn


def request_tag_context(service, action, body, params):
    """Adds the condition keys of mails, roles, events and items to those of tags."""
    context = _request_tag_context(service, action, body, params)
    if service == "ses" and (sender := iam_actions._query_param(params, "Source")):
        context["ses:FromAddress"] = sender
    if service == "iam" and (boundary := _of_role(params, "PermissionsBoundary")):
        context["iam:PermissionsBoundary"] = boundary
    if action == "events:PutEvents":
        sources = sorted({entry.get("Source", "") for entry in _fields(body).get("Entries", [])})
        context["events:source"] = sources[0] if len(sources) == 1 else sources
    if service == "dynamodb" and (key := _leading_key(_fields(body))) is not None:
        context["dynamodb:LeadingKeys"] = [key]
    return context


def s3_service_context(iam_action, query_params, path="", headers=None):
    """Adds the two keys with which a policy asks for conditional writes.

    Creating a multipart upload and sending its parts bear no condition and create no object.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    context = _s3_service_context(iam_action, query_params, path, headers)
    if iam_action == "s3:PutObject":
        query = query_params or {}
        is_part = "uploads" in query or "partNumber" in query
        context["s3:ObjectCreationOperation"] = "false" if is_part else "true"
        if condition := (headers or {}).get("if-none-match"):
            context["s3:if-none-match"] = condition
    return context


class Calls:
    """What was allowed to whom, each thing once, in a file of JSON lines."""

    def __init__(self, path):
        self._path = Path(path)
        self._known = set()
        self._lock = threading.Lock()

    def add(self, access_key, action, resource):
        """Writes down a call, unless it is known."""
        call = (access_key, action, resource)
        with self._lock:
            if call in self._known:
                return
            self._known.add(call)
            line = {"accessKey": access_key, "action": action, "resource": resource}
            principal = _resolve_principal(access_key, iam_account())
            line["principal"] = getattr(principal, "arn", None)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def iam_account():
    """The account of the request that is being answered."""
    from ministack.core.responses import get_account_id

    return get_account_id()


def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    """Decides as before; a call that is allowed is written down."""
    refusal = _enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
    # Whoever creates a role with tags must be allowed to tag it too, which MiniStack does not ask.
    if refusal is None and iam_action == "iam:CreateRole" and (service_context or {}).get("aws:TagKeys"):
        refusal = enforce(access_key_id, "iam:TagRole", service, region, resource_arn, service_context)
    # Temporary credentials are those of roles.
    if refusal is None and CALLS and (access_key_id or "").startswith("ASIA"):
        CALLS.add(access_key_id, iam_action, resource_arn)
    return refusal


CALLS = Calls(os.environ["DROPCAST_CALLS"]) if "DROPCAST_CALLS" in os.environ else None


def _fields(body):
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _of_role(params, field):
    """What a request that makes a role says of it, or else what is known of the role."""
    known = iam._roles.get(iam_actions._query_param(params, "RoleName")) or {}
    return iam_actions._query_param(params, field) or known.get(field)


def _leading_key(request):
    """The partition key that a request on one item or one partition names."""
    item = request.get("Key") or request.get("Item")
    if item:
        return item.get("PK", {}).get("S")
    condition = _KEY_CONDITION.search(request.get("KeyConditionExpression") or "")
    if condition:
        return request.get("ExpressionAttributeValues", {}).get(condition.group(2), {}).get("S")
    return None


def repair():
    """Puts the additions in place."""
    app.pin_request_origin = pin_request_origin
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.request_tag_context = request_tag_context
    iam_actions.s3_service_context = s3_service_context
    iam_evaluator.enforce = enforce
