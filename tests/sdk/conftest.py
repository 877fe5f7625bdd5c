"""Fixtures: a gateway for each database, and the SDK as a script would use it."""

import itertools
import logging
import uuid
from configparser import ConfigParser
from functools import partial

import pytest
from taegis_sdk_python import GraphQLService
from taegis_sdk_python.config import write_to_config

from processes import running_gateway
from support import ADMINISTRATOR, UNAVOIDABLE, Credentials, note_secret

CREATE_TENANT = "mutation ($new: TenantCreateInput!) { createTenant(newTenant: $new) { id } }"


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def gateway(request, tmp_path_factory):
    with running_gateway(request.param, tmp_path_factory.mktemp(request.param)) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A separate home directory for each test: the SDK keeps tokens there."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("CLIENT_ID", raising=False)
    monkeypatch.delenv("CLIENT_SECRET", raising=False)
    yield folder
    note_cached_tokens(folder)


def note_cached_tokens(folder):
    config = ConfigParser()
    config.read(folder / ".taegis_sdk_python/config")
    tokens = [config[section].get("access_token") for section in config.sections()]
    note_secret(*filter(None, tokens))


@pytest.fixture(autouse=True)
def no_warnings(request, caplog):
    """A warning of the SDK indicates a schema that does not match it."""
    allowed = UNAVOIDABLE.union(*(mark.args for mark in request.node.iter_markers("warns")))
    yield
    records = caplog.get_records("setup") + caplog.get_records("call")
    warnings = {record.getMessage() for record in records if record.levelno >= logging.WARNING}
    assert warnings <= allowed


@pytest.fixture
def sdk_at(monkeypatch):
    """Makes a service that acts as a client. Each uses a separate environment: the SDK keeps one token per environment."""
    numbers = itertools.count(1)

    def make(url, credentials, tenant_id=None):
        environment = f"GATEWAY{next(numbers)}"
        for name, value in (("CLIENT_ID", credentials.client_id), ("CLIENT_SECRET", credentials.secret)):
            write_to_config(environment, name, f"{environment}_{name}")
            monkeypatch.setenv(f"{environment}_{name}", value)
        service = GraphQLService(
            environment=environment, environments={environment: url}, tenant_id=tenant_id
        )
        note_secret(service.access_token)
        return service

    return make


@pytest.fixture
def sdk(gateway, sdk_at):
    """The same, at a gateway on either database."""
    return partial(sdk_at, gateway.url)


@pytest.fixture
def root(gateway, sdk):
    """The administrator that `init` created, in the partner tenant above all others."""
    return sdk(gateway.administrator)


@pytest.fixture
def new_tenant(gateway, root):
    def make(parent=None, name=None, partner=False):
        new = {"name": name or f"tenant {uuid.uuid4()}", "isPartner": partner}
        if parent:
            new["parentTenantID"] = parent
        return gateway.data(root.access_token, CREATE_TENANT, {"new": new})["createTenant"]["id"]

    return make


@pytest.fixture
def tenant(new_tenant):
    """A tenant without any client."""
    return new_tenant()


@pytest.fixture
def new_client(root):
    """Creates a client in a tenant, as the administrator above it."""

    def make(tenant_id, roles=None, name="client"):
        with root(tenant_id=tenant_id):
            return Credentials.of(root.clients.mutation.create_client(name=name, roles=roles))

    return make


@pytest.fixture
def administrator(sdk, new_client, tenant):
    """The administrator of `tenant` alone."""
    return sdk(new_client(tenant, roles=[ADMINISTRATOR], name="administrator"))
