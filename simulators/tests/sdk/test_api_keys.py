"""The steps of the vendor's page on API keys."""

import time

import deepsecurity as api
import pytest
import requests
from deepsecurity.rest import ApiException

from conftest import VERSION, client

TWO_WEEKS = 14 * 24 * 60 * 60 * 1000


def role_id(api_client, role_name):
    name_criteria = api.SearchCriteria()
    name_criteria.field_name = "name"
    name_criteria.string_value = role_name
    name_criteria.string_test = "equal"
    role_filter = api.SearchFilter()
    role_filter.search_criteria = [name_criteria]
    roles = api.AdministratorRolesApi(api_client).search_administrator_roles(VERSION, search_filter=role_filter)
    return [role.id for role in roles.roles]


def auditing_key(api_client, expiry_date):
    key = api.ApiKey()
    key.key_name = "auditing"
    key.description = "Read-only access"
    key.role_id = "2"
    key.locale = "en-US"
    key.time_zone = "Asia/Tokyo"
    key.expiry_date = expiry_date
    return api.APIKeysApi(api_client).create_api_key(key, VERSION)


def test_a_role_is_found_by_its_name(primary):
    assert role_id(primary, "Auditor") == [2]
    assert role_id(primary, "No such role") == []


def test_a_role_is_made_changed_and_deleted(primary):
    roles = api.AdministratorRolesApi(primary)
    rights = api.ComputerRights(can_edit_computer_properties=True)
    rights = api.Rights(platform_rights=api.PlatformRights(computer_rights=rights))
    made = roles.create_administrator_role(api.Role(name="R", all_policies=False, rights=rights), VERSION)
    assert made.rights.platform_rights.computer_rights.can_edit_computer_properties is True
    assert made.rights.platform_rights.computer_rights.can_delete_computers is False
    assert roles.modify_administrator_role(made.id, api.Role(description="x"), VERSION).name == "R"
    roles.delete_administrator_role(made.id, VERSION)
    with pytest.raises(ApiException) as gone:
        roles.describe_administrator_role(made.id, VERSION)
    assert gone.value.status == 404


def test_a_key_for_auditing_ends_after_two_weeks(simulator, primary):
    made = auditing_key(primary, int(round(time.time() * 1000)) + TWO_WEEKS)
    assert (made.description, made.locale, made.time_zone) == ("Read-only access", "en-US", "Asia/Tokyo")
    assert (made.role_id, made.active, made.service_account) == (2, True, False)
    auditor = client(simulator, made.secret_key)
    assert len(api.ComputersApi(auditor).list_computers(VERSION, expand=["none"]).computers) == 25
    with pytest.raises(ApiException) as refused:
        api.ComputersApi(auditor).delete_computer(1, VERSION)
    assert refused.value.status == 403
    simulator.advance(TWO_WEEKS)
    with pytest.raises(ApiException) as expired:
        api.APIKeysApi(auditor).describe_current_api_key(VERSION)
    assert expired.value.status == 401


def test_a_key_is_locked_renewed_and_deleted(simulator, primary):
    keys = api.APIKeysApi(primary)
    made = auditing_key(primary, None)
    old = api.APIKeysApi(client(simulator, made.secret_key))
    renewed = keys.replace_api_secret_key(made.id, VERSION)
    assert renewed.secret_key and renewed.secret_key != made.secret_key
    refuses(old)
    new = api.APIKeysApi(client(simulator, renewed.secret_key))
    assert new.describe_current_api_key(VERSION).id == made.id
    keys.modify_api_key(made.id, api.ApiKey(active=False), VERSION)
    refuses(new)
    keys.modify_api_key(made.id, api.ApiKey(active=True), VERSION)
    own = new.replace_current_api_secret_key(VERSION)
    refuses(new)
    last = api.APIKeysApi(client(simulator, own.secret_key))
    assert last.modify_current_api_key(api.ApiKeyCurrent(key_name="renamed"), VERSION).key_name == "renamed"
    assert made.id in [key.id for key in keys.list_api_keys(VERSION).api_keys]
    assert [key.id for key in keys.search_api_keys(VERSION).api_keys] == [made.id, 1]
    assert keys.describe_api_key(made.id, VERSION).secret_key is None
    keys.delete_api_key(made.id, VERSION)
    refuses(last)


def refuses(keys):
    with pytest.raises(ApiException) as refused:
        keys.describe_current_api_key(VERSION)
    assert refused.value.status == 401


@pytest.mark.parametrize("tenant", [None, "Fabrikam Energy"])
def test_a_user_name_and_a_password_make_the_first_key(simulator, tenant):
    body = {"userName": "MasterAdmin", "password": f"{tenant or 'Primary'} password", "tenantName": tenant}
    session = requests.post(f"{simulator.url}/sessions", headers={"api-version": VERSION}, json=body, timeout=10)
    assert session.headers["Content-Length"] == "141"
    # The cookie is for TLS alone, so a jar would keep it back here.
    headers = {
        "api-version": VERSION,
        "rID": session.json()["RID"],
        "Cookie": f"sID={session.cookies['sID']}",
    }
    body = {"keyName": "First Key", "description": "Created using a request ID", "roleID": 1}
    key = requests.post(f"{simulator.url}/apikeys", headers=headers, json=body, timeout=10).json()
    assert key["unsuccessfulSignInAttempts"] == 0 and key["serviceAccount"] is False
    current = api.APIKeysApi(client(simulator, key["secretKey"])).describe_current_api_key(VERSION)
    assert (current.key_name, current.tenant_id) == ("First Key", 2 if tenant else 0)
