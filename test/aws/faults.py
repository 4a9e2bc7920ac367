"""Faults a test can order: refusals, throttling, any error code."""

import fnmatch
import json
import threading
from xml.sax.saxutils import escape

import seen

REASONS = {301: "Moved Permanently", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}
NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
REQUEST_ID = "00000000-0000-4000-8000-000000000000"


class Answer:
    """An error as AWS sends it: XML by service, bare for HEAD."""

    def __init__(self, status, code, message, headers=()):
        self.status, self.code, self.message = status, code, message
        self.headers = list(headers)

    def send(self, request, start_response):
        if request.json is not None:
            return self.send_json(start_response)
        body = b"" if request.method == "HEAD" else self.body(request).encode()
        headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))]
        headers.append(("x-amzn-RequestId", REQUEST_ID))
        reason = REASONS.get(self.status, "Error")
        start_response(f"{self.status} {reason}", headers + self.headers)
        return [body]

    def send_json(self, start_response):
        """The JSON protocols have 400 for every refusal, and longer names."""
        code = "AccessDeniedException" if self.code == "AccessDenied" else self.code
        body = json.dumps({"__type": code, "Message": self.message}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
        start_response("400 Bad Request", headers + [("x-amzn-RequestId", REQUEST_ID)])
        return [body]

    def body(self, request):
        error = f"<Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message>"
        if request.service == "s3":
            return (
                f'<?xml version="1.0" encoding="UTF-8"?><Error>{error}'
                f"<RequestId>{REQUEST_ID}</RequestId></Error>"
            )
        namespace = NAMESPACES.get(request.service, "")
        return (
            f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>{error}</Error>'
            f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        )


def denied(request):
    """The refusal AWS words for a missing identity-based permission."""
    who = f"arn:aws:sts::{request.account}:assumed-role/Admin/x"
    resource = request.resource()
    if request.service == "s3":
        resource = f'"{resource}"'
    return Answer(
        403,
        "AccessDenied",
        f"User: {who} is not authorized to perform: {request.action} on resource: {resource}"
        f" because no identity-based policy allows the {request.action} action",
    )


class Faults:
    """The faults in force. Safe for requests at the same time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.list = []

    def clear(self):
        with self.lock:
            self.list.clear()

    def deny(self, actions):
        """Replaces the refusals. Items are actions ("iam:*", "s3:HeadBucket") or
        {"action": ..., "principal": "admin|controller|app|helper|any"}."""
        with self.lock:
            self.list = [f for f in self.list if f.get("code")]
            for item in actions or []:
                self.list.append({"action": item} if isinstance(item, str) else dict(item))

    def throttle(self, count):
        """The next COUNT IAM requests are answered with Throttling."""
        self.fail({"action": "iam:*", "code": "Throttling", "message": "Rate exceeded", "count": count})

    def fail(self, fault):
        """Adds {"action", "code", "message", "status" (400), "count" (0 = always), "principal"}."""
        with self.lock:
            self.list.append(dict(fault))

    def match(self, request):
        with self.lock:
            for fault in self.list:
                if fits(fault, request):
                    return self.play(fault, request)
        return None

    def play(self, fault, request):
        if fault.get("count"):
            fault["count"] -= 1
            if fault["count"] == 0:
                self.list.remove(fault)
        if not fault.get("code"):
            return denied(request)
        return Answer(fault.get("status", 400), fault["code"], fault.get("message", ""))


def fits(fault, request):
    """Actions match by IAM name or by the name of the operation."""
    who = fault.get("principal", "")
    if who not in ("", "any", request.principal):
        return False
    if not who and request.principal in seen.UNTOUCHED:
        return False
    names = (request.action, f"{request.service}:{request.operation}")
    return any(fnmatch.fnmatchcase(name, fault["action"]) for name in names)
