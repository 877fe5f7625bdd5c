"""The life cycle of a credential: creation, rotation, deletion."""

import re

import pytest
from graphql import is_input_object_type, print_schema
from oauthlib.oauth2.rfc6749.errors import InvalidClientError
from taegis_sdk_python.services.clients.types import ClientRoleAssignmentInput, ClientsSearchInput

from support import ANALYST, AUDITOR, Credentials, assigned, note_secret, refused

BOTH_FORMS = pytest.mark.parametrize("form", ["id", "client_id"])


def use(service):
    """Any call that each client may make."""
    return service.subjects.execute_query("currentSubject", output="id")


def test_client_without_roles_is_an_analyst(administrator, tenant):
    for roles in (None, []):
        made = administrator.clients.mutation.create_client(name="app", roles=roles)
        Credentials.of(made)
        assert assigned(made.client) == {(ANALYST, tenant)}
        assert made.client.roles == ANALYST
        assert made.client.enabled


def test_credentials_need_no_encoding(administrator):
    made = Credentials.of(administrator.clients.mutation.create_client(name="app"))
    for text in (made.client_id, made.secret):
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", text)
    assert len(made.secret) >= 43, "256 bits need 43 characters"


def test_client_is_read_by_either_id(administrator, new_client, tenant):
    client = new_client(tenant, name="app")
    by_id = administrator.clients.query.client(client.id)
    assert by_id == administrator.clients.query.client(client.client_id)
    assert (by_id.id_, by_id.client_id, by_id.name, by_id.tenant_id) == (client.id, client.client_id, "app", tenant)


def test_snake_case_fields_equal_the_others(administrator, new_client, tenant):
    client = new_client(tenant)
    pairs = {
        "client_id": "clientID",
        "tenant_id": "tenantID",
        "created_at": "createdAt",
        "updated_at": "updatedAt",
        "created_by": "createdBy",
        "updated_by": "updatedBy",
        "token_request_time": "tokenRequestTime",
        "token_request_count": "tokenRequestCount",
    }
    roles = "{ id tenant_id tenantID role_id roleID role_name roleName expires_at expiresAt }"
    output = " ".join([*pairs, *pairs.values(), "role_assignments", roles, "roleAssignments", roles])
    answer = administrator.clients.execute_query("client", output, {"id": client.id})["client"]
    for old, new in pairs.items():
        assert answer[old] == answer[new]
    assert answer["role_assignments"] == answer["roleAssignments"]
    (role,) = answer["roleAssignments"]
    for old, new in {"tenant_id": "tenantID", "role_id": "roleID", "role_name": "roleName"}.items():
        assert role[old] == role[new] is not None


@BOTH_FORMS
@pytest.mark.parametrize("method", ["rotate_client_secret", "force_rotate_client_secret"])
def test_rotated_secret_replaces_the_old_one_at_once(method, form, administrator, sdk, new_client, tenant):
    old = new_client(tenant, name="app")
    before = administrator.clients.query.client(old.id)
    rotated = getattr(administrator.clients.mutation, method)(getattr(old, form))
    new = Credentials.of(rotated)
    assert new.secret != old.secret
    for field in ("id_", "client_id", "name", "tenant_id", "roles", "role_assignments"):
        assert getattr(rotated.client, field) == getattr(before, field)
    use(sdk(new))
    with pytest.raises(InvalidClientError):
        sdk(old)


def test_forced_rotation_ends_issued_tokens(administrator, sdk, new_client, tenant):
    client = new_client(tenant)
    service = sdk(client)
    use(service)
    Credentials.of(administrator.clients.mutation.force_rotate_client_secret(client.id))
    with refused("UNAUTHENTICATED"):
        use(service)


def test_secret_of_the_callers_choice_is_not_taken(administrator, sdk, new_client, tenant):
    client = new_client(tenant)
    with refused("BAD_USER_INPUT"):
        administrator.clients.mutation.rotate_client_secret(client.id, secret="chosen by the caller")
    use(sdk(client))


@BOTH_FORMS
def test_deleted_credentials_are_refused(form, administrator, sdk, new_client, tenant):
    client = new_client(tenant, name="app")
    service = sdk(client)
    use(service)
    deleted = administrator.clients.mutation.delete_client(getattr(client, form))
    assert (deleted.id_, deleted.client_id, deleted.name) == (client.id, client.client_id, "app")

    with refused("UNAUTHENTICATED"):
        use(service)
    service.clear_access_token()
    with pytest.raises(InvalidClientError):
        use(service)
    for call in (administrator.clients.mutation.delete_client, administrator.clients.query.client):
        with refused("NOT_FOUND"):
            call(getattr(client, form))
    assert administrator.clients.query.clients(client_ids=[client.client_id]) == []


def test_secret_is_shown_only_where_it_is_made(administrator, tenant):
    made = administrator.clients.mutation.create_client(name="app")
    rotated = administrator.clients.mutation.rotate_client_secret(made.client.id_)
    secrets = [Credentials.of(made).secret, Credentials.of(rotated).secret]
    id_, role = made.client.id_, ClientRoleAssignmentInput(tenant_id=tenant, role_id=AUDITOR)
    later = [
        made.client,
        rotated.client,
        administrator.clients.query.client(id_),
        administrator.clients.query.clients(client_ids=[made.client.client_id]),
        administrator.clients.query.clients_search(ClientsSearchInput(client_ids=[made.client.client_id])),
        administrator.clients.mutation.append_client_roles(id_, [role]),
        administrator.clients.mutation.remove_client_roles(id_, [AUDITOR]),
        administrator.clients.mutation.delete_client(id_),
    ]
    for answer in later:
        assert not any(secret in repr(answer) for secret in secrets)


def test_schema_offers_the_secret_of_new_clients_alone(administrator):
    types = administrator.clients.get_sync_schema().type_map
    holders = {
        name
        for name, type_ in types.items()
        # An input: administrators send the secret of an identity provider, and no response has it.
        if not is_input_object_type(type_)
        for field in getattr(type_, "fields", {})
        if field in ("clientSecret", "client_secret")
    }
    assert holders == {"NewClient"}


def test_weakest_client_reads_the_same_schema(administrator, sdk, new_client, tenant):
    schemas = set()
    for service in (administrator, sdk(new_client(tenant, roles=[AUDITOR]))):
        # The SDK keeps one schema for all services of a process.
        service.clients.clear_schema()
        schemas.add(print_schema(service.clients.get_sync_schema()))
    assert len(schemas) == 1


def test_token_requests_are_counted(administrator, sdk, new_client, tenant):
    client = new_client(tenant)
    unused = administrator.clients.query.client(client.id)
    assert not unused.token_request_count
    assert unused.token_request_time is None
    for _ in range(2):
        sdk(client)
    used = administrator.clients.query.client(client.id)
    assert used.token_request_count == 2
    assert used.token_request_time is not None


def test_request_id_is_kept(administrator):
    administrator.clients.query.clients_search()
    assert administrator.response_headers["X-Request-Id"]


def test_forged_token_is_refused(administrator, root):
    # The same claims and a signature of another token.
    claims = root.access_token.rsplit(".", 1)[0]
    signature = administrator.access_token.rsplit(".", 1)[1]
    note_secret(f"{claims}.{signature}")
    with administrator(access_token=f"{claims}.{signature}"), refused("UNAUTHENTICATED"):
        use(administrator)
