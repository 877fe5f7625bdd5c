//! The members of objects: their types, which are writable, and how written values are parsed.

use serde_json::Value;

use super::modules;
use super::object::Object;
use super::refusal::Refusal;
use super::settings;

/// The type of a member.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Number,
    /// An id; 0 means none (reference, section 2).
    Reference,
    Flag,
    Choice(&'static [&'static str]),
    Date,
    Version,
    Texts,
    Numbers,
    /// An object that is stored unchanged.
    Tree,
    /// A security module with its valid states.
    Module(&'static [&'static str]),
    Settings,
}

/// One member of an object.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    writable: bool,
    pub searchable: bool,
}

impl Field {
    /// A member that is writable and searchable.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, writable: true, searchable: true }
    }

    pub const fn read_only(self) -> Self {
        Self { writable: false, ..self }
    }

    pub const fn not_searchable(self) -> Self {
        Self { searchable: false, ..self }
    }
}

/// The members of one kind of object, apart from `ID` (reference, section 8).
pub(crate) struct Schema {
    /// The key of a list answer that holds the objects.
    pub member: &'static str,
    /// The member that searches are sorted by, unless by ID.
    pub name: &'static str,
    pub fields: &'static [Field],
}

impl Schema {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Writes a body's members into `object`. Members that are absent, null or read-only change
    /// nothing.
    pub fn write(&self, object: &mut Object, body: &Object, strict: bool) -> Result<(), Refusal> {
        for (name, value) in body {
            match self.field(name) {
                Some(field) if field.writable && !value.is_null() => write(object, field, value)?,
                None if strict && name != "ID" => {
                    return Err(Refusal::bad(format!("Unknown member {name}.")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn write(object: &mut Object, field: &Field, value: &Value) -> Result<(), Refusal> {
    let wrong = || Refusal::bad(format!("The value of {} is not valid.", field.name));
    match field.kind {
        Kind::Module(states) => {
            modules::write(object, field.name, states, value.as_object().ok_or_else(wrong)?)
        }
        Kind::Settings => settings::write(object, value.as_object().ok_or_else(wrong)?),
        kind => {
            let value = read(kind, value).ok_or_else(wrong)?;
            if matches!(kind, Kind::Reference) && value == 0 {
                object.remove(field.name);
            } else {
                object.insert(field.name.to_owned(), value);
            }
            Ok(())
        }
    }
}

/// The value in the member's type. The vendor's samples write numbers and booleans as text.
fn read(kind: Kind, value: &Value) -> Option<Value> {
    match kind {
        Kind::Text | Kind::Version => value.is_string().then(|| value.clone()),
        Kind::Number | Kind::Reference | Kind::Date => match value {
            Value::String(text) => text.parse::<i64>().ok().map(Value::from),
            _ => value.as_i64().map(Value::from),
        },
        Kind::Flag => match value {
            Value::String(text) => boolean(text).map(Value::from),
            _ => value.as_bool().map(Value::from),
        },
        Kind::Choice(choices) => choices.contains(&value.as_str()?).then(|| value.clone()),
        Kind::Texts => value.as_array()?.iter().all(Value::is_string).then(|| value.clone()),
        Kind::Numbers => value.as_array()?.iter().all(Value::is_i64).then(|| value.clone()),
        Kind::Tree | Kind::Module(_) | Kind::Settings => value.is_object().then(|| value.clone()),
    }
}

/// A boolean in any case: the SDK sends `True` (reference, section 2).
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schemas::{API_KEY, COMPUTER};
    use super::*;

    fn written(schema: &Schema, before: Value, body: Value) -> Result<Value, Refusal> {
        let mut object = before.as_object().unwrap().clone();
        schema.write(&mut object, body.as_object().unwrap(), false).map(|()| Value::Object(object))
    }

    #[test]
    fn numbers_and_booleans_are_accepted_as_text() {
        let body = json!({"roleID": "2", "active": "false"});
        assert_eq!(
            written(&API_KEY, json!({}), body).unwrap(),
            json!({"roleID": 2, "active": false})
        );
        assert_eq!(written(&API_KEY, json!({}), json!({"roleID": "two"})).unwrap_err().status, 400);
    }

    #[test]
    fn read_only_unknown_and_null_members_change_nothing() {
        let body = json!({"serviceAccount": true, "ID": 7, "nonsense": 1, "keyName": null});
        assert_eq!(
            written(&API_KEY, json!({"keyName": "n"}), body).unwrap(),
            json!({"keyName": "n"})
        );
    }

    #[test]
    fn zero_removes_a_reference_but_is_a_valid_group() {
        let body = json!({"policyID": 0, "groupID": 0});
        assert_eq!(
            written(&COMPUTER, json!({"policyID": 4}), body).unwrap(),
            json!({"groupID": 0})
        );
    }

    #[test]
    fn state_of_another_module_is_refused() {
        assert!(
            written(&COMPUTER, json!({}), json!({"intrusionPrevention": {"state": "on"}})).is_err()
        );
        assert!(written(&COMPUTER, json!({}), json!({"firewall": {"state": "on"}})).is_ok());
    }
}
