//! What can be ordered to go wrong.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, Body, JSON};
use crate::calls::Calls;

/// One way to fail. Those marked *carried out* change the state all the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// That status with a message of the console's kind, which names internals; optionally with `Retry-After`.
    Status { status: u16, retry_after: Option<u32> },
    /// A redirect to `location`.
    Redirect { location: String },
    /// *Carried out* at once; the true answer comes late.
    Delay { millis: u64 },
    /// The connection is reset before anything is done.
    Reset,
    /// The call is *carried out*, then the connection is reset without an answer.
    LoseAnswer,
    /// *Carried out*; half of the true answer's body, then the connection breaks off.
    HalfBody,
    /// *Carried out*; the true answer in pieces of so many bytes, with a pause after each.
    SlowDrip { bytes: usize, pause_millis: u64 },
    /// 200 with that text as JSON, which it need not be.
    Rubbish { text: String },
    /// 200 with a sign-in page in HTML.
    Html,
    /// 200 with JSON of at least so many bytes; it is made while it is sent.
    Huge { bytes: u64 },
    /// 200 with JSON that is nested so deeply.
    DeepNesting { depth: usize },
    /// *Carried out*; the true answer, in which each value below the lists has another type.
    WrongTypes,
    /// *Carried out*; the true answer, in which every `ID` is `NaN`.
    NotANumber,
}

impl Fault {
    /// The answer that stands in for the true one, of faults that do not carry the call out.
    pub(crate) fn answer(&self) -> Option<Answer> {
        match self {
            Self::Status { status, retry_after } => Some(failed(*status, *retry_after)),
            Self::Redirect { location } => {
                let mut answer = Answer::empty(302);
                answer.headers.push(("location", location.clone()));
                Some(answer)
            }
            Self::Rubbish { text } => Some(Answer::raw(JSON, text.clone())),
            Self::Html => Some(Answer::raw("text/html;charset=UTF-8", SIGN_IN)),
            Self::Huge { bytes } => Some(huge(*bytes)),
            Self::DeepNesting { depth } => Some(Answer::raw(JSON, deep(*depth))),
            _ => None,
        }
    }
}

const SIGN_IN: &str = "<!DOCTYPE html><html><head><title>Sign In</title></head><body>\
    <form action=\"SignIn.screen\" method=\"post\">Session expired on dsm-node-1.internal</form></body></html>";

fn failed(status: u16, retry_after: Option<u32>) -> Answer {
    let message = "java.lang.NullPointerException at dsm-node-1.internal, jdbc:postgresql://dsm-db.internal:5432/dsm";
    let mut answer = Answer::value(status, &json!({ "message": message }));
    answer.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
    answer
}

fn huge(bytes: u64) -> Answer {
    const FILLING: usize = 64 * 1024;
    let items = bytes.div_ceil(FILLING as u64);
    let items = (1..=items).map(|id| format!(r#"{{"ID":{id},"hostName":"{}"}}"#, "x".repeat(FILLING)).into_bytes());
    Answer { status: 200, content_type: JSON, headers: Vec::new(), body: Body::many("computers", items) }
}

fn deep(depth: usize) -> String {
    format!(r#"{{"ID":1,"computers":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

/// Each value with another type, lists and objects apart.
pub(crate) fn mistyped(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, mistyped(value))).collect(),
        Value::Array(items) => items.into_iter().map(mistyped).collect(),
        Value::Number(_) => json!({ "value": "seven" }),
        Value::String(_) => json!([7]),
        Value::Bool(_) | Value::Null => json!("perhaps"),
    }
}

/// An order: this fault for the next calls of that kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultOrder {
    /// The calls that fail.
    #[serde(default)]
    pub calls: Calls,
    /// How they fail.
    pub fault: Fault,
    /// How many of them do; all, if absent.
    pub times: Option<u32>,
}

/// The orders that still stand; where several fit, the oldest is carried out.
#[derive(Default)]
pub(crate) struct Faults(Vec<FaultOrder>);

impl Faults {
    pub(crate) fn order(&mut self, order: FaultOrder) {
        self.0.push(order);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for this call, if one was ordered; an order that has been carried out often enough ends.
    pub(crate) fn take(&mut self, method: &str, path: &str, tenant: Option<&str>) -> Option<Fault> {
        self.0.retain(|order| order.times != Some(0));
        let order = self.0.iter_mut().find(|order| order.calls.include(method, path, tenant))?;
        order.times = order.times.map(|times| times - 1);
        Some(order.fault.clone())
    }
}

/// How the true answer leaves the house.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Whole,
    Half,
    Drip { bytes: usize, pause: Duration },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(calls: Calls, times: Option<u32>) -> FaultOrder {
        FaultOrder { calls, fault: Fault::Reset, times }
    }

    #[test]
    fn an_order_ends_after_its_number_of_matching_calls() {
        let mut faults = Faults::default();
        faults.order(order(Calls::to("POST", "/tenants/*/apikeys").of(0), Some(2)));
        assert!(faults.take("POST", "/tenants/5/apikeys", Some("1")).is_none());
        assert!(faults.take("GET", "/tenants/5/apikeys", Some("0")).is_none());
        assert!(faults.take("POST", "/tenants/5/apikeys", Some("0")).is_some());
        assert!(faults.take("POST", "/tenants/6/apikeys", Some("0")).is_some());
        assert!(faults.take("POST", "/tenants/5/apikeys", Some("0")).is_none());
    }

    #[test]
    fn an_order_without_number_stands_until_it_is_cleared() {
        let mut faults = Faults::default();
        faults.order(order(Calls::all(), None));
        assert!((0..10).all(|_| faults.take("GET", "/roles", None).is_some()));
        faults.clear();
        assert!(faults.take("GET", "/roles", None).is_none());
    }

    #[test]
    fn no_value_keeps_its_type() {
        let value = json!({"ID": 1, "names": ["a"], "on": true});
        assert_eq!(mistyped(value), json!({"ID": {"value": "seven"}, "names": [[7]], "on": "perhaps"}));
    }

    #[test]
    fn orders_are_read_from_json() {
        let order =
            json!({"calls": {"path": "/computers*"}, "fault": {"kind": "slowDrip", "bytes": 1, "pauseMillis": 5}});
        let order: FaultOrder = serde_json::from_value(order).unwrap();
        assert!(matches!(order.fault, Fault::SlowDrip { bytes: 1, pause_millis: 5 }));
    }
}
