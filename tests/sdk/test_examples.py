"""Every example of the vendor's page on client credentials, run unchanged in a separate process."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from oauthlib.oauth2.rfc6749.errors import InvalidClientError
from taegis_sdk_python import GraphQLService
from taegis_sdk_python.config import write_to_config
from taegis_sdk_python.tokens import decode_token_claims, get_token_tenant_id

from support import ADMINISTRATOR, ANALYST, UNAVOIDABLE, Credentials, assigned, note_pair, note_secret, refused

HERE = Path(__file__).parent
# The role that the examples search for: an id that is no role of the gateway.
ROLE_OF_THE_EXAMPLE = "c373d68a-fdca-476f-5b48-92ed5804dc53"
ID_OF_THE_EXAMPLE = "c373d68a-fdca-476f-5b48-92ed5804dc53"
CLIENT_ID_OF_THE_EXAMPLE = "b42USvw1jm5fk3Y2VqoAWSyG4CF47Ek5"


@pytest.fixture
def example(gateway, home, new_client, tenant, tmp_path):
    """Runs an example as the administrator of a tenant. Returns its output."""
    administrator = new_client(tenant, roles=[ADMINISTRATOR], name="administrator")

    def run(name, replace=None, credentials=administrator, prefix=""):
        text = (HERE / "examples" / f"{name}.py").read_text()
        for placeholder, value in (replace or {}).items():
            assert placeholder in text
            text = text.replace(placeholder, value)
        script = tmp_path / f"{name}.py"
        script.write_text(text)
        result = subprocess.run(
            [sys.executable, HERE / "run_example.py", gateway.url, script],
            env={
                **os.environ,
                f"{prefix}CLIENT_ID": credentials.client_id,
                f"{prefix}CLIENT_SECRET": credentials.secret,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
        # Warnings of the SDK go to stderr when a script sets up no logging.
        assert set(result.stderr.splitlines()) <= UNAVOIDABLE
        return result.stdout

    run.administrator = administrator
    return run


def printed_credentials(output, tenant):
    client_id = re.search(r"^CLIENT_ID: (.+)$", output, re.M)[1]
    secret = re.search(r"^CLIENT_SECRET: (.+)$", output, re.M)[1]
    note_pair(client_id, secret)
    return Credentials(client_id, secret, tenant)


@pytest.mark.parametrize("name", ["create", "create_by_services_import"])
def test_created_client_is_an_analyst_of_the_callers_tenant(name, example, sdk, tenant):
    made = printed_credentials(example(name), tenant)
    client = sdk(made).clients.query.client(made.client_id)
    assert client.name == "my_awesome_app"
    assert client.tenant_id == tenant
    assert assigned(client) == {(ANALYST, tenant)}


def test_constructor_chooses_the_tenant(example, gateway, sdk, tenant):
    output = example("create_in_tenant", {"<tenant_id>": tenant}, gateway.administrator)
    made = printed_credentials(output, tenant)
    assert sdk(made).clients.query.client(made.client_id).tenant_id == tenant


def test_context_chooses_the_tenant_of_each_call(example, gateway, root, new_tenant):
    one, another = new_tenant(), new_tenant()
    example("create_in_two_tenants", {"<tenant_id>": one, "<another_tenant_id>": another}, gateway.administrator)
    for tenant, name in ((one, "my_awesome_tenant_app"), (another, "my_awesome_another_tenant_app")):
        with root(tenant_id=tenant):
            (client,) = root.clients.query.clients()
        assert (client.name, client.tenant_id) == (name, tenant)


def test_privileged_client_is_an_administrator(example, sdk, tenant):
    made = printed_credentials(example("create_privileged"), tenant)
    client = sdk(made).clients.query.client(made.client_id)
    assert assigned(client) == {(ADMINISTRATOR, tenant)}


def test_printed_token_is_cached_and_names_the_tenant(example, home, tenant):
    token = example("print_token").strip()
    note_secret(token)
    assert get_token_tenant_id(token) == tenant
    assert isinstance(decode_token_claims(token)["exp"], int)
    assert token in (home / ".taegis_sdk_python/config").read_text()
    assert example("print_token").strip() == token


def test_customized_variables_are_used(example, gateway, monkeypatch, tenant):
    example("customize_variables", prefix="US1_")
    monkeypatch.setenv("US1_CLIENT_ID", example.administrator.client_id)
    monkeypatch.setenv("US1_CLIENT_SECRET", example.administrator.secret)
    service = GraphQLService(environment="US1", environments={"US1": gateway.url})
    assert get_token_tenant_id(service.access_token) == tenant


def test_cleared_token_is_fetched_anew(example, gateway, monkeypatch):
    write_to_config("US1", "access_token", "")
    monkeypatch.setenv("CLIENT_ID", example.administrator.client_id)
    monkeypatch.setenv("CLIENT_SECRET", example.administrator.secret)
    service = GraphQLService(environment="US1", environments={"US1": gateway.url})
    before = service.access_token
    note_secret(before)
    example("clear_token")
    assert decode_token_claims(service.access_token)["jti"] != decode_token_claims(before)["jti"]


def test_search_by_client_id_finds_the_client(example, new_client, tenant):
    wanted, other = new_client(tenant, name="wanted"), new_client(tenant, name="other")
    output = example("search_by_client_id", {"<CLIENT_ID>": wanted.client_id})
    assert wanted.client_id in output
    assert other.client_id not in output


def test_search_by_name_finds_the_named(example, new_client, tenant):
    wanted = new_client(tenant, name="my docs-test-client 1")
    other = new_client(tenant, name="docs test client")
    output = example("search_by_name")
    assert wanted.client_id in output
    assert other.client_id not in output


def test_search_by_unknown_role_finds_nobody(example):
    assert example("search_by_role") == "[]\n"


def test_search_by_role_finds_its_holders(example, new_client, tenant):
    analyst = new_client(tenant)
    output = example("search_by_role", {ROLE_OF_THE_EXAMPLE: ADMINISTRATOR})
    assert example.administrator.client_id in output
    assert analyst.client_id not in output


@pytest.mark.parametrize(
    "name, placeholder, form",
    [("rotate_by_id", ID_OF_THE_EXAMPLE, "id"), ("rotate_by_client_id", CLIENT_ID_OF_THE_EXAMPLE, "client_id")],
)
def test_reset_secret_replaces_the_old_one(name, placeholder, form, example, sdk, new_client, tenant):
    client = new_client(tenant)
    output = example(name, {placeholder: getattr(client, form)})
    secret = re.search(r"client_secret='([^']+)'", output)[1]
    note_pair(client.client_id, secret)
    assert client.client_id in output
    sdk(Credentials(client.client_id, secret, tenant))
    with pytest.raises(InvalidClientError):
        sdk(client)


@pytest.mark.parametrize(
    "name, placeholder, form",
    [("delete_by_id", ID_OF_THE_EXAMPLE, "id"), ("delete_by_client_id", CLIENT_ID_OF_THE_EXAMPLE, "client_id")],
)
def test_deleted_client_is_gone(name, placeholder, form, example, root, new_client, tenant):
    client = new_client(tenant)
    assert client.client_id in example(name, {placeholder: getattr(client, form)})
    with root(tenant_id=tenant), refused("NOT_FOUND"):
        root.clients.query.client(client.id)
