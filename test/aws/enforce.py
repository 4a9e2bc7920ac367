"""Whether a request is allowed: policy evaluation as the IAM User Guide describes
it ("Policy evaluation logic", "IAM JSON policy elements", "Cross-account policy
evaluation logic").

This module only knows documents and strings. What a request is, who makes it and
which policies apply to it is the task of authorize.py.
"""

import functools
import json
import re
from dataclasses import dataclass, field

ALLOW, DENY = "Allow", "Deny"

# What a statement of a resource-based policy means by its principal. SESSION is one
# user or one session; ROLE is a role, and everybody; ACCOUNT passes the decision on
# to the identity-based policies of the account.
SESSION, ROLE, ACCOUNT = 3, 2, 1


class Unsupported(Exception):
    """A policy has an element that this evaluator does not implement."""


@dataclass
class Caller:
    """The identity behind a request, and the policies that it has.

    arn is a user's, a session's (arn:aws:sts::...:assumed-role/...), or a root's.
    """

    arn: str = ""
    account: str = ""
    role: str = ""  # ARN of the role of a session
    federated: str = ""  # ARN of an identity provider
    policies: list = field(default_factory=list)
    boundary: object = None  # a document; None: no boundary
    tags: dict = field(default_factory=dict)
    root: bool = False  # allowed everything that no statement denies


@dataclass
class Call:
    """One action on one resource. Names in context are lower case, values lists."""

    action: str
    resource: str
    context: dict = field(default_factory=dict)


@dataclass
class Decision:
    allowed: bool
    why: str = ""  # as AWS words it, after "... on resource: X"

    def __bool__(self):
        return self.allowed


def decide(caller, call, resource_policy=None, resource_account=""):
    """Evaluates all policies. resource_policy is a bucket's or, for AssumeRole, the
    trust policy of the role."""
    identity = effects(caller.policies, call)
    bounded = effects([caller.boundary], call) if caller.boundary is not None else {ALLOW}
    denied, grant = resource_effects(resource_policy, caller, call)
    for kind, explicit in (
        ("an identity-based policy", DENY in identity),
        ("a permissions boundary", DENY in bounded),
        ("a resource-based policy", denied),
    ):
        if explicit:
            return Decision(False, f"with an explicit deny in {kind}")
    own = caller.root or ALLOW in identity
    if resource_account in ("", caller.account) or not caller.account:
        if grant == SESSION or grant == ROLE and ALLOW in bounded:
            return Decision(True)
    elif not grant:
        return missing("resource-based policy", call)
    if not own:
        return missing("identity-based policy", call)
    if ALLOW not in bounded:
        return missing("permissions boundary", call)
    return Decision(True)


def trusts(trust_policy, caller, call):
    """Whether a trust policy alone lets a federated identity in."""
    denied, grant = resource_effects(trust_policy, caller, call)
    return bool(grant) and not denied


def missing(kind, call):
    return Decision(False, f"because no {kind} allows the {call.action} action")


def effects(documents, call):
    """The effects of all identity-based statements that are about the call."""
    return {s["Effect"] for d in documents for s in statements(d) if about(s, call)}


def resource_effects(document, caller, call):
    """Whether a statement denies, and the strongest way in which one grants."""
    denied, grant = False, 0
    for statement in statements(document):
        named = names(statement, caller)
        if not named or not about(statement, call):
            continue
        if statement["Effect"] == DENY:
            denied = True
        else:
            grant = max(grant, named)
    return denied, grant


def names(statement, caller):
    """How the statement names the caller: SESSION, ROLE, ACCOUNT, or 0."""
    if "NotPrincipal" in statement:
        return 0 if named_by(statement["NotPrincipal"], caller) else ROLE
    return named_by(statement.get("Principal"), caller)


def named_by(principal, caller):
    if principal == "*":
        return ROLE
    if not isinstance(principal, dict):
        return 0
    found = 0
    if caller.federated and caller.federated in listed(principal.get("Federated")):
        found = SESSION
    for name in listed(principal.get("AWS")):
        if name == "*" or caller.role and name == caller.role:
            found = max(found, ROLE)
        elif caller.arn and name == caller.arn:
            found = max(found, SESSION)
        elif caller.account and (name == caller.account or re.fullmatch(rf"arn:[a-z-]+:iam::{caller.account}:root", name)):
            found = max(found, ACCOUNT)
    return found


def statements(document):
    if isinstance(document, (str, bytes)):
        document = parse(document)
    return listed((document or {}).get("Statement"))


@functools.lru_cache(maxsize=1024)
def parse(text):
    return json.loads(text)


def about(statement, call):
    """Whether action, resource and condition of a statement fit the call. Statements
    of trust policies have no resource."""
    return (
        element(statement, "Action", lambda p: matches(p.lower(), call.action.lower()))
        and element(statement, "Resource", lambda p: matches(p, call.resource, call.context))
        and holds(statement.get("Condition", {}), call.context)
    )


def element(statement, name, fits):
    if "Not" + name in statement:
        return not any(fits(p) for p in listed(statement["Not" + name]))
    if name in statement:
        return any(fits(p) for p in listed(statement[name]))
    return name == "Resource"


def matches(pattern, text, context=None):
    """Wildcards * and ?; with a context also policy variables. A variable without
    exactly one value matches nothing."""
    compiled = compile_pattern(fill_in(pattern, context) if context is not None else pattern)
    return compiled is not None and compiled.fullmatch(text) is not None


# A policy variable, as ${aws:PrincipalTag/team} or with a default value,
# ${aws:PrincipalTag/team, 'none'}.
VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^'}]*)')?\}")


def fill_in(pattern, context):
    """The pattern with its variables replaced; None if one has no single value and no
    default, and if it is not a variable."""
    if pattern is None or "${" not in pattern:
        return pattern
    parts, end = [], 0
    for found in VARIABLE.finditer(pattern):
        name = found.group(1)
        values = [name] if name in ("*", "?", "$") else context.get(name.strip().lower(), [])
        if not values and found.group(2) is not None:
            values = [found.group(2)]
        if len(values) != 1:
            return None
        parts += [pattern[end : found.start()], literal(values[0])]
        end = found.end()
    rest = "".join(parts) + pattern[end:]
    return None if "${" in pattern[end:] else rest


def literal(text):
    """Hides wildcards of a value from compile_pattern."""
    return text.replace("*", "\0").replace("?", "\1")


@functools.lru_cache(maxsize=4096)
def compile_pattern(pattern):
    if pattern is None:
        return None
    signs = {"*": ".*", "?": ".", "\0": r"\*", "\1": r"\?"}
    return re.compile("".join(signs.get(c) or re.escape(c) for c in pattern), re.DOTALL)


def holds(condition, context):
    """All operators, and all keys of each, must hold."""
    return all(
        test(operator, context.get(key.lower()), [text_of(v) for v in listed(wanted)], context)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def test(operator, have, wanted, context):
    """One key of one operator. have is None where the request does not have the key."""
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (have is None) == (wanted[0].lower() == "true")
    negated, fits = OPERATORS.get(name, (False, None))
    if fits is None or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise Unsupported(f"condition operator {operator}")
    if have is None and if_exists:
        return True

    def one(value):
        return any(fits(fill_in(w, context), value) for w in wanted) != negated

    if quantifier == "ForAllValues":
        return all(one(value) for value in have or [])
    if quantifier == "ForAnyValue":
        return any(one(value) for value in have or [])
    if have is None:
        return negated
    return all(one(v) for v in have) if negated else any(one(v) for v in have)


def equal(wanted, value):
    return wanted is not None and wanted.replace("\0", "*").replace("\1", "?") == value


def like(wanted, value):
    return matches(wanted, value)


def equal_ignoring_case(wanted, value):
    return equal(wanted and wanted.lower(), value.lower())


def arn_like(wanted, value):
    """Each of the six parts of an ARN is compared alone: * does not cross a colon."""
    if wanted is None:
        return False
    patterns, parts = wanted.split(":", 5), value.split(":", 5)
    return len(patterns) == len(parts) == 6 and all(map(matches, patterns, parts))


# Operator: is it negated, and how a wanted value and one of the request compare.
OPERATORS = {
    "StringEquals": (False, equal),
    "StringNotEquals": (True, equal),
    "StringEqualsIgnoreCase": (False, equal_ignoring_case),
    "StringNotEqualsIgnoreCase": (True, equal_ignoring_case),
    "StringLike": (False, like),
    "StringNotLike": (True, like),
    "ArnEquals": (False, arn_like),
    "ArnLike": (False, arn_like),
    "ArnNotEquals": (True, arn_like),
    "ArnNotLike": (True, arn_like),
    "Bool": (False, equal_ignoring_case),
}


def text_of(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
