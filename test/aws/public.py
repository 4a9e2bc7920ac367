"""Which bucket policies are public, and what Block Public Access does with them:
"Blocking public access to your Amazon S3 storage", section "The meaning of
'public'", of the S3 User Guide.
"""

import enforce

# A statement for everybody is not public if one of these keys must have a fixed
# value. Of aws:SourceIp any range counts as fixed here.
FIXED = (
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
)
OPERATORS = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress")

BLOCKED = "because public policies are blocked by the BlockPublicPolicy block public access setting."


def public(document):
    """Whether a bucket policy allows anything to everybody."""
    return any(s["Effect"] == enforce.ALLOW and everybody(s) and not fixed(s) for s in enforce.statements(document))


def everybody(statement):
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    return "NotPrincipal" in statement or "*" in enforce.listed(principal)


def fixed(statement):
    return any(
        key.lower() in FIXED and not any(sign in value for value in enforce.listed(wanted) for sign in "*?$")
        for operator, keys in statement.get("Condition", {}).items()
        if operator in OPERATORS
        for key, wanted in keys.items()
    )


def blocks(bucket, document):
    """Whether the bucket's BlockPublicPolicy refuses the document."""
    settings = bucket.public_access_block
    return bool(settings and settings.block_public_policy and public(document))


def restricts(bucket):
    """Whether RestrictPublicBuckets keeps the bucket to its own account."""
    settings = bucket.public_access_block
    return bool(settings and settings.restrict_public_buckets and bucket.policy and public(bucket.policy))
