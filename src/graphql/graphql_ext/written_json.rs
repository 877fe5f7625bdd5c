//! Parts of a response that are JSON text already.
//!
//! A value of the library is a tree, which would have to be built from the text and written again.
//! Its variant for bytes, which no type of the schema has, carries the text; [`write_json`] writes
//! it as it is.

use async_graphql::Value;
use bytes::Bytes;

/// The value that carries this JSON.
pub fn written_json(json: Bytes) -> Value {
    Value::Binary(json)
}

/// Writes a value as JSON.
pub fn write_json(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Binary(json) => to.extend_from_slice(json),
        Value::List(items) => {
            let mut before = b'[';
            for item in items {
                to.push(before);
                write_json(item, to);
                before = b',';
            }
            to.extend_from_slice(if before == b'[' { b"[]" } else { b"]" });
        }
        Value::Object(members) => {
            let mut before = b'{';
            for (name, member) in members {
                to.extend_from_slice(&[before, b'"']);
                // A GraphQL name needs no escapes.
                to.extend_from_slice(name.as_bytes());
                to.extend_from_slice(b"\":");
                write_json(member, to);
                before = b',';
            }
            to.extend_from_slice(if before == b'{' { b"{}" } else { b"}" });
        }
        // Numbers and texts can always be written to a vector.
        scalar => serde_json::to_writer(to, scalar).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_is_written_as_the_library_writes_it() {
        let json = serde_json::json!({
            "a": [], "b": {}, "c": [null, true, -7, 0.5, "é\"\\\n\u{7f}"], "d": { "e": [{ "f": 1 }] },
            "g": u64::MAX, "h": i64::MIN, "i": 1e300,
        });
        let value = Value::from_json(json).unwrap();
        let mut written = Vec::new();
        write_json(&value, &mut written);
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn text_is_written_as_it_is() {
        let value = written_json(Bytes::from_static(b"[{\"b\":1,\"a\":2}]"));
        let mut written = Vec::new();
        write_json(&Value::List(vec![value.clone(), value]), &mut written);
        assert_eq!(written, b"[[{\"b\":1,\"a\":2}],[{\"b\":1,\"a\":2}]]");
    }
}
