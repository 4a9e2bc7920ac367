"""Names requests: service, operation, IAM action, bucket, who asks."""

import json
import re
from urllib.parse import parse_qs, unquote

from moto.iam.models import get_account_id_from

import actions

# The access keys the bed hands out (testbed/env.go has the same ones).
KEYS = {
    "AKIATESTBEDADMIN0001": "admin",
    "AKIATESTBEDACKCTRL01": "controller",
    "AKIATESTBEDHELPER001": "helper",
}

# Principals that faults and delays spare unless named: the stand-in
# controller and the clients a test looks into AWS with.
UNTOUCHED = ("controller", "helper")

# What a bucket's subresource is called in the names of operations.
SUBRESOURCES = {name: read.removeprefix("Get") for name, (read, _) in actions.BUCKET.items() if read.startswith("Get")}

BUCKET_CALLS = {"HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
OBJECT_CALLS = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
# Operations whose IAM action has another name.
ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "ListObjectVersions": "ListBucketVersions",
}


class Request:
    """One request as a test wants to see it."""

    def __init__(self, environ, body):
        self.method = environ["REQUEST_METHOD"]
        self.path = unquote(environ["PATH_INFO"])
        self.agent = environ.get("HTTP_USER_AGENT", "")
        self.source = environ.get("REMOTE_ADDR", "")
        self.owner = environ.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER", "")
        # The SDK says how often it has tried: "attempt=2; max=3".
        tried = re.match(r"attempt=(\d+)", environ.get("HTTP_AMZ_SDK_REQUEST", ""))
        self.attempt = int(tried.group(1)) if tried else 1
        self.query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        self.key, self.region, self.service = credential(environ)
        self.body, self.environ = body, environ
        self.form = {}
        if "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            self.form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        self.bucket, self.object = "", ""
        self.principal = ""
        self.caller = ""  # an ARN, known where policies are evaluated
        operation = self.form.get("Action") or self.query.get("Action")
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        self.json = None
        if target:  # a JSON protocol, as CloudTrail speaks it
            self.operation = target.rpartition(".")[2]
            self.action = f"{self.service}:{self.operation}"
            self.json = json.loads(body or b"{}")
        elif operation and self.service != "s3":
            self.operation = operation[0]
            if not self.service:
                self.service = "sts"
            self.action = f"{self.service}:{self.operation}"
        else:
            self.service = self.service or "s3"
            self.split(environ.get("HTTP_HOST", ""))
            self.operation = s3_operation(self)
            name = ACTIONS.get(self.operation, self.operation)
            self.action = f"{self.service}:{name}"

    @property
    def account(self):
        return get_account_id_from(self.key)

    @property
    def subresource(self):
        """The part of a bucket or object that the query names, or ""."""
        known = actions.OBJECT if self.object else actions.BUCKET
        return next((name for name in known if name and name in self.query), "")

    @property
    def plain(self):
        """Whether the request counts as made without TLS: by order of a test only."""
        return bool(self.header("x-testbed-plain"))

    def header(self, name):
        return self.environ.get("HTTP_" + name.upper().replace("-", "_"), "")

    def has_header(self, start):
        start = "HTTP_" + start.upper().replace("-", "_")
        return any(name.startswith(start) for name in self.environ)

    def split(self, host):
        """Finds bucket and key, in the path or in the host name."""
        virtual = re.match(r"(.+)\.(localhost|s3[.-].*amazonaws\.com.*)(:\d+)?$", host)
        if virtual and virtual.group(1) != "s3":
            self.bucket, self.object = virtual.group(1), self.path[1:]
            return
        self.bucket, _, self.object = self.path[1:].partition("/")

    def resource(self):
        """The ARN AWS names in a refusal."""
        if self.service == "s3":
            name = self.bucket + ("/" + self.object if self.object else "")
            return f"arn:aws:s3:::{name}" if name else "*"
        if self.service == "iam":
            arn = self.param("OpenIDConnectProviderArn")
            path = self.param("Path") or "/"
            role = self.param("RoleName")
            return arn or f"arn:aws:iam::{self.account}:role{path}{role}"
        return self.param("RoleArn") or "*"

    def param(self, name):
        return self.form.get(name, self.query.get(name, [""]))[0]

    def record(self, status):
        return {
            "service": self.service,
            "operation": self.operation,
            "action": self.action,
            "method": self.method,
            "resource": self.resource(),
            "principal": self.principal,
            "caller": self.caller,
            "userAgent": self.agent,
            "attempt": self.attempt,
            "status": status,
        }


def credential(environ):
    """Access key, region and service from the signature, if there is one."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    scope = re.search(r"Credential=([^,\s]+)", header)
    parts = scope.group(1).split("/") if scope else []
    if len(parts) == 5:
        return parts[0], parts[2], parts[3].lower()
    old = re.match(r"AWS ([A-Z0-9]+):", header)
    return (old.group(1), "", "s3") if old else ("", "", "")


def s3_operation(request):
    """The S3 operation behind method, path and query."""
    if not request.bucket:
        return "ListBuckets"
    if request.object:
        return OBJECT_CALLS.get(request.method, request.method)
    for name, subject in SUBRESOURCES.items():
        if name in request.query:
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}[request.method]
            return verb + subject
    if "versions" in request.query:
        return "ListObjectVersions"
    if request.method == "POST" and "delete" in request.query:
        return "DeleteObjects"
    return BUCKET_CALLS.get(request.method, "ListObjects")
