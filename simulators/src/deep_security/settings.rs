//! The 219 settings of computers and policies (reference, section 8). Their names are the vendor's,
//! their defaults made up.

use serde_json::{Value, json};

use super::object::Object;
use super::refusal::Refusal;

/// The member under which objects keep their own settings; callers know it as `computerSettings`
/// and `policySettings`.
pub(crate) const OWN: &str = "settings";

const NAMES: &str = include_str!("settings.txt");

fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.lines().filter_map(|line| line.split_once('='))
}

/// Every setting with the manager's default.
pub(crate) fn defaults() -> Object {
    known().map(|(name, value)| (name.to_owned(), json!({ "value": value }))).collect()
}

/// 404 unless there is such a setting.
pub(crate) fn check(name: &str) -> Result<(), Refusal> {
    known().any(|(known, _)| known == name).then_some(()).ok_or_else(Refusal::not_found)
}

/// Writes those settings of a body that exist.
pub(crate) fn write(object: &mut Object, body: &Object) -> Result<(), Refusal> {
    for (name, setting) in
        body.iter().filter(|(name, setting)| check(name).is_ok() && !setting.is_null())
    {
        write_one(object, name, setting.get("value"))?;
    }
    Ok(())
}

/// Sets a setting on this object itself.
pub(crate) fn write_one(
    object: &mut Object,
    name: &str,
    value: Option<&Value>,
) -> Result<(), Refusal> {
    let value = value
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::bad(format!("{name} needs a value as text.")))?;
    let own = object.entry(OWN).or_insert_with(|| json!({}));
    own[name] = json!({ "value": value });
    Ok(())
}

/// Back to what is inherited.
pub(crate) fn reset(object: &mut Object, name: &str) {
    let Some(own) = object.get_mut(OWN).and_then(Value::as_object_mut) else { return };
    own.remove(name);
    if own.is_empty() {
        object.remove(OWN);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_are_as_many_as_the_vendor_has() {
        assert_eq!(super::defaults().len(), 219);
    }
}
