"""Fixtures: a gateway for each algorithm, and clients of it with a secret or a key."""

import uuid

import pytest
import requests
from joserfc.jwk import ECKey, OKPKey, RSAKey

from processes import running_gateway
from support import ADMINISTRATOR, Credentials, note_pair, note_secret

CREATE = """mutation ($name: String!, $roles: [ID!]) {
    createClient(name: $name, roles: $roles) { client { id clientID tenantID } clientSecret } }"""
CREATE_TENANT = "mutation ($new: TenantCreateInput!) { createTenant(newTenant: $new) { id } }"
ADD_KEY = "mutation ($id: ID!, $jwk: JSON!) { addClientKey(id: $id, input: { jwk: $jwk }) { keys { id algorithm thumbprint } } }"

# The algorithm of the gateway's tokens, and its database.
DEPLOYMENTS = [("sqlite", "EdDSA"), ("postgres", "ES256"), ("sqlite", "RS256")]


@pytest.fixture(scope="session", params=DEPLOYMENTS, ids=lambda deployment: "-".join(deployment))
def gateway(request, tmp_path_factory):
    database, algorithm = request.param
    settings = {
        "TENANT_GATEWAY__TOKENS__ALGORITHM": algorithm,
        # The tests provoke many refusals, all from one address.
        "TENANT_GATEWAY__AUTH__FAILURES_PER_CLIENT": "1000",
        "TENANT_GATEWAY__AUTH__FAILURES_PER_ADDRESS": "1000",
    }
    folder = tmp_path_factory.mktemp(f"{database}-{algorithm}")
    with running_gateway(database, folder, suite=f"oauth-{algorithm}", settings=settings) as gateway:
        gateway.algorithm = algorithm
        yield gateway


@pytest.fixture(autouse=True)
def plain_http(monkeypatch):
    """Both libraries refuse plain http, even on loopback, by default."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def metadata(gateway):
    answer = requests.get(f"{gateway.url}/.well-known/oauth-authorization-server", timeout=30)
    assert answer.status_code == 200
    return answer.json()


def token_of(gateway, credentials, **parameters):
    """A token, requested directly: for tests of other things than the token request."""
    answer = requests.post(
        f"{gateway.url}/oauth2/token",
        data={"grant_type": "client_credentials", **parameters},
        auth=(credentials.client_id, credentials.secret),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    note_secret(answer.json()["access_token"])
    return answer.json()["access_token"]


@pytest.fixture
def root(gateway):
    """A token of the administrator that `init` created."""
    return token_of(gateway, gateway.administrator)


@pytest.fixture
def new_client(gateway, root):
    def make(roles=(ADMINISTRATOR,), tenant=None):
        headers = {"X-Tenant-Context": tenant} if tenant else {}
        variables = {"name": f"client {uuid.uuid4()}", "roles": list(roles)}
        made = gateway.data(root, CREATE, variables, **headers)["createClient"]
        client = made["client"]
        note_pair(client["clientID"], made["clientSecret"])
        return Credentials(client["clientID"], made["clientSecret"], client["tenantID"], client["id"])

    return make


@pytest.fixture
def client(new_client):
    return new_client()


@pytest.fixture
def new_tenant(gateway, root):
    def make():
        new = {"name": f"tenant {uuid.uuid4()}"}
        return gateway.data(root, CREATE_TENANT, {"new": new})["createTenant"]["id"]

    return make


KEYS = {
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(2048),
}


@pytest.fixture(params=KEYS)
def keyed(request, gateway, root, client):
    """A client with a registered key: the credentials, the private key, its algorithm."""
    key = KEYS[request.param]()
    # No log may contain it.
    note_secret(key.as_dict(private=True)["d"])
    added = gateway.data(root, ADD_KEY, {"id": client.id, "jwk": key.as_dict(private=False)})["addClientKey"]["keys"]
    assert [(one["algorithm"], one["thumbprint"]) for one in added] == [(request.param, key.thumbprint())]
    return client, key, request.param
