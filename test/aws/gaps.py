"""Where AWS refuses and moto does not: the rules of the S3, IAM and STS user guides."""

import json
import re

from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend, s3_backends

import webidentity
from faults import Answer

BAD_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
BAD_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def install():
    """Gives new buckets what AWS gives them: SSE-S3, Block Public Access and
    BucketOwnerEnforced, all three since 2023."""
    plain = FakeBucket.__init__

    def init(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        algorithm = {"SSEAlgorithm": "AES256"}
        self.encryption = {
            "Rule": {
                "ApplyServerSideEncryptionByDefault": algorithm,
                "BucketKeyEnabled": "false",
            }
        }
        self.public_access_block = PublicAccessBlock(True, True, True, True)
        self.ownership_rule = "BucketOwnerEnforced"

    FakeBucket.__init__ = init
    S3Backend.delete_object = keeping_versions(S3Backend.delete_object)
    strict = FakeBucket.get_permission

    def get_permission(self, action, resource):
        """moto knows no conditions: "deny without TLS" would deny everything.
        Everybody here counts as coming by TLS, so it denies nothing."""
        whole = self.policy
        if whole is not None:
            document = json.loads(whole)
            document["Statement"] = [
                s for s in document["Statement"] if not for_plain_http(s)
            ]
            self.policy = json.dumps(document).encode()
        try:
            return strict(self, action, resource)
        finally:
            self.policy = whole

    FakeBucket.get_permission = get_permission


def keeping_versions(plain):
    """A bucket whose versioning was suspended still has versions, and one of them can be
    deleted. moto takes it for a bucket that never had any, and deletes all of the key."""

    def delete_object(self, bucket_name, key_name, version_id=None, bypass=False):
        bucket = self.get_bucket(bucket_name)
        status = bucket.versioning_status
        if status == "Suspended" and version_id is not None:
            bucket.versioning_status = "Enabled"
        try:
            return plain(self, bucket_name, key_name, version_id, bypass)
        finally:
            bucket.versioning_status = status

    return delete_object


def for_plain_http(statement):
    """Whether a statement is about requests without TLS only."""
    condition = statement.get("Condition", {}).get("Bool", {})
    return condition.get("aws:SecureTransport") == "false"


def refusal(request, evaluated=False):
    """The answer AWS would give where moto would say yes, or None. evaluated: all
    policies already allow the request."""
    if request.service != "s3" or not request.bucket:
        return None
    if request.operation == "CreateBucket":
        return None if legal(request.bucket) else invalid_name()
    held = s3_backends.bucket_accounts.get(request.bucket)
    if held is None:
        return None
    partition, owner = held
    if request.owner and request.owner != owner:
        return Answer(403, "AccessDenied", "Access Denied")
    bucket = s3_backends[owner][partition].buckets[request.bucket]
    if request.account != owner and not evaluated and not for_everybody(bucket, request):
        return Answer(403, "AccessDenied", "Access Denied")
    return elsewhere(request, bucket)


def for_everybody(bucket, request):
    """Whether the bucket's own policy lets in whoever asks."""
    document = json.loads(bucket.policy) if bucket.policy else {"Statement": []}
    for statement in document["Statement"]:
        if statement.get("Principal") not in ("*", {"AWS": "*"}):
            continue
        if webidentity.allows(statement, request, {}):
            return True
    return False


def elsewhere(request, bucket):
    """A bucket answers only in its region; the redirect names it."""
    if not request.region or request.region == bucket.region_name:
        return None
    return Answer(
        301,
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint."
        " Please send all future requests to this endpoint.",
        [("x-amz-bucket-region", bucket.region_name)],
    )


def legal(name):
    """The rules for names of general purpose buckets."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        return False
    if ".." in name or re.fullmatch(r"(\d+\.){3}\d+", name):
        return False
    return not (name.startswith(BAD_STARTS) or name.endswith(BAD_ENDS))


def invalid_name():
    return Answer(400, "InvalidBucketName", "The specified bucket is not valid.")
