"""CloudTrail's event history, which moto has not: what was asked of STS and IAM.

As in AWS an event is kept in the region of the endpoint that was called, IAM's
in us-east-1; a call that succeeded names the role among its resources, one that
was refused has it in its parameters only. Unlike AWS, which takes up to 15
minutes, events are there at once.
"""

import json
import threading
import time
import uuid

from moto.cloudtrail.models import Trail

import webidentity

# Where an endpoint without a signature to tell is taken to be (testbed/options.go
# has the same), and where IAM is.
REGION = "us-east-2"
GLOBAL = "us-east-1"

WRITES = ("Create", "Put", "Update", "Delete", "Attach", "Detach", "Tag", "Untag")


def install():
    """A trail says of itself whether it has selectors, which moto denies of all."""
    plain = Trail.description

    def description(self, *args, **kwargs):
        told = plain(self, *args, **kwargs)
        told["HasCustomEventSelectors"] = bool(self.event_selectors or self.advanced_event_selectors)
        return told

    Trail.description = description


class Found:
    """The answer to a look-up, sent like an Answer."""

    def __init__(self, document, status=200, code=""):
        self.document, self.status, self.code = document, status, code

    def send(self, request, start_response):
        body = json.dumps(self.document).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if self.status == 200 else "400 Bad Request", headers)
        return [body]


def invalid(code, message):
    """A look-up that AWS would not take."""
    return Found({"__type": code, "Message": message}, 400, code)


class CloudTrail:
    """The history of all regions of the one account."""

    def __init__(self):
        self.lock = threading.Lock()
        self.events = []  # oldest first

    def write(self, request, status, code):
        """Writes down what CloudTrail calls a management event that writes."""
        event = None
        if request.operation == "AssumeRoleWithWebIdentity":
            event = assumed(request, status, code)
        elif request.service == "iam" and request.operation.startswith(WRITES):
            event = changed(request, code)
        if event is not None:
            with self.lock:
                self.events.append(event)

    def lookup(self, request):
        asked = request.json
        attributes = asked.get("LookupAttributes", [])
        limit = asked.get("MaxResults", 50)
        if len(attributes) > 1:
            return invalid("InvalidLookupAttributesException", "You can specify only one lookup attribute")
        if not 1 <= limit <= 50:
            return invalid("InvalidMaxResultsException", "Max results must be from 1 to 50")
        with self.lock:
            found = [e for e in reversed(self.events) if fits(e, request, asked, attributes)]
        start = int(asked.get("NextToken", "0"))
        document = {"Events": [e["event"] for e in found[start : start + limit]]}
        if start + limit < len(found):
            document["NextToken"] = str(start + limit)
        return Found(document)


def fits(event, request, asked, attributes):
    when = event["event"]["EventTime"]
    if event["region"] != (request.region or REGION):
        return False
    if when < asked.get("StartTime", 0) or when > asked.get("EndTime", when):
        return False
    return all(has(event["event"], a["AttributeKey"], a["AttributeValue"]) for a in attributes)


def has(event, key, value):
    if key == "ResourceName":
        return any(r["ResourceName"] == value for r in event["Resources"])
    return event.get({"EventName": "EventName", "EventSource": "EventSource", "Username": "Username"}[key]) == value


def assumed(request, status, code):
    """As the IAM guide shows it ("Logging IAM and AWS STS API calls")."""
    claims = webidentity.decode(request.param("WebIdentityToken")) or {}
    subject, role = claims.get("sub", ""), request.param("RoleArn")
    issuer = claims.get("iss", "").removeprefix("https://")
    body = {
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": f"{issuer}:{subject}",
            "userName": subject,
            "identityProvider": issuer,
        },
        "requestParameters": {"roleArn": role, "roleSessionName": request.param("RoleSessionName")},
        "responseElements": None,
    }
    resources = []
    if status == 200:
        resources = [{"ResourceType": "AWS::IAM::Role", "ResourceName": role}]
        body["responseElements"] = {
            "subjectFromWebIdentityToken": subject,
            "credentials": {"accessKeyId": "ASIANEVERSHOWNTHIS00", "sessionToken": "never-to-be-shown"},
        }
    else:
        body["errorCode"], body["errorMessage"] = code or str(status), "An unknown error occurred"
    return entry(request, request.region or REGION, "sts.amazonaws.com", subject, resources, body)


def changed(request, code):
    name = request.param("RoleName")
    if not name:
        return None
    body = {
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{request.account}:user/{request.principal}",
            "userName": request.principal,
        },
        "requestParameters": {"roleName": name},
    }
    if code:
        body["errorCode"] = code
    resources = [{"ResourceType": "AWS::IAM::Role", "ResourceName": name}]
    return entry(request, GLOBAL, "iam.amazonaws.com", request.principal, resources, body)


def entry(request, region, source, username, resources, body):
    now = time.time()
    body |= {
        "eventVersion": "1.08",
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "eventSource": source,
        "eventName": request.operation,
        "awsRegion": region,
        "sourceIPAddress": request.source,
        "userAgent": request.agent,
        "eventType": "AwsApiCall",
    }
    event = {
        "EventId": str(uuid.uuid4()),
        "EventName": request.operation,
        "ReadOnly": "true" if source.startswith("sts") else "false",
        "EventTime": now,
        "EventSource": source,
        "Username": username,
        "Resources": resources,
        "CloudTrailEvent": json.dumps(body),
    }
    return {"region": region, "event": event}
