"""Which actions a request needs, on which resource, with which condition keys: as
"Actions, resources, and condition keys for Amazon S3 / AWS Identity and Access
Management / AWS Security Token Service" (Service Authorization Reference) have it.
"""

import re
from xml.etree import ElementTree

from moto.iam.models import iam_backends

# A bucket's subresource: the action to read it, the action to change it. To delete
# it is to change it, except where it has an action of its own.
BUCKET = {
    "abac": ("GetBucketAbac", "PutBucketAbac"),
    "accelerate": ("GetAccelerateConfiguration", "PutAccelerateConfiguration"),
    "acl": ("GetBucketAcl", "PutBucketAcl"),
    "analytics": ("GetAnalyticsConfiguration", "PutAnalyticsConfiguration"),
    "cors": ("GetBucketCORS", "PutBucketCORS"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    "intelligent-tiering": ("GetIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration"),
    "inventory": ("GetInventoryConfiguration", "PutInventoryConfiguration"),
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration"),
    "location": ("GetBucketLocation", ""),
    "logging": ("GetBucketLogging", "PutBucketLogging"),
    "metrics": ("GetMetricsConfiguration", "PutMetricsConfiguration"),
    "notification": ("GetBucketNotification", "PutBucketNotification"),
    "object-lock": ("GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    "ownershipControls": ("GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    "policy": ("GetBucketPolicy", "PutBucketPolicy"),
    "policyStatus": ("GetBucketPolicyStatus", ""),
    "publicAccessBlock": ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    "replication": ("GetReplicationConfiguration", "PutReplicationConfiguration"),
    "requestPayment": ("GetBucketRequestPayment", "PutBucketRequestPayment"),
    "tagging": ("GetBucketTagging", "PutBucketTagging"),
    "uploads": ("ListBucketMultipartUploads", ""),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning"),
    "versions": ("ListBucketVersions", ""),
    "website": ("GetBucketWebsite", "PutBucketWebsite"),
}
DELETE = {"policy": "DeleteBucketPolicy", "website": "DeleteBucketWebsite"}
PLAIN = {"HEAD": "ListBucket", "GET": "ListBucket", "DELETE": "DeleteBucket", "PUT": "CreateBucket"}

# The same for objects, by method.
OBJECT = {
    "": {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject", "DELETE": "DeleteObject"},
    "versionId": {"GET": "GetObjectVersion", "HEAD": "GetObjectVersion", "DELETE": "DeleteObjectVersion"},
    "tagging": {"GET": "GetObjectTagging", "PUT": "PutObjectTagging", "DELETE": "DeleteObjectTagging"},
    "acl": {"GET": "GetObjectAcl", "PUT": "PutObjectAcl"},
    "uploadId": {"GET": "ListMultipartUploadParts", "DELETE": "AbortMultipartUpload"},
}

# IAM actions that have the key iam:PermissionsBoundary, from the role they are
# about. CreateRole and PutRolePermissionsBoundary have it from the request.
BOUNDED = (
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "DeleteRolePermissionsBoundary",
)


def of(request):
    """(action, resource, context) of everything that the request needs."""
    if request.service == "s3":
        return s3(request)
    if request.service == "iam":
        return iam(request)
    resource = request.param("RoleArn") if request.service == "sts" else ""
    return [(request.action, resource or "*", {})]


def s3(request):
    if not request.bucket:
        return [("s3:ListAllMyBuckets", "arn:aws:s3:::*", {})]
    context = {}
    for name in ("prefix", "delimiter", "max-keys", "versionId"):
        if name in request.query:
            context[f"s3:{name}".lower()] = request.query[name]
    if acl := request.header("x-amz-acl"):
        context["s3:x-amz-acl"] = [acl]
    bucket = f"arn:aws:s3:::{request.bucket}"
    if request.object:
        return [(f"s3:{a}", f"{bucket}/{request.object}", context) for a in on_object(request)]
    names, keys = on_bucket(request)
    return [(f"s3:{a}", bucket, context | keys) for a in names]


def on_object(request):
    found = next((k for k in OBJECT if k in request.query), "")
    by_method = OBJECT[found]
    names = [by_method.get(request.method) or OBJECT[""][request.method]]
    if request.method == "PUT" and not request.subresource:
        if request.header("x-amz-tagging"):
            names.append("PutObjectTagging")
        if request.header("x-amz-acl"):
            names.append("PutObjectAcl")
    return names


def on_bucket(request):
    """The actions on a bucket, and condition keys of their own."""
    subresource = request.subresource
    if subresource:
        read, write = BUCKET[subresource]
        if request.method == "DELETE":
            return [DELETE.get(subresource, write)], {}
        return [read if request.method in ("GET", "HEAD") else write], {}
    if request.operation != "CreateBucket":
        return [PLAIN.get(request.method, request.operation)], {}
    names, tags = ["CreateBucket"], bucket_tags(request.body)
    if request.header("x-amz-acl") or request.has_header("x-amz-grant-"):
        names.append("PutBucketAcl")
    if request.header("x-amz-bucket-object-lock-enabled").lower() == "true":
        names += ["PutBucketVersioning", "PutBucketObjectLockConfiguration"]
    if request.header("x-amz-object-ownership"):
        names.append("PutBucketOwnershipControls")
    if tags:
        names.append("TagResource")
    return names, requested(tags)


def bucket_tags(body):
    """The tags in the body of CreateBucket."""
    if b"Tag>" not in body:
        return {}
    root = ElementTree.fromstring(body)
    text = [[c.text or "" for c in e] for e in root.iter() if e.tag.rpartition("}")[2] == "Tag"]
    return dict(text)


def iam(request):
    name, operation = request.param("RoleName"), request.operation
    if not name:
        return [(request.action, other_iam(request), {})]
    role = role_named(request.account, name)
    tags = query_tags(request)
    if operation == "CreateRole":
        arn = f"arn:aws:iam::{request.account}:role{request.param('Path') or '/'}{name}"
        # A request that creates a resource with tags has them as its tags, too ("AWS
        # global condition context keys").
        context = requested(tags) | attached(tags) | boundary(request.param("PermissionsBoundary"))
        names = ["CreateRole", "TagRole"] if tags else ["CreateRole"]
        return [(f"iam:{n}", arn, context) for n in names]
    context = attached({tag["Key"]: tag["Value"] for tag in role.tags}) if role else {}
    if operation == "PutRolePermissionsBoundary":
        context |= boundary(request.param("PermissionsBoundary"))
    elif operation in BOUNDED and role:
        context |= boundary(role.permissions_boundary_arn)
    if operation in ("AttachRolePolicy", "DetachRolePolicy"):
        context["iam:policyarn"] = [request.param("PolicyArn")]
    if operation == "UntagRole":
        keys = [v[0] for k, v in request.form.items() if k.startswith("TagKeys.member.")]
        context["aws:tagkeys"] = keys
    # Only a role that exists has a path: requests name none.
    arn = role.arn if role else f"arn:aws:iam::{request.account}:role/{name}"
    return [(request.action, arn, context | requested(tags))]


def other_iam(request):
    """The resource of requests that are not about a role."""
    for name in ("OpenIDConnectProviderArn", "PolicyArn"):
        if request.param(name):
            return request.param(name)
    if request.param("UserName"):
        return f"arn:aws:iam::{request.account}:user/{request.param('UserName')}"
    return "*"


def role_named(account, name):
    found = iam_backends[account]["aws"].roles.values()
    return next((role for role in found if role.name == name), None)


def query_tags(request):
    """Tags.member.1.Key and .Value of the query protocol."""
    tags = {}
    for name, values in request.form.items():
        if numbered := re.fullmatch(r"Tags\.member\.(\d+)\.Key", name):
            tags[values[0]] = request.param(f"Tags.member.{numbered.group(1)}.Value")
    return tags


def requested(tags):
    """The condition keys of tags in a request."""
    if not tags:
        return {}
    context = {f"aws:requesttag/{key}".lower(): [value] for key, value in tags.items()}
    return context | {"aws:tagkeys": list(tags)}


def attached(tags):
    """The condition keys of tags that a role has."""
    return {f"{key}:resourcetag/{name}".lower(): [value] for name, value in tags.items() for key in ("aws", "iam")}


def boundary(arn):
    return {"iam:permissionsboundary": [arn]} if arn else {}
