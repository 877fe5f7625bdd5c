"""Subscriptions as the SDK makes them. The gateway's own graph has none yet, so that they are made before another graph."""

import json
import subprocess

import pytest

from processes import Gateway, address_of, end, is_ready
from support import BINARY, LOG_DIR, Credentials, note_pair, wait_until


@pytest.fixture
def ticks(tmp_path):
    """The real door before the graph of `tests/door/ticks.rs`."""
    environment = {
        "RUST_LOG": "debug",
        "TENANT_GATEWAY__SERVER__LISTEN": "127.0.0.1:0",
        "TENANT_GATEWAY__ADMIN__LISTEN": "off",
        "TENANT_GATEWAY__DATA__DIR": str(tmp_path / "data"),
        "TENANT_GATEWAY__LOG__FORMAT": "json",
    }
    program = BINARY.parent / "examples/door-ticks"
    with (LOG_DIR / "sdk-ticks.log").open("wb") as log:
        process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, stderr=log)
        try:
            first = json.loads(process.stdout.readline())
            note_pair(first["clientID"], first["clientSecret"])
            url = wait_until(lambda: address_of(process, log.name), 30, "address in the log")
            wait_until(lambda: is_ready(process, url), 30, "readiness")
            yield Gateway(url, Credentials(first["clientID"], first["clientSecret"], first["tenantID"]))
        finally:
            end(process)


def test_the_schema_comes_over_the_socket_too(root):
    assert root.clients.get_ws_schema().query_type.fields["clients"]


def test_a_tenant_is_chosen_by_subprotocol(root, tenant):
    with root(tenant_id=tenant):
        assert root.clients.get_ws_schema().query_type.fields["clients"]


def test_a_subscription_runs_to_its_end(sdk, ticks):
    service = sdk(ticks.administrator, url=ticks.url)
    results = service.clients.execute_subscription(endpoint="ticks", output="", variables={"to": 3, "millis": 5})
    # The SDK drops the last result.
    assert [result["ticks"] for result in results] == ["1", "2"]
