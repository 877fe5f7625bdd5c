"""The tenant of a request: chosen by the caller, and isolated from others."""

import uuid

import pytest
from taegis_sdk_python.services.clients.types import ClientRoleAssignmentInput, CreateClientInput
from taegis_sdk_python.services.subjects.types import Client as SubjectClient
from taegis_sdk_python.services.tenants4.types import OrderDir, TenantResultOrder, TenantsQuery

from support import ADMINISTRATOR, ANALYST, AUDITOR, Credentials, names, refusal, refused

# The SDK warns so about its own fields, before it sends anything.
DEPRECATED_IN_TENANTS = {
    "Input field `hierarchyPaths` is deprecated: 'Use hierarchies, partners, or organizations instead'",
    "Input field `cursorPos` is deprecated: 'Use afterCursor and beforeCursor instead'",
    "Input field `enabledIn` is deprecated: 'Use enabledInEnvironments instead'",
    "Output field `hierarchyPath` is deprecated: 'Use partnerTenantID, organizationTenantID, and id instead', "
    "removing from default output...",
    "Output field `enabledAtRegions` is deprecated: 'Use enabledAtEnvironments with TenantEnvironment instead', "
    "removing from default output...",
}
# Fields of the vendor's tenants for which the gateway has no data.
NOT_OURS = (
    "partnerName",
    "organizationName",
    "mdrProviderID",
    "isSophosMDRProvider",
    "isMDRProvider",
    "hasSupportEnabled",
    "supportInherited",
    "allowResponseActions",
    "actionsApprover",
    "expiresAt",
    "mdrProviderType",
    "enabledAtEnvironments",
    "labels",
    "subscriptions",
    "centralTenant",
    "dataRetentionPolicy",
    "licenseLevel",
    "licenseCapabilities",
)


def not_found(fields):
    """GATEWAY1 is root and GATEWAY2 the first client that a test makes a service for."""
    return {
        f"GATEWAY{number} - field {field} not found.  Removing from query string..."
        for number in (1, 2, 3)
        for field in fields
    }


tenant_warnings = pytest.mark.warns(*DEPRECATED_IN_TENANTS, *not_found(NOT_OURS))


# ---------------------------------------------------------------- switching


def test_constructor_chooses_the_tenant(gateway, sdk, new_tenant):
    for tenant in (new_tenant(), new_tenant()):
        service = sdk(gateway.administrator, tenant_id=tenant)
        made = Credentials.of(service.clients.mutation.create_client(name="app"))
        assert made.tenant_id == tenant
        assert [client.id_ for client in service.clients.query.clients()] == [made.id]


def test_context_chooses_the_tenant_and_ends(gateway, root, new_tenant):
    home, one, another = gateway.administrator.tenant_id, new_tenant(), new_tenant()

    def now():
        return root.tenants4.query.request_tenant_context().tenant_ids

    assert now() == [home]
    with root(tenant_id=one):
        assert now() == [one]
        with root(tenant_id=another):
            assert now() == [another]
        assert now() == [one]
        assert Credentials.of(root.clients.mutation.create_client(name="app")).tenant_id == one
    assert now() == [home]


def test_one_token_serves_every_tenant(root, new_tenant):
    token = root.access_token
    for tenant in (new_tenant(), new_tenant()):
        with root(tenant_id=tenant):
            root.clients.query.clients()
    assert root.access_token == token


def test_owner_tenant_is_kept(root, tenant, gateway):
    home = gateway.administrator.tenant_id
    with root(tenant_id=tenant):
        made = root.clients.mutation.create_client(name="app", input_=CreateClientInput(owner_tenant_id=home))
    Credentials.of(made)
    assert (made.client.tenant_id, made.client.owner_tenant_id) == (tenant, home)


def test_foreign_owner_tenant_is_refused(administrator, new_tenant):
    with refused("FORBIDDEN"):
        administrator.clients.mutation.create_client(
            name="app", input_=CreateClientInput(owner_tenant_id=new_tenant())
        )


# ---------------------------------------------------------------- isolation


def test_unknown_tenant_is_refused_like_a_foreign_one(administrator, new_tenant):
    administrator.clients.query.clients()

    def ask(tenant):
        with administrator(tenant_id=tenant):
            administrator.clients.query.clients()

    foreign = refusal(ask, new_tenant())
    assert [error["extensions"]["code"] for error in foreign] == ["FORBIDDEN"]
    assert foreign == refusal(ask, str(uuid.uuid4()))
    for nonsense in ("unknown-tenant", "5000"):
        assert foreign == refusal(ask, nonsense)


def test_refused_tenant_is_http_403(gateway, administrator, new_tenant):
    token = administrator.access_token
    answers = [
        gateway.post(token, "{ requestTenantContext { tenantIDs } }", **{"X-Tenant-Context": tenant})
        for tenant in (new_tenant(), str(uuid.uuid4()))
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in answers] == ["FORBIDDEN"] * 2


def test_foreign_client_is_like_an_unknown_one(root, sdk, new_client, new_tenant):
    hidden = new_client(new_tenant(), name="hidden")
    tenant = new_tenant()
    neighbour = sdk(new_client(tenant, roles=[ADMINISTRATOR]))
    role = ClientRoleAssignmentInput(tenant_id=tenant, role_id=AUDITOR)
    # A neighbour, and a caller who could reach the hidden client from another context.
    for service in (neighbour, root):
        with service(tenant_id=tenant):
            clients = service.clients
            for call in (
                clients.query.client,
                clients.mutation.rotate_client_secret,
                clients.mutation.force_rotate_client_secret,
                clients.mutation.delete_client,
                lambda asked: clients.mutation.append_client_roles(asked, [role]),
                lambda asked: clients.mutation.remove_client_roles(asked, [ANALYST]),
            ):
                unknown = refusal(call, str(uuid.uuid4()))
                assert [error["extensions"]["code"] for error in unknown] == ["NOT_FOUND"]
                assert refusal(call, hidden.id) == unknown
                assert refusal(call, hidden.client_id) == unknown
            assert "hidden" not in names(clients.query.clients())
    sdk(hidden)


# ---------------------------------------------------------------- roles below a tenant


def test_role_holds_below_its_tenant_and_not_above(sdk, new_client, new_tenant):
    partner = new_tenant(partner=True)
    below = new_tenant(parent=partner)
    partners = sdk(new_client(partner, roles=[ADMINISTRATOR]))
    with partners(tenant_id=below):
        made = Credentials.of(partners.clients.mutation.create_client(name="app", roles=[ADMINISTRATOR]))
    assert made.tenant_id == below
    service = sdk(made)
    service.clients.query.clients()
    with service(tenant_id=partner), refused("FORBIDDEN"):
        service.clients.query.clients()


# ---------------------------------------------------------------- tenants as data


@tenant_warnings
def test_tenants_are_paged_without_loss(root, new_tenant):
    wanted = {name: new_tenant(name=f"{name} {uuid.uuid4()}") for name in ("a", "b", "c", "d", "e")}
    found, cursor = [], None
    for _ in range(len(wanted)):
        page = root.tenants4.query.tenants(
            TenantsQuery(
                ids=list(wanted.values()),
                count=2,
                after_cursor=cursor,
                order_by=TenantResultOrder.NAME,
                order_dir=OrderDir.DESC,
            )
        )
        assert page.count == len(page.tenants)
        assert page.total_count == 5
        found += [tenant.id_ for tenant in page.tenants]
        cursor = page.cursor_pos
        if not page.has_more:
            break
    assert found == list(wanted.values())[::-1]


@tenant_warnings
def test_tenants_are_those_that_the_caller_may_enter(sdk, new_client, new_tenant):
    partner = new_tenant(partner=True)
    below, beside = new_tenant(parent=partner), new_tenant()
    service = sdk(new_client(partner, roles=[ADMINISTRATOR]))

    def seen(**query):
        return {tenant.id_: tenant for tenant in service.tenants4.query.tenants(TenantsQuery(**query)).tenants}

    assert seen().keys() == {partner, below}
    assert seen(ids=[below, beside]).keys() == {below}
    assert seen()[below].parent_tenant_id == partner


@tenant_warnings
def test_tenants_are_found_by_name(root, new_tenant):
    name = f"named {uuid.uuid4()}"
    tenant = new_tenant(name=name)
    (found,) = root.tenants4.query.tenants(TenantsQuery(names=[name])).tenants
    assert (found.id_, found.name, found.enabled) == (tenant, name, True)


@tenant_warnings
def test_foreign_tenant_is_like_an_unknown_one(administrator, tenant, new_tenant):
    mine = administrator.tenants4.query.tenant(tenant)
    assert (mine.id_, mine.enabled, mine.is_partner) == (tenant, True, False)
    assert mine.created_at and mine.updated_at
    unknown = refusal(administrator.tenants4.query.tenant, str(uuid.uuid4()))
    assert [error["extensions"]["code"] for error in unknown] == ["NOT_FOUND"]
    assert refusal(administrator.tenants4.query.tenant, new_tenant()) == unknown


@pytest.mark.warns(
    "Output field `roleAssignmentData` is deprecated: 'Use permission-based authorization checks instead of role "
    "assignments', removing from default output...",
    # The kinds of subject that the gateway does not know.
    *not_found(["TDRUser", "CentralUser", "CentralClient", "SSAv2"]),
)
@pytest.mark.parametrize("role", [ADMINISTRATOR, AUDITOR])
def test_subject_is_the_calling_client(role, sdk, new_client, tenant):
    client = new_client(tenant, roles=[role], name="who am I")
    subject = sdk(client).subjects.query.current_subject()
    assert isinstance(subject.identity, SubjectClient)
    assert subject.identity.id_ == client.id
    assert "who am I" in (subject.name, subject.display_name)
