//! The answers of faults: bodies in place of the true answer, and the true answer corrupted.

use serde_json::{Value, json};

use crate::answer::{Answer, Body, BodyFormat, ListSyntax, XML, json};
use crate::faults::Fault;

/// The answer in place of the true one, of faults that do not carry the call out.
pub(crate) fn replacement(fault: &Fault, format: BodyFormat) -> Option<Answer> {
    match fault {
        Fault::Status { status, retry_after } => Some(failed(format, *status, *retry_after)),
        Fault::Redirect { location } => {
            let mut answer = Answer::empty(302);
            answer.headers.push(("location", location.clone()));
            Some(answer)
        }
        Fault::Rubbish { text } => Some(Answer::raw(format.content_type(), text.clone())),
        Fault::Html => Some(sign_in()),
        Fault::Huge { bytes } => Some(huge(format, *bytes)),
        Fault::DeepNesting { depth } => Some(deep(format, *depth)),
        Fault::XmlBomb => Some(bomb()),
        Fault::ExternalEntity { url } => Some(external_entity(url)),
        Fault::Body { status, content_type, bytes } => {
            Some(Answer { status: *status, ..Answer::raw(content_type.clone(), bytes.clone()) })
        }
        _ => None,
    }
}

/// A server error whose message names internals that the gateway must not pass on.
fn failed(format: BodyFormat, status: u16, retry_after: Option<u32>) -> Answer {
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

/// A sign-in page in HTML.
fn sign_in() -> Answer {
    let page = "<!DOCTYPE html><html><head><title>Sign In</title></head><body>\
        <form action=\"SignIn.screen\" method=\"post\">Session expired on node-1.internal</form>\
        </body></html>";
    Answer::raw("text/html;charset=UTF-8", page)
}

/// The error page of a proxy in front of the console.
fn proxy(status: u16) -> Answer {
    let page = "<html><body><h1>No server is available on proxy-1.internal</h1></body></html>";
    Answer { status, ..Answer::raw("text/html", page) }
}

/// A list of items of 64 KiB each.
fn huge(format: BodyFormat, bytes: u64) -> Answer {
    const FILLING: usize = 64 * 1024;
    let numbers = 1..=bytes.div_ceil(FILLING as u64);
    let body = match format {
        BodyFormat::Json => Body::list(
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
            let syntax = ListSyntax {
                opening: "<tenants>".to_owned(),
                separator: "",
                closing: "</tenants>",
            };
            Body::List { syntax, items: Box::new(numbers.map(item)) }
        }
    };
    Answer { body, ..Answer::raw(format.content_type(), "") }
}

/// A document nested so deeply that a recursive parser would overflow its stack.
fn deep(format: BodyFormat, depth: usize) -> Answer {
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

/// An entity-expansion bomb: ten entities, each ten times the previous one, expand to 3 GB.
fn bomb() -> Answer {
    let entity =
        |level: u32| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10));
    let entities: String = (1..10).map(entity).collect();
    let text = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE tenants [<!ENTITY l0 \"lol\">{entities}]>\
         <tenants><tenant id=\"1\"><name>&l9;</name><status>Active</status><type>Simple</type>\
         </tenant></tenants>"
    );
    Answer::raw(XML, text)
}

/// A document that refers to `url` as an external entity and as an external document type.
fn external_entity(url: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\"?>\
         <!DOCTYPE tenants SYSTEM \"{url}\" [<!ENTITY file SYSTEM \"{url}\">]>\
         <tenants><tenant id=\"1\"><name>&file;</name><status>Active</status><type>Simple</type>\
         </tenant></tenants>"
    );
    Answer::raw(XML, text)
}

/// Corrupts the true answer as the fault orders; most faults leave it intact.
pub(crate) fn corrupted(answer: Answer, fault: &Fault) -> Answer {
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
    Answer { body: Body::Bytes(rewrite(answer.body.into_bytes())), ..answer }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Gives every value another type, except lists and objects.
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
    fn mistyped_values_change_their_type() {
        let value = json!({"ID": 1, "names": ["a"], "on": true});
        assert_eq!(
            mistyped(value),
            json!({"ID": {"value": "seven"}, "names": [[7]], "on": "perhaps"})
        );
    }

    #[test]
    fn bomb_is_small_before_expansion() {
        let bomb = text(bomb());
        assert!(bomb.len() < 1_000);
        assert_eq!(bomb.matches("<!ENTITY").count(), 10);
        assert_eq!(bomb.matches("&l8;").count(), 10);
    }

    #[test]
    fn huge_and_deep_documents_are_well_formed() {
        assert!(roxmltree::Document::parse(&text(huge(BodyFormat::Xml, 100_000))).is_ok());
        assert!(roxmltree::Document::parse(&text(deep(BodyFormat::Xml, 100))).is_ok());
    }

    #[test]
    fn truncated_and_unquoted_documents_are_malformed() {
        let whole = || Answer::raw(XML, r#"<tenant id="1"><name>x</name></tenant>"#);
        assert!(roxmltree::Document::parse(&text(whole())).is_ok());
        for fault in [Fault::Truncated, Fault::UnquotedAttributes] {
            assert!(roxmltree::Document::parse(&text(corrupted(whole(), &fault))).is_err());
        }
    }
}
