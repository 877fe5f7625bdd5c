"""The steps of the vendor's page on tenants, for two customers whose objects have the same ids."""

import deepsecurity as api
import pytest
from deepsecurity.rest import ApiException

from conftest import VERSION, client

SIX_HOURS = 6 * 60 * 60 * 1000
FULL_ACCESS, AUDITOR = 1, 2


def tenant_key(configuration, tenant_id, role_id=FULL_ACCESS):
    """Makes a key as the page does: only for a tenant that is active."""
    tenants = api.TenantsApi(api.ApiClient(configuration))
    if tenants.describe_tenant(tenant_id, VERSION).tenant_state != "active":
        return None
    key = api.ApiKey()
    key.key_name = "Temporary API Key"
    key.role_id = role_id
    key.locale = "en-US"
    key.time_zone = "Asia/Tokyo"
    return tenants.generate_tenant_api_secret_key(tenant_id, key, VERSION)


@pytest.fixture
def customers(simulator, configuration):
    """A client for each of the first two customers."""
    ids = [customer["ID"] for customer in simulator.customers[:2]]
    return [client(simulator, tenant_key(configuration, tenant).secret_key) for tenant in ids]


def test_a_tenant_key_ends_after_six_hours(simulator, configuration):
    key = tenant_key(configuration, 2, AUDITOR)
    assert key.service_account is True and key.expiry_date == key.created + SIX_HOURS
    tenant = client(simulator, key.secret_key)
    current = api.APIKeysApi(tenant).describe_current_api_key(VERSION)
    assert (current.tenant_id, current.tenant_guid) == (2, simulator.customers[1]["guid"])
    assert key.id in [found.id for found in api.APIKeysApi(tenant).list_api_keys(VERSION).api_keys]
    simulator.advance(SIX_HOURS)
    with pytest.raises(ApiException) as expired:
        api.ComputersApi(tenant).list_computers(VERSION, expand=["none"])
    assert expired.value.status == 401


def test_a_suspended_tenant_gets_no_key(configuration):
    tenants = api.TenantsApi(api.ApiClient(configuration))
    tenants.modify_tenant(3, api.Tenant(tenant_state="suspended"), VERSION)
    assert tenant_key(configuration, 3) is None
    with pytest.raises(ApiException) as refused:
        tenants.generate_tenant_api_secret_key(3, api.ApiKey(key_name="k"), VERSION)
    assert refused.value.status == 403


def test_tenants_are_made_found_and_deleted(configuration):
    tenants = api.TenantsApi(api.ApiClient(configuration))
    administrator = api.Administrator(username="TA", password="p", role_id=1, email_address="a@example.com")
    administrator.receive_notifications = "false"
    new = api.Tenant(name="acme", locale="en-US", modules_visible=["anti-malware"], administrator=administrator)
    made = tenants.create_tenant(new, VERSION, confirmation_required=False)
    assert (made.tenant_state, made.modules_visible) == ("active", ["anti-malware"])
    assert [tenant.id for tenant in tenants.list_tenants(VERSION).tenants] == [1, 2, 3, made.id]
    criterion = api.SearchCriteria(field_name="name", string_test="equal", string_value="acme")
    found = tenants.search_tenants(VERSION, search_filter=api.SearchFilter(search_criteria=[criterion]))
    assert [tenant.id for tenant in found.tenants] == [made.id]
    tenants.delete_tenant(made.id, VERSION)
    with pytest.raises(ApiException) as gone:
        tenants.describe_tenant(made.id, VERSION)
    assert gone.value.status == 404


def intrusion_prevention_states(tenant):
    expand = api.Expand(api.Expand.intrusion_prevention)
    computers = api.ComputersApi(tenant).list_computers(VERSION, expand=expand.list(), overrides=False)
    return {computer.host_name: computer.intrusion_prevention.state for computer in computers.computers}


def test_the_state_of_every_computer_of_each_customer(customers):
    contoso, fabrikam = map(intrusion_prevention_states, customers)
    assert contoso == {f"host-{number}.contoso-retail.example": "detect" for number in range(1, 26)}
    assert fabrikam == {f"host-{number}.fabrikam-energy.example": "prevent" for number in range(1, 26)}


def paged(tenant, items):
    """The vendor's paging, with the order that it needs."""
    computers_api = api.ComputersApi(tenant)
    criterion = api.SearchCriteria(id_value=0, id_test="greater-than")
    search = api.SearchFilter(max_items=items, search_criteria=[criterion], sort_by_object_id=True)
    expand = api.Expand(api.Expand.intrusion_prevention).list()
    while True:
        page = computers_api.search_computers(VERSION, search_filter=search, expand=expand, overrides=False).computers
        yield from page
        if not page:
            return
        criterion.id_value = page[-1].id


def test_the_pages_of_a_search_hold_every_computer_once(customers):
    for tenant in customers:
        states = intrusion_prevention_states(tenant)
        found = [(computer.host_name, computer.intrusion_prevention.state) for computer in paged(tenant, 7)]
        assert found == list(states.items())


def test_a_policy_made_in_one_customer_is_not_in_the_other(customers):
    contoso, fabrikam = map(api.PoliciesApi, customers)
    modules = {"intrusion_prevention": api.IntrusionPreventionPolicyExtension(state="prevent", rule_ids=[1, 2])}
    policy = api.Policy(parent_id=1, name="P", description="d", auto_requires_update="on", **modules)
    made = contoso.create_policy(policy, VERSION, overrides=False)
    assert (made.id, made.parent_id, made.intrusion_prevention.rule_ids) == (4, 1, [1, 2])
    assert made.anti_malware.state == "on"
    with pytest.raises(ApiException) as unknown:
        fabrikam.describe_policy(made.id, VERSION, overrides=False)
    assert unknown.value.status == 404
    own = fabrikam.create_policy(api.Policy(name="Q"), VERSION, overrides=False)
    assert own.id == made.id
    assert contoso.describe_policy(made.id, VERSION, overrides=False).name == "P"
    assert contoso.modify_policy(made.id, api.Policy(name="R"), VERSION).name == "R"
    assert fabrikam.describe_policy(own.id, VERSION).name == "Q"
    contoso.delete_policy(made.id, VERSION)
    assert [policy.id for policy in fabrikam.list_policies(VERSION).policies] == [1, 2, 3, 4]


def test_a_computer_is_made_changed_and_deleted_in_its_customer_alone(customers):
    contoso, fabrikam = map(api.ComputersApi, customers)
    made = contoso.create_computer(api.Computer(host_name="h"), VERSION, expand=["none"])
    assert (made.id, made.platform, made.policy_id) == (26, "Unknown", None)
    changed = contoso.modify_computer(1, api.Computer(policy_id=3), VERSION, expand=["none"], overrides=False)
    assert (changed.policy_id, fabrikam.describe_computer(1, VERSION, expand=["none"]).policy_id) == (3, 1)
    contoso.delete_computer(1, VERSION)
    assert fabrikam.describe_computer(1, VERSION, expand=["none"]).id == 1
    with pytest.raises(ApiException) as gone:
        contoso.describe_computer(1, VERSION)
    assert gone.value.status == 404


def test_everything_of_a_computer_and_a_policy_can_be_read(customers):
    """The SDK checks every enum while it reads."""
    for tenant in customers:
        computers = api.ComputersApi(tenant).list_computers(VERSION).computers
        assert len(computers[0].computer_settings.to_dict()) == 219
        assert computers[0].interfaces.interfaces[0].ips == [computers[0].last_ip_used]
        assert computers[2].ec2_virtual_machine_summary.account_id == "123456789012"
        assert computers[9].computer_status.agent_status == "inactive"
        policies = api.PoliciesApi(tenant).list_policies(VERSION).policies
        assert policies[1].intrusion_prevention.module_status.status == "active"


def test_overrides_and_single_settings(customers):
    computers = api.ComputersApi(customers[0])
    name = "firewallSettingEngineOptionConnectionsCleanupMax"
    assert computers.describe_computer(1, VERSION, overrides=True).id is None
    assert computers.describe_computer_setting(1, name, VERSION, overrides=False).value == "1000"
    computers.modify_computer_setting(1, name, api.SettingValue(value="77"), VERSION, overrides=False)
    override = computers.describe_computer(1, VERSION, overrides=True)
    assert override.id == 1 and override.host_name is None
    assert override.computer_settings.firewall_setting_engine_option_connections_cleanup_max.value == "77"
    assert computers.reset_computer_setting(1, name, VERSION, overrides=False).value == "1000"
