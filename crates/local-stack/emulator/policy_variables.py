"""Puts values in the place of the variables of policies, such as ${aws:PrincipalTag/team}.

MiniStack compares them as plain text, so that a statement with a variable would never match.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from dataclasses import replace

from ministack.core import iam_evaluator

_first_match = iam_evaluator._first_match

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


class Unresolved(Exception):
    """The request has no value for a variable."""


def resolved(text, context):
    """A text with the request's values in the place of its variables."""

    def value(variable):
        found = iam_evaluator._resolve_condition_key(variable[1], context)
        if not isinstance(found, str):
            raise Unresolved(variable[1])
        return found

    return _VARIABLE.sub(value, text)


def resolved_patterns(patterns, context):
    """The patterns that have all their values. One that lacks a value matches nothing."""
    found = []
    for pattern in patterns:
        try:
            found.append(resolved(pattern, context))
        except Unresolved:
            continue
    return found


def resolved_conditions(conditions, context):
    """The conditions of a statement, with values."""

    def values(expected):
        several = expected if isinstance(expected, list) else [expected]
        return [resolved(str(text), context) for text in several]

    return {
        operator: {key: values(expected) for key, expected in keys.items()} for operator, keys in conditions.items()
    }


def resolved_statement(statement, context):
    """A statement with values, or none if it cannot match for want of them, be it Allow or Deny."""
    if "${" not in f"{statement.resources}{statement.not_resources}{statement.conditions}":
        return statement
    resources = resolved_patterns(statement.resources, context)
    if statement.resources and not resources:
        return None
    try:
        not_resources = [resolved(pattern, context) for pattern in statement.not_resources]
        conditions = resolved_conditions(statement.conditions, context)
    except Unresolved:
        return None
    return replace(statement, resources=resources, not_resources=not_resources, conditions=conditions)


def first_match(context, statements, effect):
    """The first statement of that effect which matches, by its variables' values too."""
    with_values = (resolved_statement(statement, context) for statement in statements if statement.effect == effect)
    return _first_match(context, [statement for statement in with_values if statement], effect)


def repair():
    """Puts the variables in place."""
    iam_evaluator._first_match = first_match
