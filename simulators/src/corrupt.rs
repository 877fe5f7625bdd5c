//! The bodies that faults answer with, in the format of either console.

use serde_json::{Value, json};

use crate::answer::{Answer, Around, Body, JSON, json};
use crate::faults::Fault;

/// What a console's answers are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    Json,
    Xml,
}

const XML: &str = "application/xml; charset=utf-8";

impl BodyFormat {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Xml => XML,
        }
    }
}

/// An error that names internals, which must not reach anybody outside.
pub(crate) fn failed(format: BodyFormat, status: u16, retry_after: Option<u32>) -> Answer {
    let mut answer = match format {
        BodyFormat::Json => {
            let message = "java.lang.NullPointerException at dsm-node-1.internal, \
                jdbc:postgresql://dsm-db.internal:5432/dsm";
            Answer::value(status, &json!({ "message": message }))
        }
        BodyFormat::Xml => {
            let text = "<error><message>System.NullReferenceException at viis-node-1.internal, \
                Server=viis-db.internal;Database=viis</message></error>";
            Answer { status, ..Answer::raw(XML, text) }
        }
    };
    answer.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
    answer
}

/// A page for people instead of an answer for programs.
pub(crate) fn sign_in() -> Answer {
    let page = "<!DOCTYPE html><html><head><title>Sign In</title></head><body>\
        <form action=\"SignIn.screen\" method=\"post\">Session expired on node-1.internal</form></body></html>";
    Answer::raw("text/html;charset=UTF-8", page)
}

/// What a proxy says that has lost patience with the console.
fn proxy(status: u16) -> Answer {
    let page = "<html><body><h1>No server is available on proxy-1.internal</h1></body></html>";
    Answer { status, ..Answer::raw("text/html", page) }
}

/// A list whose items hold 64 KiB each.
pub(crate) fn huge(format: BodyFormat, bytes: u64) -> Answer {
    const FILLING: usize = 64 * 1024;
    let numbers = 1..=bytes.div_ceil(FILLING as u64);
    let body = match format {
        BodyFormat::Json => Body::many(
            "computers",
            numbers.map(|id| {
                format!(r#"{{"ID":{id},"hostName":"{}"}}"#, "x".repeat(FILLING)).into_bytes()
            }),
        ),
        BodyFormat::Xml => {
            let item = |id| {
                format!(r#"<tenant id="{id}"><name>{}</name></tenant>"#, "x".repeat(FILLING))
                    .into_bytes()
            };
            let around =
                Around { opening: "<tenants>".to_owned(), between: "", closing: "</tenants>" };
            Body::Many { around, items: Box::new(numbers.map(item)) }
        }
    };
    Answer { body, ..Answer::raw(format.content_type(), "") }
}

/// A document that would need as many frames of a parser that calls itself.
pub(crate) fn deep(format: BodyFormat, depth: usize) -> Answer {
    let text = match format {
        BodyFormat::Json => {
            format!(r#"{{"ID":1,"computers":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
        }
        BodyFormat::Xml => {
            format!("<tenants>{}{}</tenants>", "<a>".repeat(depth), "</a>".repeat(depth))
        }
    };
    Answer::raw(format.content_type(), text)
}

/// Ten entities, each of which holds the one before it ten times: 3 GB of a name.
pub(crate) fn bomb() -> Answer {
    let entity =
        |level: u32| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10));
    let entities: String = (1..10).map(entity).collect();
    let text = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE tenants [<!ENTITY l0 \"lol\">{entities}]>\
         <tenants><tenant id=\"1\"><name>&l9;</name><status>Active</status><type>Simple</type></tenant></tenants>"
    );
    Answer::raw(XML, text)
}

/// A document that asks its reader to fetch `url`, by both ways that XML has.
pub(crate) fn external_entity(url: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE tenants SYSTEM \"{url}\" [<!ENTITY file SYSTEM \"{url}\">]>\
         <tenants><tenant id=\"1\"><name>&file;</name><status>Active</status><type>Simple</type></tenant></tenants>"
    );
    Answer::raw(XML, text)
}

/// The true answer as the fault leaves it; most leave it whole.
pub(crate) fn rewritten(answer: Answer, fault: &Fault) -> Answer {
    let rewrite: fn(Vec<u8>) -> Vec<u8> = match fault {
        Fault::Proxy { status } => return proxy(*status),
        Fault::WrongTypes => |body| json(&mistyped(parsed(&body))),
        Fault::NotANumber => {
            |body| parsed(&body).to_string().replace(r#""ID":"#, r#""ID":NaN,"was":"#).into_bytes()
        }
        Fault::Truncated => |mut body| {
            body.truncate(body.len() * 2 / 3);
            body
        },
        Fault::UnquotedAttributes => unquoted,
        _ => return answer,
    };
    Answer { body: Body::Text(rewrite(answer.body.into_bytes())), ..answer }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Each value with another type, lists and objects apart.
fn mistyped(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, mistyped(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(mistyped).collect(),
        Value::Number(_) => json!({ "value": "seven" }),
        Value::String(_) => json!([7]),
        Value::Bool(_) | Value::Null => json!("perhaps"),
    }
}

fn unquoted(mut body: Vec<u8>) -> Vec<u8> {
    body.retain(|byte| !matches!(byte, b'"' | b'\''));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: Answer) -> String {
        String::from_utf8(answer.body.into_bytes()).unwrap()
    }

    #[test]
    fn no_value_keeps_its_type() {
        let value = json!({"ID": 1, "names": ["a"], "on": true});
        assert_eq!(
            mistyped(value),
            json!({"ID": {"value": "seven"}, "names": [[7]], "on": "perhaps"})
        );
    }

    #[test]
    fn a_bomb_is_small_before_it_goes_off() {
        let bomb = text(bomb());
        assert!(bomb.len() < 1_000);
        assert_eq!(bomb.matches("<!ENTITY").count(), 10);
        assert_eq!(bomb.matches("&l8;").count(), 10);
    }

    #[test]
    fn what_is_huge_or_deep_is_well_formed() {
        assert!(roxmltree::Document::parse(&text(huge(BodyFormat::Xml, 100_000))).is_ok());
        assert!(roxmltree::Document::parse(&text(deep(BodyFormat::Xml, 100))).is_ok());
    }

    #[test]
    fn what_is_cut_or_unquoted_is_not() {
        let whole = || Answer::raw(XML, r#"<tenant id="1"><name>x</name></tenant>"#);
        assert!(roxmltree::Document::parse(&text(whole())).is_ok());
        for fault in [Fault::Truncated, Fault::UnquotedAttributes] {
            assert!(roxmltree::Document::parse(&text(rewritten(whole(), &fault))).is_err());
        }
    }
}
