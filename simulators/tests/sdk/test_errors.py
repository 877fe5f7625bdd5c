"""What the SDK makes of errors and of broken answers: the reference's sections 4 and 10."""

import json

import deepsecurity as api
import pytest
from deepsecurity.rest import ApiException
from urllib3.exceptions import HTTPError

from conftest import VERSION, client


def failure(call, *arguments, **keywords):
    with pytest.raises(ApiException) as failed:
        call(*arguments, **keywords)
    assert json.loads(failed.value.body)["message"]
    return failed.value.status


def test_refusals_have_the_status_of_the_reference(simulator, primary):
    roles = api.AdministratorRolesApi(primary)
    computers = api.ComputersApi(primary)
    stranger = api.AdministratorRolesApi(client(simulator, "0:wrong"))
    assert failure(stranger.list_administrator_roles, VERSION) == 401
    assert failure(roles.list_administrator_roles, "v9") == 400
    assert failure(roles.delete_administrator_role, 2, VERSION) == 403
    assert failure(roles.describe_administrator_role, 99, VERSION) == 404
    assert failure(computers.list_computers, VERSION, expand=["everything"]) == 400
    assert failure(computers.create_computer, api.Computer(description="nameless"), VERSION) == 400
    customer = api.TenantsApi(client(simulator, simulator.customers[0]["secretKey"]))
    assert failure(customer.list_tenants, VERSION) == 403


def test_the_other_readings_are_understood_too(other_simulator):
    stranger = api.AdministratorRolesApi(client(other_simulator, "0:wrong"))
    assert failure(stranger.list_administrator_roles, VERSION) == 403
    primary = client(other_simulator, other_simulator.primary["secretKey"])
    tenants = api.TenantsApi(primary).list_tenants(VERSION).tenants
    assert [tenant.name for tenant in tenants][:2] == ["Primary", "Contoso Retail"]


def test_too_many_calls(simulator, primary):
    roles = api.AdministratorRolesApi(primary)
    for _ in range(500):
        roles.describe_administrator_role(2, VERSION)
    assert failure(roles.describe_administrator_role, 2, VERSION) == 429
    simulator.advance(60_000)
    assert roles.describe_administrator_role(2, VERSION).name == "Auditor"


def test_a_page_instead_of_json_becomes_an_empty_object(simulator, primary):
    simulator.order({"kind": "html"}, method="GET", path="/policies")
    assert api.PoliciesApi(primary).list_policies(VERSION).policies is None


def test_a_broken_read_is_repeated_and_a_broken_write_is_not(simulator, primary):
    simulator.order({"kind": "reset"}, times=None)
    roles = api.AdministratorRolesApi(primary)
    with pytest.raises(HTTPError):
        roles.list_administrator_roles(VERSION)
    with pytest.raises(HTTPError):
        roles.create_administrator_role(api.Role(name="R"), VERSION)
    assert (simulator.count("GET", "/roles"), simulator.count("POST", "/roles")) == (4, 1)


def test_a_lost_answer_leaves_a_key_behind(simulator, primary):
    simulator.order({"kind": "loseAnswer"}, method="POST", path="/tenants/*/apikeys", tenant="0")
    with pytest.raises(HTTPError):
        api.TenantsApi(primary).generate_tenant_api_secret_key(1, api.ApiKey(key_name="lost"), VERSION)
    customer = client(simulator, simulator.customers[0]["secretKey"])
    assert "lost" in [key.key_name for key in api.APIKeysApi(customer).list_api_keys(VERSION).api_keys]
