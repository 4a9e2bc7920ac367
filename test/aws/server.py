"""The AWS of the test bed: moto behind a layer that closes its gaps.

Usage: python server.py PORT [enforce]

With enforce every request is evaluated against the policies (authorize.py).

Every request passes through Bed.__call__, which names it (seen.py), answers
the control requests under /testbed/, plays the faults a test asked for,
closes moto's gaps (gaps.py, webidentity.py, cloudtrail.py) and hands over the rest to moto.
"""

import io
import json
import signal
import sys
import threading
import time

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import WSGIRequestHandler, run_simple

import authorize
import cloudtrail
import gaps
import seen
import speed
import webidentity
from faults import Faults


class Bed:
    """A WSGI application around moto. All state a test can reset is here."""

    def __init__(self, moto, authorizer=None):
        self.moto = moto
        self.authorizer = authorizer
        # moto goes over plain dictionaries while other threads add to them,
        # which Python answers with an error and moto with status 500: whoever
        # asks moto, or looks into it, does so one at a time.
        self.turn = threading.Lock()
        self.lock = threading.Lock()
        self.log = []
        self.faults = Faults()
        self.delay = 0.0
        self.identity = webidentity.WebIdentity(authorizer)
        self.trail = cloudtrail.CloudTrail()

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if path.startswith("/testbed/"):
            return self.control(environ, body, start_response)
        with self.turn:
            if path.startswith("/moto-api"):
                return list(self.moto(environ, start_response))
            request = seen.Request(environ, body)
            request.principal = self.identity.principal(request)
        if self.delay and request.principal not in seen.UNTOUCHED:
            time.sleep(self.delay)
        with self.turn:
            return self.answer(request, environ, start_response)

    def answer(self, request, environ, start_response):
        answer = self.refusal(request)
        if answer is None and request.action == "cloudtrail:LookupEvents":
            answer = self.trail.lookup(request)
        if answer is None:
            return self.forward(request, environ, start_response)
        self.remember(request, answer.status)
        self.trail.write(request, answer.status, answer.code)
        return answer.send(request, start_response)

    def refusal(self, request):
        """What stops the request before moto sees it, or None."""
        return (
            self.faults.match(request)
            or self.identity.refusal(request)
            or gaps.refusal(request, evaluated=self.authorizer is not None)
        )

    def forward(self, request, environ, start_response):
        started = []
        chunks = self.moto(environ, lambda line, headers, _=None: started.append((line, headers)))
        body = b"".join(chunks)
        line, headers = started[-1]
        status = int(line.split()[0])
        self.identity.learn(request, status, body)
        if self.authorizer:
            self.authorizer.learn(request, status)
        self.remember(request, status)
        self.trail.write(request, status, "")
        # moto leaves out the length, and werkzeug would send pieces.
        if request.method != "HEAD" and status != 204 and not any(n.lower() == "content-length" for n, _ in headers):
            headers = [*headers, ("Content-Length", str(len(body)))]
        start_response(line, headers)
        return [body]

    def remember(self, request, status):
        with self.lock:
            self.log.append(request.record(status))

    def control(self, environ, body, start_response):
        """Answers GET /testbed/log and POST /testbed/{deny,throttle,fail,delay,reset}."""
        order = environ["PATH_INFO"].removeprefix("/testbed/")
        status, answer = "200 OK", {}
        argument = json.loads(body) if body else None
        if order == "log":
            with self.lock:
                answer = list(self.log)
        elif order == "deny":
            self.faults.deny(argument)
        elif order == "fail":
            self.faults.fail(argument)
        elif order == "throttle":
            self.faults.throttle(argument)
        elif order == "delay":
            self.delay = float(argument)
        elif order == "reset-log":
            with self.lock:
                self.log.clear()
        elif order == "reset":
            self.faults.clear()
            self.delay = 0.0
        else:
            status, answer = "404 Not Found", {"error": "no such order: " + order}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]


class Handler(WSGIRequestHandler):
    """HTTP/1.1, as clients of AWS expect it; each connection has one request."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together: a connection that breaks off
    # between them is a fault that nobody ordered.
    wbufsize = -1

    def log_request(self, code="-", size="-"):
        pass


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gaps.install()
    cloudtrail.install()
    speed.install()
    authorizer = None
    if sys.argv[2:] == ["enforce"]:
        authorizer = authorize.Authorizer()
        authorizer.install()
    app = Bed(DomainDispatcherApplication(create_backend_app), authorizer)
    speed.started()
    run_simple(
        "127.0.0.1",
        int(sys.argv[1]),
        app,
        threaded=True,
        request_handler=Handler,
    )


if __name__ == "__main__":
    main()
