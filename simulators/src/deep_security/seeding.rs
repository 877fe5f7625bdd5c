//! What is in a manager at the start.

use serde_json::json;

use super::config::{Config, TenantSeed};
use super::manager::{Administrator, Manager};
use super::object::{Collection, Object, object};
use super::rights;
use super::schemas::API_KEY;

/// Full access; the auditor follows it.
pub(crate) const FULL_ACCESS: i32 = 1;

/// The first policies of every tenant, then `Policy 4` and so on.
const POLICIES: [&str; 3] = ["Base Policy", "Windows Server", "Linux Server"];

/// The roles that a fresh tenant has: 1 with full access, 2 the read-only Auditor (reference,
/// section 7).
pub(crate) fn roles() -> Collection {
    let role = |name: &str, description: &str, held: fn(&str) -> bool| {
        object(json!({
            "name": name,
            "description": description,
            "urn": format!("urn:tmds:identity:us-east-ds-1::role/{name}"),
            "immutable": true,
            "canOnlyManipulateUsersWithEqualOrLesserRights": false,
            "allComputers": true,
            "allPolicies": true,
            "allowUserInterface": true,
            "allowWebService": true,
            "rights": rights::tree(held),
        }))
    };
    let mut roles = Collection::default();
    roles.add(role("Full Access", "Full access to everything", |_| true));
    roles.add(role("Auditor", "Read-only access to everything", |right| {
        right.starts_with("canView")
    }));
    roles
}

/// Puts the configured tenants into an empty manager.
pub(crate) fn fill(manager: &mut Manager, config: &Config) {
    let first = manager.primary();
    for (id, seed) in (first..).zip(std::iter::once(&config.primary).chain(&config.tenants)) {
        manager.last_tenant = id;
        plant(manager, id, seed);
    }
}

fn plant(manager: &mut Manager, id: i32, seed: &TenantSeed) {
    let shown = json!({
        "name": seed.name,
        "description": "",
        "locale": "en-US",
        "timeZone": "UTC",
        "demoMode": false,
        "hideUnlicensedModules": false,
        "modulesVisible": ["all"],
        "databaseServerID": 1,
        "tenantState": seed.state,
        "primaryContacts": [{ "ID": 1, "roleID": FULL_ACCESS, "username": seed.user_name }],
    });
    manager.new_tenant(id, object(shown));
    let password = manager.random.guid();
    let guids: Vec<String> = (0..seed.computers).map(|_| manager.random.guid()).collect();
    let now = manager.clock.now();
    let tenant = manager.tenants.get_mut(&id).expect("it was just made");
    tenant.object.insert("agentInitiatedActivationPassword".to_owned(), password.into());
    tenant.administrators.push(Administrator {
        user_name: seed.user_name.clone(),
        password: seed.password.clone(),
        mfa_code: seed.mfa_code.clone(),
        role: FULL_ACCESS,
    });
    for number in 1..=seed.policies {
        tenant.policies.add(policy(number, id, seed));
    }
    for (number, guid) in (1..).zip(&guids) {
        tenant.computers.add(computer(number, guid, now, seed));
    }
    seed_key(manager, id);
}

/// The key that tests and people start with.
fn seed_key(manager: &mut Manager, tenant: i32) {
    let body = json!({ "keyName": "Seed", "description": "", "locale": "en-US", "timeZone": "UTC", "roleID": FULL_ACCESS });
    let mut key = Object::default();
    API_KEY.write(&mut key, &object(body), true).expect("a proper key");
    key.insert("serviceAccount".to_owned(), json!(false));
    manager.new_key(tenant, key);
}

/// The first policy is everyone's parent. Its intrusion prevention differs between tenants, so that
/// a mix-up shows.
fn policy(number: usize, tenant: i32, seed: &TenantSeed) -> Object {
    let rules: Vec<usize> = (1..=seed.rules).map(|rule| 10_000 + rule).collect();
    let name = POLICIES.get(number - 1).map_or(format!("Policy {number}"), ToString::to_string);
    let mut policy =
        json!({ "name": name, "description": format!("Policy {number} of {}", seed.name) });
    if number == 1 {
        let state = if tenant % 2 == 0 { "prevent" } else { "detect" };
        policy["intrusionPrevention"] = json!({ "state": state, "ruleIDs": rules });
        policy["antiMalware"] =
            json!({ "state": "on", "realTimeScanConfigurationID": 1, "realTimeScanScheduleID": 4 });
        policy["autoRequiresUpdate"] = json!("on");
    } else {
        policy["parentID"] = json!(1);
        policy["firewall"] =
            json!({ "state": if number.is_multiple_of(2) { "on" } else { "off" } });
    }
    object(policy)
}

/// Every tenth computer has no agent yet, every third is in a cloud; its name tells the tenant.
fn computer(number: usize, guid: &str, now: i64, seed: &TenantSeed) -> Object {
    let domain = seed.name.to_lowercase().replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
    let address = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    let mut computer = json!({
        "hostName": format!("host-{number}.{domain}.example"),
        "displayName": "",
        "description": "",
        "lastIPUsed": if number.is_multiple_of(10) { "" } else { &address },
        "platform": if number.is_multiple_of(10) { "Unknown" } else { "Ubuntu Linux 22 (64 bit) (5.15.0-91-generic)" },
        "groupID": 0,
        "relayListID": 0,
        "hostGUID": guid,
        "agentVersion": "0.0.0.0",
    });
    if seed.policies > 0 {
        computer["policyID"] = json!(1 + (number - 1) % seed.policies);
    }
    if !number.is_multiple_of(10) {
        computer["agentVersion"] = json!(format!("20.0.1.{}", 3000 + number % 7));
        computer["agentFingerPrint"] = json!(fingerprint(number));
        computer["lastAgentCommunication"] = json!(now - 60_000);
        computer["lastSendPolicyRequest"] = json!(now - 3_600_000);
        computer["lastSendPolicySuccess"] = json!(now - 3_590_000);
    }
    if number.is_multiple_of(3) {
        computer["ec2VirtualMachineSummary"] = json!({
            "cloudProvider": "Amazon",
            "accountID": "123456789012",
            "availabilityZone": "us-east-1a",
            "instanceID": format!("i-{number:017x}"),
            "operatingSystem": "Linux/UNIX",
            "privateIPAddress": address,
            "type": "t3.medium",
            "state": "POWER ON",
            "metadata": [{ "name": "Name", "value": format!("host-{number}") }],
        });
    }
    object(computer)
}

fn fingerprint(number: usize) -> String {
    let pairs: Vec<String> =
        (0..20).map(|place| format!("{:02X}", (number * 31 + place * 7) & 255)).collect();
    pairs.join(":")
}
