//! The nine security modules of computers and policies (reference, section 8).

use serde_json::{Value, json};

use super::object::{Object, text};
use super::refusal::Refusal;

pub(crate) const SWITCHED: &[&str] = &["on", "off"];
pub(crate) const DETECTING: &[&str] = &["prevent", "detect", "off"];
pub(crate) const MONITORING: &[&str] = &["real-time", "on", "off"];

/// The keys of the modules, which are also options of `expand`.
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

/// Writes a body's members of a module; the state `inherited` removes the object's own state.
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
                drop(own.insert(key.clone(), value.clone()));
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

/// The manager's defaults.
pub(crate) fn defaults() -> Object {
    MODULES.iter().map(|&name| (name.to_owned(), json!({ "state": "off" }))).collect()
}

/// A module of a computer, with its status.
pub(crate) fn on_computer(module: &Object, has_agent: bool) -> Value {
    let (status, message) = match (has_agent, off(module)) {
        (false, _) => ("inactive", "Not Activated"),
        (true, true) => ("inactive", "Off"),
        (true, false) => ("active", "On"),
    };
    with_status(module, json!({ "agentStatus": status, "agentStatusMessage": message }))
}

/// A module of a policy, with its status.
pub(crate) fn on_policy(module: &Object) -> Value {
    let (status, message) = if off(module) { ("inactive", "Off") } else { ("active", "On") };
    with_status(module, json!({ "status": status, "statusMessage": message }))
}

fn off(module: &Object) -> bool {
    matches!(text(module, "state"), None | Some("off"))
}

fn with_status(module: &Object, status: Value) -> Value {
    let mut with_status = module.clone();
    with_status.insert("moduleStatus".to_owned(), status);
    with_status.into()
}
