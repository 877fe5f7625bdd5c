//! The form in which a record is exported, and its hash: SHA-256 over the canonical JSON (RFC 8785)
//! of the exported object without its own hash.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::entity::Model;

/// The largest number that every reader of JSON takes exactly (RFC 7493, section 2.2).
const EXACT_MAX: u64 = (1 << 53) - 1;

/// A record with the names that it has in the graph. A column that is no JSON is null.
pub fn exported(record: &Model) -> Value {
    let json = |text: &String| serde_json::from_str(text).unwrap_or(Value::Null);
    json!({
        "id": record.id,
        "at": record.at.to_string(),
        "actor": record.actor,
        "actingTenantID": record.acting_tenant_id,
        "tenantID": record.tenant_id,
        "operation": record.operation,
        "subject": record.subject,
        "outcome": record.outcome,
        "code": record.code,
        "reason": record.reason,
        "count": record.count,
        "requestID": record.request_id,
        "callerRequestID": record.caller_request_id,
        "upstreamRequestIDs": record.upstream_request_ids.as_ref().map_or_else(|| json!([]), json),
        "before": record.before.as_ref().map(json),
        "after": record.after.as_ref().map(json),
        "position": record.position,
        "previousHash": record.previous_hash,
        "hash": record.hash,
    })
}

/// The hash of a record in a chain, which depends on everything but the hash in the record. `None`
/// if the record holds text that the gateway does not write, such as JSON that two readers may
/// understand in two ways.
pub fn hash_of(record: &Model) -> Option<String> {
    let mut object = exported(record);
    let is_own = is_stored_as(record.upstream_request_ids.as_ref(), &object["upstreamRequestIDs"])
        && is_stored_as(record.before.as_ref(), &object["before"])
        && is_stored_as(record.after.as_ref(), &object["after"]);
    if !is_own {
        return None;
    }
    object.as_object_mut()?.remove("hash");
    let mut canonical = String::new();
    write(&object, &mut canonical)?;
    let hash = digest(&SHA256, canonical.as_bytes());
    Some(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the text of a column, if there is one, is that in which [`stored`] writes its value.
fn is_stored_as(text: Option<&String>, value: &Value) -> bool {
    let Some(text) = text else { return true };
    let written = value.to_string();
    *text == written
}

/// The text in which the gateway stores a JSON value: numbers that not every reader takes exactly
/// become text (RFC 8785, appendix D).
pub fn stored(mut value: Value) -> String {
    make_exact(&mut value);
    value.to_string()
}

fn make_exact(value: &mut Value) {
    match value {
        Value::Number(number) if !is_exact(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(make_exact),
        Value::Object(members) => members.values_mut().for_each(make_exact),
        _ => {}
    }
}

fn is_exact(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|number| number.unsigned_abs() <= EXACT_MAX)
}

/// Writes canonical JSON (RFC 8785). Our own, because the crates for it turn on
/// `serde_json/float_roundtrip`, which slows the parsing of fractions in the whole program. Audit
/// records have no fractions, and `serde_json` writes strings and whole numbers in canonical form
/// already: only the members of objects are left to be sorted.
fn write(value: &Value, into: &mut String) -> Option<()> {
    match value {
        Value::Number(number) if !is_exact(number) => return None,
        Value::Array(items) => {
            into.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, into);
                write(item, into)?;
            }
            into.push(']');
        }
        Value::Object(members) => write_object(members, into)?,
        simple => into.push_str(&simple.to_string()),
    }
    Some(())
}

/// RFC 8785, section 3.2.3: members are sorted by the UTF-16 code units of their names.
fn write_object(members: &Map<String, Value>, into: &mut String) -> Option<()> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    into.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        separate(index, into);
        into.push_str(&Value::from(name.as_str()).to_string());
        into.push(':');
        write(value, into)?;
    }
    into.push('}');
    Some(())
}

fn separate(index: usize, into: &mut String) {
    if index > 0 {
        into.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(value: &Value) -> Option<String> {
        let mut text = String::new();
        write(value, &mut text).map(|()| text)
    }

    /// The examples of RFC 8785, sections 3.2.2 and 3.2.3, without their fractions.
    #[test]
    fn members_are_sorted_by_utf_16_and_strings_escaped_as_rfc_8785_has_it() {
        let sorted = json!({
            "\u{20ac}": "Euro Sign",
            "\r": "Carriage Return",
            "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\u{1f600}": "Emoji: Grinning Face",
            "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let text = canonical(&sorted).unwrap();
        let values: Vec<_> = [
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ]
        .iter()
        .map(|value| text.find(value).unwrap())
        .collect();
        assert!(values.is_sorted(), "{text}");
        let string = json!({ "string": "\u{20ac}$\u{f}\nA'\u{42}\u{22}\u{5c}\\\"/", "a": [null, true, 0, -7] });
        let expected = r#"{"a":[null,true,0,-7],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(&string).unwrap(), expected);
    }

    #[test]
    fn numbers_that_readers_round_are_stored_as_text() {
        let value = json!({ "large": 9_007_199_254_740_993_i64, "part": [1.5], "exact": 7 });
        assert_eq!(canonical(&value), None);
        let stored = stored(value);
        assert_eq!(stored, r#"{"exact":7,"large":"9007199254740993","part":["1.5"]}"#);
        let is_own = |text: &str| {
            let value = serde_json::from_str(text).unwrap();
            is_stored_as(Some(&text.to_owned()), &value)
        };
        assert!(is_own(&stored));
        assert!(!is_own(r#"{"exact": 7}"#));
        assert!(!is_own(r#"{"exact":9,"exact":7}"#));
    }
}
