"""A stand-in of an OpenTelemetry collector, which reads OTLP with the library of OpenTelemetry, receives the traces of the real gateway."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from processes import running_gateway
from support import LOG_DIR, note_secret, wait_until

WAIT = 30
TOKEN = "a-token-of-the-collector-in-ops"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


class Collector:
    def __init__(self, url):
        self.url = url
        self.spans = []
        self.services = set()

    def take(self, body):
        message = ExportTraceServiceRequest.FromString(body)
        for of_resource in message.resource_spans:
            attributes = {entry.key: entry.value.string_value for entry in of_resource.resource.attributes}
            self.services.add(attributes["service.name"])
            for scope in of_resource.scope_spans:
                self.spans.extend(scope.spans)

    def named(self, name):
        """The span with that name, once it has come."""
        return wait_until(lambda: next((span for span in list(self.spans) if span.name == name), None), WAIT, name)

    def parent(self, child):
        """The span around it, which ends later."""

        def find():
            return next((span for span in list(self.spans) if span.span_id == child.parent_span_id), None)

        return wait_until(find, WAIT, f"the parent of {child.name}")

    def child(self, parent, name):
        def find():
            fits = (span for span in list(self.spans) if span.name == name and span.parent_span_id == parent.span_id)
            return next(fits, None)

        return wait_until(find, WAIT, f"{name} below {parent.name}")


@contextmanager
def running_collector():
    # Searched for secrets with the logs.
    with (LOG_DIR / "ops-collector.log").open("wb") as log:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                accepted = self.path == "/v1/traces" and self.headers["Authorization"] == f"Bearer {TOKEN}"
                if accepted:
                    log.write(body)
                    collector.take(body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200 if accepted else 401)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@pytest.fixture
def data(tmp_path):
    (tmp_path / "gateway").mkdir(mode=0o700)
    return tmp_path


def token(gateway):
    credentials = gateway.administrator
    answer = requests.post(
        f"{gateway.url}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(credentials.client_id, credentials.secret),
        timeout=WAIT,
    )
    assert answer.status_code == 200
    note_secret(answer.json()["access_token"])
    return answer.json()["access_token"]


def attributes(span):
    return {entry.key: entry.value for entry in span.attributes}


def test_collector_receives_the_traces_of_the_gateway_and_those_of_its_last_moment(data):
    note_secret(TOKEN)
    with running_collector() as collector:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{TOKEN}",
            "OTEL_SERVICE_NAME": "gateway-of-ops",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with running_gateway("sqlite", data / "gateway", suite="ops", settings=settings) as gateway:
            access_token = token(gateway)
            create = 'mutation Make { createClient(name: "a-literal-of-ops") { client { id } } }'
            gateway.data(access_token, create, traceparent=f"00-{TRACE}-{CALLER}-01")
            operation = collector.named("mutation Make")
            request = collector.parent(operation)
            write = collector.child(operation, "database write")
            assert {span.trace_id.hex() for span in (request, operation, write)} == {TRACE}
            assert request.parent_span_id.hex() == CALLER and request.kind == Span.SPAN_KIND_SERVER
            assert attributes(request)["http.response.status_code"].int_value == 200
            assert attributes(operation)["graphql.operation.type"].string_value == "mutation"
            assert write.kind == Span.SPAN_KIND_CLIENT
            assert collector.named("POST /oauth2/token").kind == Span.SPAN_KIND_SERVER
            gateway.data(access_token, "query Last { currentSubject { id } }")
        # The gateway has stopped, and sent what it had.
        assert any(span.name == "query Last" for span in collector.spans)
        assert collector.services == {"gateway-of-ops"}
    received = (LOG_DIR / "ops-collector.log").read_bytes()
    assert b"mutation Make" in received
    for hidden in (b"a-literal-of-ops", access_token.encode(), gateway.administrator.secret.encode(), TOKEN.encode()):
        assert hidden not in received
