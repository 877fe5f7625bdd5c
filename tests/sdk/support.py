"""Shared by the tests: role ids, records of secrets, expected refusals."""

import base64
import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gql.transport.exceptions import TransportQueryError

ROOT = Path(__file__).resolve().parents[2]
LOG_DIR = Path(os.environ.get("TENANT_GATEWAY_TEST_LOG_DIR", ROOT / "target/test-logs"))
SECRETS = Path(os.environ.get("TENANT_GATEWAY_TEST_SECRETS", LOG_DIR / "secrets.made"))
BINARY = Path(os.environ.get("TENANT_GATEWAY_BIN", ROOT / "target/debug/tenant-gateway"))

ADMINISTRATOR = "ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068"
ANALYST = "a4903f9f-465b-478f-a24e-82fa2e129d2e"
RESPONDER = "a72dace7-4536-4dbc-947d-015a8eb65f4d"
AUDITOR = "ace1cae4-59fd-4fd1-9500-40077dc529a7"

# The SDK warns so about its own query before it sends anything, whatever the gateway.
UNAVOIDABLE = {
    "GraphQL Query `clients` is deprecated: 'Use clientsSearchResults instead, "
    "which includes totalCount and totalUnfilteredCount'",
}


@dataclass(frozen=True)
class Credentials:
    """A client with its secret."""

    client_id: str
    secret: str = field(repr=False)
    tenant_id: str
    id: str | None = None

    @classmethod
    def of(cls, new_client):
        """Reads the response of a creation or a rotation and records the secret for the scan of the logs."""
        client = new_client.client
        note_pair(client.client_id, new_client.client_secret)
        return cls(client.client_id, new_client.client_secret, client.tenant_id, client.id_)


def note_secret(*secrets):
    """Records a text that no log may contain. The scan rejects short ones: it would find them by chance."""
    assert all(len(secret) >= 16 for secret in secrets)
    SECRETS.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(SECRETS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{secret}\n" for secret in secrets)


def note_pair(client_id, secret):
    """Records a secret, and its form in headers."""
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    note_secret(secret, basic)


def wait_until(ready, seconds, what):
    """Returns the first true result of `ready`; fails if there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ready():
            return answer
        time.sleep(0.05)
    raise TimeoutError(f"{what}: not within {seconds} s")


@contextmanager
def refused(code):
    """Expects that the call inside ends in exactly one error, with this code."""
    with pytest.raises(TransportQueryError) as caught:
        yield caught
    assert [error["extensions"]["code"] for error in caught.value.errors] == [code]


def refusal(call, asked):
    """The information in a refusal, without the request's id and the id that the caller sent."""
    with pytest.raises(TransportQueryError) as caught:
        call(asked)
    errors = json.loads(json.dumps(caught.value.errors).replace(asked, "<asked>"))
    for error in errors:
        error["extensions"].pop("requestId", None)
    return errors


def names(clients):
    return [client.name for client in clients]


def assigned(client):
    """Role ids of a client, with their tenants."""
    return {(role.role_id, role.tenant_id) for role in client.role_assignments}
