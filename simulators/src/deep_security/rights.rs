//! The tree of rights of a role (reference, section 8).

use serde_json::{Value, json};

use super::object::Object;
use super::refusal::Refusal;

const NAMES: &str = include_str!("rights.txt");

/// The area, the group and the name of every right.
fn known() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let groups = NAMES.lines().filter_map(|line| line.split_once(": "));
    groups.flat_map(|(group, names)| {
        let (area, group) = group.split_once('/').unwrap_or((group, ""));
        names.split(' ').map(move |name| (area, group, name))
    })
}

/// The whole tree, with the rights for which `held` is true.
pub(crate) fn tree(held: impl Fn(&str) -> bool) -> Value {
    let mut tree = json!({});
    for (area, group, name) in known() {
        tree[area][group][name] = held(name).into();
    }
    tree
}

/// `before`, changed by `body`; unknown rights are ignored.
pub(crate) fn written(before: &Value, body: &Value) -> Result<Value, Refusal> {
    let mut tree = before.clone();
    for (area, group, name) in known() {
        match &body[area][group][name] {
            Value::Null => {}
            Value::Bool(right) => tree[area][group][name] = (*right).into(),
            _ => return Err(Refusal::bad(format!("The right {name} is not a boolean."))),
        }
    }
    Ok(tree)
}

/// Whether a role has that right of `platformRights`, such as `apikeyRights/canViewApiKeys`.
pub(crate) fn has(role: &Object, right: &str) -> bool {
    let pointer = format!("/platformRights/{right}");
    role.get("rights")
        .and_then(|rights| rights.pointer(&pointer))
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// Whether `holder` has every right of `tree`.
pub(crate) fn covers(holder: &Value, tree: &Value) -> bool {
    known().all(|(area, group, name)| {
        tree[area][group][name] != true || holder[area][group][name] == true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_with_fewer_rights_is_covered() {
        let viewer = tree(|name| name.starts_with("canView"));
        let body =
            json!({"platformRights": {"computerRights": {"canEditComputerProperties": true}}});
        let editor = written(&viewer, &body).unwrap();
        assert!(covers(&editor, &viewer));
        assert!(!covers(&viewer, &editor));
        assert!(covers(&tree(|_| true), &editor));
    }
}
