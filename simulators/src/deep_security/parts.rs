//! The parts of a computer that the manager derives from its agent (reference, section 8).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::object::{Object, number};

/// A part other than modules and settings; `None` if the computer has none.
pub(crate) fn of<'a>(computer: &'a Object, part: &str) -> Option<Cow<'a, Value>> {
    let has_agent = computer.contains_key("agentFingerPrint");
    let derived = match part {
        "computerStatus" => status(has_agent),
        "tasks" => json!({ "agentTasks": [], "applianceTasks": [] }),
        "securityUpdates" => security_updates(computer, has_agent),
        "interfaces" => interfaces(computer, has_agent),
        stored => return computer.get(stored).map(Cow::Borrowed),
    };
    Some(Cow::Owned(derived))
}

fn status(has_agent: bool) -> Value {
    let (status, message) = if has_agent {
        ("active", "Managed (Online)")
    } else {
        ("inactive", "Unmanaged (Unknown)")
    };
    json!({ "agentStatus": status, "agentStatusMessages": [message] })
}

fn security_updates(computer: &Object, has_agent: bool) -> Value {
    if !has_agent {
        let status = json!({ "status": "inactive", "statusMessage": "No Components" });
        return json!({ "updateStatus": status });
    }
    let component = |name: &str, version: &str| {
        json!({
            "name": name,
            "forUseBy": "Agent",
            "platform": "All",
            "version": version,
            "latest": true,
        })
    };
    json!({
        "updateStatus": { "status": "active", "statusMessage": "Up-To-Date" },
        "lastChanged": number(computer, "lastAgentCommunication"),
        "rules": [component("Security Update Rules", "23-001.dsru")],
        "antiMalware": [
            component("Virus Scan Engine", "22.610.1014"),
            component("Smart Scan Agent Pattern", "18.101.00"),
            component("Spyware Active-monitoring Pattern", "2.557.00"),
        ],
        "webReputationService": [],
        "manifests": [],
        "other": [],
    })
}

fn interfaces(computer: &Object, has_agent: bool) -> Value {
    let card = |id: i64| {
        json!({
            "ID": id,
            "interfaceTypeID": 0,
            "name": format!("eth{}", id - 1),
            "displayName": "",
            "detected": true,
            "MAC": format!("02:00:00:00:00:{id:02X}"),
            "DHCP": false,
            "IPs": [computer.get("lastIPUsed")],
        })
    };
    let cards: Vec<Value> = if has_agent { vec![card(1), card(2)] } else { Vec::new() };
    json!({ "interfaces": cards })
}
