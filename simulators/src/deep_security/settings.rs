//! The 219 settings of computers and policies (reference, section 8), with the vendor's names and
//! invented defaults.

use serde_json::{Value, json};

use super::object::Object;
use super::refusal::Refusal;

/// The internal key of an object's own settings, in the API `computerSettings` and
/// `policySettings`.
pub(crate) const OWN: &str = "settings";

const NAMES: &str = include_str!("settings.txt");

fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.lines().filter_map(|line| line.split_once('='))
}

/// The manager's default of every setting.
pub(crate) fn defaults() -> Object {
    known().map(|(name, value)| (name.to_owned(), json!({ "value": value }))).collect()
}

/// 404 for an unknown setting.
pub(crate) fn check(name: &str) -> Result<(), Refusal> {
    known().any(|(known, _)| known == name).then_some(()).ok_or_else(Refusal::not_found)
}

/// Writes the known settings of a body.
pub(crate) fn write(object: &mut Object, body: &Object) -> Result<(), Refusal> {
    for (name, setting) in
        body.iter().filter(|(name, setting)| check(name).is_ok() && !setting.is_null())
    {
        write_one(object, name, setting.get("value"))?;
    }
    Ok(())
}

/// Sets one setting of an object.
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

/// Resets a setting to the inherited value.
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
    fn every_setting_of_the_vendor_is_known() {
        assert_eq!(super::defaults().len(), 219);
    }
}
