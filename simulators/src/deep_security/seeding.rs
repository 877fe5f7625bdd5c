//! The content of a manager at the start.

use serde::Serialize;
use serde_json::json;

use super::builtin_roles::FULL_ACCESS;
use super::config::{Config, TenantSeed};
use super::manager::{Administrator, Manager};
use super::object::{Object, object, text};
use super::schemas::API_KEY;

const LINUX: &str = "Ubuntu Linux 22 (64 bit) (5.15.0-91-generic)";

/// The names of the first policies of every tenant; the others are `Policy 4` and so on.
const POLICIES: [&str; 3] = ["Base Policy", "Windows Server", "Linux Server"];

/// A tenant that existed at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeededTenant {
    /// Its `tenantID`.
    #[serde(rename = "ID")]
    pub id: i32,
    /// Its GUID.
    pub guid: String,
    /// Its name.
    pub name: String,
    /// The secret of a key with full access, which never expires.
    pub secret_key: String,
}

/// A manager with the tenants of `config`, and the ids, GUIDs and keys that tests need: the primary
/// tenant first, then its customers in order.
pub(crate) fn seed(config: &Config) -> (Manager, Vec<SeededTenant>) {
    let mut manager = Manager::empty(config);
    let first = manager.primary();
    for (id, seed) in (first..).zip(std::iter::once(&config.primary).chain(&config.tenants)) {
        manager.last_tenant = id;
        seed_tenant(&mut manager, id, seed);
    }
    let tenants = manager.tenants.keys().map(|&id| seeded(&manager, id)).collect();
    (manager, tenants)
}

fn seeded(manager: &Manager, id: i32) -> SeededTenant {
    let tenant = &manager.tenants[&id];
    let mut secrets = manager.secrets.iter();
    let secret = secrets.find(|(_, key)| key.tenant == id).map(|(secret, _)| secret.clone());
    SeededTenant {
        id,
        guid: tenant.guid.clone(),
        name: text(&tenant.object, "name").unwrap_or_default().to_owned(),
        secret_key: secret.unwrap_or_default(),
    }
}

fn seed_tenant(manager: &mut Manager, id: i32, seed: &TenantSeed) {
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
    let tenant = manager.tenants.get_mut(&id).expect("it was just created");
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

/// Adds the key of [`SeededTenant::secret_key`].
fn seed_key(manager: &mut Manager, tenant: i32) {
    let body = json!({
        "keyName": "Seed",
        "description": "",
        "locale": "en-US",
        "timeZone": "UTC",
        "roleID": FULL_ACCESS,
    });
    let mut key = Object::default();
    API_KEY.write(&mut key, &object(body), true).expect("a valid key");
    key.insert("serviceAccount".to_owned(), json!(false));
    let now = manager.clock.now();
    manager.new_key(tenant, key, now);
}

/// The first policy is the parent of all others. Its intrusion prevention differs between tenants,
/// so that tests notice mixed-up tenants.
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

/// Every tenth computer has no agent, every third is a cloud instance. The host name contains the
/// tenant.
fn computer(number: usize, guid: &str, now: i64, seed: &TenantSeed) -> Object {
    let domain = seed.name.to_lowercase().replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
    let address = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    let has_agent = !number.is_multiple_of(10);
    let mut computer = json!({
        "hostName": format!("host-{number}.{domain}.example"),
        "displayName": "",
        "description": "",
        "lastIPUsed": if has_agent { address.as_str() } else { "" },
        "platform": if has_agent { LINUX } else { "Unknown" },
        "groupID": 0,
        "relayListID": 0,
        "hostGUID": guid,
        "agentVersion": "0.0.0.0",
    });
    if seed.policies > 0 {
        computer["policyID"] = json!(1 + (number - 1) % seed.policies);
    }
    if has_agent {
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
