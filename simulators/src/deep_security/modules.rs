//! The nine security modules of computers and policies (reference, section 8).

use serde_json::{Value, json};

use super::object::{Object, text};
use super::refusal::Refusal;

pub(crate) const SWITCHED: &[&str] = &["on", "off"];
pub(crate) const DETECTING: &[&str] = &["prevent", "detect", "off"];
pub(crate) const MONITORING: &[&str] = &["real-time", "on", "off"];

/// Their keys, which are also options of `expand`.
pub(crate) const MODULES: [&str; 9] = [
    "antiMalware",
    "webReputation",
    "activityMonitoring",
    "firewall",
    "intrusionPrevention",
    "integrityMonitoring",
    "logInspection",
    "applicationControl",
    "SAP",
];

/// Writes what a body sets of a module; `inherited` takes back the state that was set here.
pub(crate) fn write(
    object: &mut Object,
    name: &str,
    states: &[&str],
    body: &Object,
) -> Result<(), Refusal> {
    let mut own = object.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in body {
        match (key.as_str(), value.as_str()) {
            ("state", Some("inherited")) => drop(own.remove("state")),
            ("state", Some(state)) if states.contains(&state) => {
                drop(own.insert(key.clone(), value.clone()))
            }
            ("state", _) => return Err(Refusal::bad(format!("The state of {name} is not valid."))),
            ("moduleStatus" | "applicationTypeIDs", _) => {}
            _ if value.is_null() => {}
            _ => drop(own.insert(key.clone(), value.clone())),
        }
    }
    if own.is_empty() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), own.into());
    }
    Ok(())
}

/// What a manager sets where no policy says otherwise.
pub(crate) fn defaults() -> Object {
    MODULES.iter().map(|&name| (name.to_owned(), json!({ "state": "off" }))).collect()
}

/// A module as a computer shows it.
pub(crate) fn on_computer(module: &Object, has_agent: bool) -> Value {
    let (status, message) = match (has_agent, off(module)) {
        (false, _) => ("inactive", "Not Activated"),
        (true, true) => ("inactive", "Off"),
        (true, false) => ("active", "On"),
    };
    with_status(module, json!({ "agentStatus": status, "agentStatusMessage": message }))
}

/// A module as a policy shows it.
pub(crate) fn on_policy(module: &Object) -> Value {
    let (status, message) = if off(module) { ("inactive", "Off") } else { ("active", "On") };
    with_status(module, json!({ "status": status, "statusMessage": message }))
}

fn off(module: &Object) -> bool {
    matches!(text(module, "state"), None | Some("off"))
}

fn with_status(module: &Object, status: Value) -> Value {
    let mut shown = module.clone();
    shown.insert("moduleStatus".to_owned(), status);
    shown.into()
}
