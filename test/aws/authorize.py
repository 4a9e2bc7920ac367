"""The emulated AWS says no: every request is evaluated against the policies of who
makes it, the bucket's or the role's, and permissions boundaries.

The access keys of the bed (seen.py) count as the root user of their account. IAM
users and sessions of roles are held to their policies. actions.py says which
actions a request needs, enforce.py whether they are allowed.
"""

import re
from xml.etree import ElementTree

from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import sts_backends

import actions
import enforce
import public
import seen
import webidentity
from faults import REQUEST_ID, Answer

# What AWS lets every caller do, whatever the policies say.
ALWAYS = ("sts:GetCallerIdentity", "sts:GetSessionToken")

# What the root user can do although the bucket's policy denies it.
OF_ROOT = ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy")


class Authorizer:
    """Evaluates requests. The boundaries of users are here: moto has none."""

    def __init__(self):
        self.boundaries = {}  # (account, user name): policy ARN

    def install(self):
        """moto must not evaluate bucket policies a second time: it knows no
        conditions and no accounts."""
        FakeBucket.get_permission = lambda *_: PermissionResult.PERMITTED

    def refusal(self, request):
        """The refusal of the request, or None."""
        if request.operation == "AssumeRoleWithWebIdentity" or request.action in ALWAYS:
            return None
        if request.service == "s3" and request.bucket and request.operation != "CreateBucket":
            if request.bucket not in s3_backends.bucket_accounts:
                return None  # NoSuchBucket, for every caller
        caller = self.caller(request)
        request.caller = caller.arn
        if request.operation == "AssumeRole" and (request.param("Policy") or request.param("PolicyArns.member.1.arn")):
            raise enforce.Unsupported("session policies")
        if caller.root and request.operation == "AssumeRole" and webidentity.find_role(request.param("RoleArn")) is None:
            return None  # how a test enters another account
        if request.operation == "DeleteObjects":
            return self.delete_objects(request, caller)
        for action, resource, context in actions.of(request):
            decision = self.decide(request, caller, action, resource, context)
            if not decision:
                return refused(request, caller, action, resource, decision)
        return blocked(request, caller) or self.absent_key(request, caller)

    def decide(self, request, caller, action, resource, context=None):
        account = owner(request)
        context = (context or {}) | surroundings(request, caller, account)
        policy = resource_policy(request)
        if caller.root and account == caller.account and action in OF_ROOT:
            policy = None
        if policy and request.service == "s3" and caller.account != account and public.restricts(moto_bucket(request)):
            policy = None
        return enforce.decide(caller, enforce.Call(action, resource, context), policy, account)

    def absent_key(self, request, caller):
        """GetObject and HeadObject of a key that does not exist need s3:ListBucket."""
        if request.operation not in ("GetObject", "HeadObject") or request.subresource:
            return None
        if request.object in moto_bucket(request).keys:
            return None
        bucket, action = f"arn:aws:s3:::{request.bucket}", "s3:ListBucket"
        decision = self.decide(request, caller, action, bucket)
        return None if decision else refused(request, caller, action, bucket, decision)

    def delete_objects(self, request, caller):
        """Each key is allowed or refused for itself; refusals are part of the answer."""
        keys, refusals = [], []
        for entry in ElementTree.fromstring(request.body).iter():
            if entry.tag.rpartition("}")[2] == "Object":
                fields = {child.tag.rpartition("}")[2]: child.text or "" for child in entry}
                version = fields.get("VersionId", "")
                keys.append((fields["Key"], version))
                action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
                resource = f"arn:aws:s3:::{request.bucket}/{fields['Key']}"
                decision = self.decide(request, caller, action, resource)
                if not decision:
                    message = refused(request, caller, action, resource, decision).message
                    refusals.append((fields["Key"], version, message))
        if not refusals:
            return None
        held = {(key, version) for key, version, _ in refusals}
        partition, account = s3_backends.bucket_accounts[request.bucket]
        for key, version in keys:
            if (key, version) not in held:
                s3_backends[account][partition].delete_object(request.bucket, key, version or None)
        return NotDeleted(refusals)

    def caller(self, request):
        """The identity behind the access key."""
        account, partition = request.account, "aws"
        if not request.key:
            return enforce.Caller()
        backend = iam_backends[account][partition]
        key = backend.access_keys.get(request.key)
        root = enforce.Caller(arn=f"arn:{partition}:iam::{account}:root", account=account, root=True)
        if key is None:
            return root
        if key.user_name:
            return self.user(backend, account, key.user_name)
        session = session_of(account, partition, request.key)
        role = webidentity.find_role(session.role_arn) if session else None
        if role is None:
            return root  # moto lets a test enter any account by a role that does not exist
        return enforce.Caller(
            arn=session.arn,
            account=account,
            role=role.arn,
            policies=documents(role),
            boundary=boundary(account, role.permissions_boundary_arn),
            tags={tag["Key"]: tag["Value"] for tag in role.tags},
        )

    def user(self, backend, account, name):
        user = backend.users[name]
        policies = documents(user)
        for group in backend.get_groups_for_user(name):
            policies += documents(group)
        limit = boundary(account, self.boundaries.get((account, name)))
        tags = backend.tagger.get_tag_dict_for_resource(user.arn)
        return enforce.Caller(arn=user.arn, account=account, policies=policies, boundary=limit, tags=tags)

    def learn(self, request, status):
        if status == 200 and request.operation == "CreateUser":
            account = (request.account, request.param("UserName"))
            self.boundaries[account] = request.param("PermissionsBoundary")

    def trusted(self, role, provider_arn, context):
        """Whether the role's trust policy lets a token of the provider in."""
        call = enforce.Call(
            "sts:AssumeRoleWithWebIdentity",
            role.arn,
            {name.lower(): enforce.listed(value) for name, value in context.items()},
        )
        return enforce.trusts(role.assume_role_policy_document, enforce.Caller(federated=provider_arn), call)


class NotDeleted:
    """The answer to DeleteObjects if some keys were refused."""

    status, code = 200, ""

    def __init__(self, refusals):
        self.refusals = refusals

    def send(self, request, start_response):
        result = ElementTree.Element("DeleteResult", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
        for key, version, message in self.refusals:
            error = ElementTree.SubElement(result, "Error")
            for name, text in (("Key", key), ("VersionId", version), ("Code", "AccessDenied"), ("Message", message)):
                if text:
                    ElementTree.SubElement(error, name).text = text
        body = ElementTree.tostring(result, "utf-8", xml_declaration=True)
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start_response("200 OK", [*headers, ("x-amz-request-id", REQUEST_ID)])
        return [body]


def refused(request, caller, action, resource, decision):
    """The refusal as the service words it. S3 says nothing to callers of another
    account, and IAM names an existing role without path."""
    if request.service == "s3" and caller.account != owner(request):
        return Answer(403, "AccessDenied", "Access Denied")
    where = f" on resource: {resource}"
    if request.service == "s3":
        where = f' on resource: "{resource}"'
    elif request.service == "iam" and request.operation != "CreateRole":
        # As in "User: ... is not authorized to perform: iam:GetRole on resource: role x".
        if named := re.search(r":(role|user|policy)/(?:.*/)?([^/]+)$", resource):
            where = f" on resource: {named[1]} {resource if named[1] == 'policy' else named[2]}"
    if action == "s3:ListAllMyBuckets":
        where = ""
    message = f"User: {caller.arn} is not authorized to perform: {action}{where} {decision.why}"
    return Answer(403, "AccessDenied", message)


def blocked(request, caller):
    """The refusal of a public bucket policy, or None. It holds for everybody."""
    if request.operation != "PutBucketPolicy" or not public.blocks(moto_bucket(request), request.body):
        return None
    action, bucket = "s3:PutBucketPolicy", f"arn:aws:s3:::{request.bucket}"
    return refused(request, caller, action, bucket, enforce.Decision(False, public.BLOCKED))


def session_of(account, partition, key):
    return sts_backends[account][partition].get_assumed_role_from_access_key(key) or next(
        # A session by AssumeRole is in the backend of the role's account, one by
        # web identity in that of the endpoint's.
        filter(None, (b[partition].get_assumed_role_from_access_key(key) for b in list(sts_backends.values()))),
        None,
    )


def documents(identity):
    """Inline and managed policies of a user, a group or a role."""
    return [*identity.policies.values(), *map(webidentity.default_version, identity.managed_policies.values())]


def boundary(account, arn):
    """The document of a permissions boundary, None without one. A policy that does
    not exist, which AWS does not take for a boundary, allows nothing."""
    if not arn:
        return None
    policy = iam_backends[account]["aws"].managed_policies.get(arn)
    return webidentity.default_version(policy) if policy else {"Statement": []}


def moto_bucket(request):
    partition, account = s3_backends.bucket_accounts[request.bucket]
    return s3_backends[account][partition].buckets[request.bucket]


def owner(request):
    """The account that the resource of the request belongs to."""
    if request.service == "s3" and request.operation != "CreateBucket":
        held = s3_backends.bucket_accounts.get(request.bucket)
        return held[1] if held else request.account
    if request.operation == "AssumeRole":
        match = webidentity.ROLE_ARN.match(request.param("RoleArn"))
        return match.group(2) if match else request.account
    return request.account


def resource_policy(request):
    """The policy of the bucket, or the trust policy of the role to assume."""
    if request.operation == "AssumeRole":
        role = webidentity.find_role(request.param("RoleArn"))
        return role.assume_role_policy_document if role else None
    if request.service == "s3" and request.bucket in s3_backends.bucket_accounts and request.operation != "CreateBucket":
        return moto_bucket(request).policy
    return None


def surroundings(request, caller, account):
    """The condition keys that every request has."""
    arn = caller.role or caller.arn
    keys = {
        "aws:securetransport": ["false" if request.plain else "true"],
        "aws:resourceaccount": [account],
        "aws:requestedregion": [request.region or "us-east-1"],
    }
    if request.service == "s3":
        keys["s3:resourceaccount"] = [account]
    if arn:
        keys |= {"aws:principalarn": [arn], "aws:principalaccount": [caller.account]}
    keys |= {f"aws:principaltag/{name}".lower(): [value] for name, value in caller.tags.items()}
    if user := re.search(r":user/(?:.*/)?([^/]+)$", arn):
        keys["aws:username"] = [user.group(1)]
    return keys
