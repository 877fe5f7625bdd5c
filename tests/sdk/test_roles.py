"""The permissions of roles, and the right to assign them."""

from datetime import datetime

import pytest
from taegis_sdk_python.services.clients.types import ClientRoleAssignmentInput

from support import ADMINISTRATOR, ANALYST, AUDITOR, RESPONDER, Credentials, assigned, refused

BOTH_FORMS = pytest.mark.parametrize("form", ["id", "client_id"])


@BOTH_FORMS
def test_appended_role_is_shown_with_its_end(form, administrator, new_client, tenant):
    client = new_client(tenant)
    role = ClientRoleAssignmentInput(tenant_id=tenant, role_id=RESPONDER, expires_at="2099-01-01T00:00:00Z")
    answer = administrator.clients.mutation.append_client_roles(getattr(client, form), [role])
    for shown in (answer, administrator.clients.query.client(client.id)):
        ends = {assignment.role_id: assignment.expires_at for assignment in shown.role_assignments}
        assert ends.keys() == {ANALYST, RESPONDER}
        assert ends[ANALYST] is None
        assert datetime.fromisoformat(ends[RESPONDER]) == datetime.fromisoformat("2099-01-01T00:00:00Z")


def test_appending_twice_adds_nothing(administrator, new_client, tenant):
    client = new_client(tenant)
    role = ClientRoleAssignmentInput(tenant_id=tenant, role_id=RESPONDER)
    for _ in range(2):
        answer = administrator.clients.mutation.append_client_roles(client.id, [role])
    assert len(answer.role_assignments) == 2
    assert assigned(answer) == {(ANALYST, tenant), (RESPONDER, tenant)}


@BOTH_FORMS
def test_removed_role_is_gone(form, administrator, new_client, tenant):
    client = new_client(tenant, roles=[ANALYST, AUDITOR])
    answer = administrator.clients.mutation.remove_client_roles(getattr(client, form), [ANALYST])
    assert assigned(answer) == {(AUDITOR, tenant)}
    assert assigned(administrator.clients.query.client(client.id)) == {(AUDITOR, tenant)}


def test_appended_and_removed_roles_count_at_once(administrator, sdk, new_client, tenant):
    client = new_client(tenant, roles=[AUDITOR])
    service = sdk(client)
    role = ClientRoleAssignmentInput(tenant_id=tenant, role_id=ANALYST)
    administrator.clients.mutation.append_client_roles(client.id, [role])
    Credentials.of(service.clients.mutation.create_client(name="app"))
    administrator.clients.mutation.remove_client_roles(client.id, [ANALYST])
    with refused("FORBIDDEN"):
        service.clients.mutation.create_client(name="app")


def test_unknown_role_is_refused(administrator, new_client, tenant):
    unknown = "00000000-0000-4000-8000-000000000000"
    with refused("BAD_USER_INPUT"):
        administrator.clients.mutation.create_client(name="app", roles=[unknown])
    role = ClientRoleAssignmentInput(tenant_id=tenant, role_id=unknown)
    with refused("BAD_USER_INPUT"):
        administrator.clients.mutation.append_client_roles(new_client(tenant).id, [role])


@pytest.mark.parametrize("role", [AUDITOR, RESPONDER])
def test_weak_role_may_not_change_clients(role, sdk, new_client, tenant):
    weak, other = sdk(new_client(tenant, roles=[role])), new_client(tenant, roles=[AUDITOR])
    change = weak.clients.mutation
    for call in (
        lambda: change.create_client(name="app", roles=[role]),
        lambda: change.rotate_client_secret(other.id),
        lambda: change.force_rotate_client_secret(other.id),
        lambda: change.append_client_roles(other.id, [ClientRoleAssignmentInput(tenant_id=tenant, role_id=role)]),
        lambda: change.remove_client_roles(other.id, [AUDITOR]),
        lambda: change.delete_client(other.id),
    ):
        with refused("FORBIDDEN"):
            call()


def test_analyst_manages_analysts_but_grants_nothing_stronger(administrator, sdk, new_client, tenant):
    analyst = sdk(new_client(tenant))
    made = Credentials.of(analyst.clients.mutation.create_client(name="app"))
    Credentials.of(analyst.clients.mutation.rotate_client_secret(made.id))
    with refused("FORBIDDEN"):
        analyst.clients.mutation.create_client(name="app", roles=[ADMINISTRATOR])
    with refused("FORBIDDEN"):
        role = ClientRoleAssignmentInput(tenant_id=tenant, role_id=ADMINISTRATOR)
        analyst.clients.mutation.append_client_roles(made.id, [role])
    assert assigned(administrator.clients.query.client(made.id)) == {(ANALYST, tenant)}


def test_stronger_client_is_not_taken_over(sdk, new_client, tenant):
    stronger = new_client(tenant, roles=[ADMINISTRATOR])
    analyst = sdk(new_client(tenant))
    for call in (analyst.clients.mutation.rotate_client_secret, analyst.clients.mutation.force_rotate_client_secret):
        with refused("FORBIDDEN"):
            call(stronger.id)
    sdk(stronger)


def test_role_in_a_foreign_tenant_is_not_granted(administrator, new_client, new_tenant, tenant):
    client = new_client(tenant)
    role = ClientRoleAssignmentInput(tenant_id=new_tenant(), role_id=AUDITOR)
    with refused("FORBIDDEN"):
        administrator.clients.mutation.append_client_roles(client.id, [role])
    assert assigned(administrator.clients.query.client(client.id)) == {(ANALYST, tenant)}


@pytest.mark.warns(
    "Output field `trustedRoles` is deprecated: 'No longer supported', removing from default output...",
    # Fields of the vendor's roles for which the gateway has no data.
    *(
        f"GATEWAY1 - field {field} not found.  Removing from query string..."
        for field in (
            "tenant",
            "managed",
            "createdAt",
            "updatedAt",
            "createdBy",
            "updatedBy",
            "deleted",
            "centralRole",
            "policies",
            "createdBySubject",
            "updatedBySubject",
        )
    ),
    # Inside createdBySubject and updatedBySubject.
    "Output field `roleAssignmentData` is deprecated: 'Use permission-based authorization checks instead of role "
    "assignments', removing from default output...",
)
def test_roles_can_be_looked_up(root):
    roles = {role.id_: role for role in root.authz.query.authz_assignable_roles()}
    assert {ADMINISTRATOR, ANALYST, RESPONDER, AUDITOR} <= roles.keys()
    assert all(role.name and role.display_name and role.description for role in roles.values())
