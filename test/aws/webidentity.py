"""Web identity as STS and IAM mean it: token, provider, trust, permissions.

moto lets any token assume any role and never looks at the role's policies.
Here the token's signature, issuer and audience are checked, then the trust
policy's conditions; afterwards the credentials can do what the role's policies
allow and nothing else.
"""

import base64
import fnmatch
import json
import os
import re
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

import seen
from faults import Answer, denied

# What AWS lets everybody do who is somebody, whatever the policies say.
ALWAYS = ("sts:GetCallerIdentity",)

# What the stand-in of the ACK controller adds to its user agent where it works with
# the session of a role.
CONTROLLER = "app/ack-s3"

ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role(/.*)$")


class WebIdentity:
    """Remembers which access keys were given for which role. With an authorizer it
    is that which evaluates the policies."""

    def __init__(self, authorizer=None):
        self.roles = {}
        self.authorizer = authorizer

    def principal(self, request):
        if request.key in self.roles:
            return "controller" if CONTROLLER in request.agent else "app"
        if not request.key:
            return "anonymous"
        return seen.KEYS.get(request.key, "other")

    def refusal(self, request):
        if request.operation == "AssumeRoleWithWebIdentity":
            return token_refusal(request, self.authorizer.trusted if self.authorizer else trusted)
        if self.authorizer:
            return self.authorizer.refusal(request)
        if request.principal != "app" or request.action in ALWAYS:
            return None
        arn = self.roles[request.key]
        return None if permitted(arn, request) else denied(request, arn)

    def learn(self, request, status, body):
        if request.operation != "AssumeRoleWithWebIdentity" or status != 200:
            return
        key = re.search(rb"<AccessKeyId>(\w+)</AccessKeyId>", body)
        if key:
            self.roles[key.group(1).decode()] = request.param("RoleArn")


def token_refusal(request, trusted):
    """Checks in the order STS does: token, provider, audience, trust."""
    claims = decode(request.param("WebIdentityToken"))
    if claims is None:
        return Answer(400, "InvalidIdentityToken", "Couldn't verify the signature of the token")
    if claims["exp"] < time.time():
        return Answer(400, "ExpiredTokenException", "Token expired")
    arn = ROLE_ARN.match(request.param("RoleArn"))
    not_authorized = Answer(
        403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    )
    if arn is None:
        return Answer(400, "ValidationError", "Request ARN is invalid")
    partition, account, _ = arn.groups()
    issuer = claims["iss"].removeprefix("https://").rstrip("/")
    provider_arn = f"arn:{partition}:iam::{account}:oidc-provider/{issuer}"
    provider = iam_backends[account][partition].open_id_providers.get(provider_arn)
    if provider is None:
        message = f"No OpenIDConnect provider found in your account for {claims['iss']}"
        return Answer(400, "InvalidIdentityToken", message)
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    matched = [a for a in audiences if a in provider.client_id_list]
    if not matched:
        return Answer(400, "InvalidIdentityToken", "Incorrect token audience")
    role = find_role(request.param("RoleArn"))
    context = {f"{issuer}:sub": claims["sub"], f"{issuer}:aud": matched[0]}
    if role is None or not trusted(role, provider_arn, context):
        return not_authorized
    return None


def decode(token):
    """The claims of a JWT signed with RS256 by the cluster, or None."""
    try:
        header, payload, signature = token.split(".")
        with open(os.environ["TESTBED_TOKEN_KEY"], "rb") as file:
            key = serialization.load_pem_public_key(file.read())
        signed = f"{header}.{payload}".encode()
        key.verify(unbase64(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        return json.loads(unbase64(payload))
    except (ValueError, InvalidSignature):
        return None


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def find_role(arn):
    match = ROLE_ARN.match(arn)
    partition, account, _ = match.groups()
    for role in iam_backends[account][partition].roles.values():
        if role.arn == arn:
            return role
    return None


def trusted(role, provider_arn, context):
    document = role.assume_role_policy_document
    document = json.loads(document) if isinstance(document, str) else document
    for statement in listed(document["Statement"]):
        principal = statement.get("Principal", {})
        federated = listed(principal.get("Federated")) if isinstance(principal, dict) else []
        if provider_arn in federated and holds(statement.get("Condition", {}), context):
            return True
    return False


def permitted(arn, request):
    """Whether the role's policies allow the action on the resource, none of them
    forbids it, and its permissions boundary allows it, too ("Policy evaluation
    logic" of the IAM User Guide)."""
    role = find_role(arn)
    if role is None:
        return False
    documents = list(role.policies.values())
    for policy in role.managed_policies.values():
        documents.append(default_version(policy))
    context = {"aws:ResourceAccount": owner(request), "aws:SecureTransport": "true"}
    if not granted(documents, request, context):
        return False
    partition, account, _ = ROLE_ARN.match(arn).groups()
    boundary = iam_backends[account][partition].managed_policies.get(role.permissions_boundary_arn)
    # moto takes a boundary that does not exist, AWS does not: it limits nothing.
    return boundary is None or granted([default_version(boundary)], request, context)


def default_version(policy):
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return version.document
    return {"Statement": []}


def granted(documents, request, context):
    """Whether a statement allows the request and none denies it."""
    effects = set()
    for document in documents:
        document = json.loads(document) if isinstance(document, str) else document
        for statement in listed(document["Statement"]):
            if covers(statement, request, context):
                effects.add(statement["Effect"])
    return effects == {"Allow"}


def owner(request):
    """The account that what the request is about belongs to."""
    partition_and_account = s3_backends.bucket_accounts.get(request.bucket)
    return partition_and_account[1] if partition_and_account else request.account


def allows(statement, request, context):
    return statement["Effect"] == "Allow" and covers(statement, request, context)


def covers(statement, request, context):
    if not holds(statement.get("Condition", {}), context):
        return False
    return any_match(statement.get("Action"), request.action) and any_match(
        statement.get("Resource"), request.resource()
    )


def holds(condition, context):
    """StringEquals, StringLike and Bool; anything else is not understood and fails."""
    for operator, wanted in condition.items():
        if operator not in ("StringEquals", "StringLike", "Bool"):
            return False
        for key, values in wanted.items():
            if not any_match([str(v) for v in listed(values)], context.get(key, ""), operator):
                return False
    return True


def any_match(patterns, text, operator="StringLike"):
    if operator != "StringLike":
        return text in listed(patterns)
    return any(fnmatch.fnmatchcase(text, p) for p in listed(patterns))


def listed(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
