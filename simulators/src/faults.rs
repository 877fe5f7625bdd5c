//! Faults that a test can order.

use serde::Deserialize;

use crate::calls::Calls;

/// A way to fail. Faults marked *carried out* still change the state.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Fault {
    /// An error status with a message that names internals; optionally with `Retry-After`.
    Status {
        /// The status.
        status: u16,
        /// The value of `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// A redirect to `location`.
    Redirect {
        /// The value of `Location`.
        location: String,
    },
    /// *Carried out* at once; the true answer is delayed.
    Delay {
        /// The delay, in milliseconds.
        millis: u64,
    },
    /// The connection is reset before the call is carried out.
    Reset,
    /// *Carried out*; then the connection is reset without an answer.
    LoseAnswer,
    /// *Carried out*; then the error page of a proxy with that status.
    Proxy {
        /// The status.
        status: u16,
    },
    /// *Carried out*; half of the true answer's body, then the connection is aborted.
    HalfBody,
    /// *Carried out*; the true answer in chunks of `bytes`, with a pause after each.
    SlowDrip {
        /// The size of a chunk.
        bytes: usize,
        /// The pause, in milliseconds.
        pause_millis: u64,
    },
    /// 200 with that text, valid or not, under the console's content type.
    Rubbish {
        /// The body.
        text: String,
    },
    /// 200 with a sign-in page in HTML.
    Html,
    /// 200 with a well-formed list of at least that many bytes, generated while it is sent.
    Huge {
        /// The least size of the body.
        bytes: u64,
    },
    /// 200 with a document of that nesting depth.
    DeepNesting {
        /// The nesting depth.
        depth: usize,
    },
    /// *Carried out*; the true JSON answer, in which every value has another type.
    WrongTypes,
    /// *Carried out*; the true JSON answer, in which every `ID` is `NaN`.
    NotANumber,
    /// *Carried out*; the first two thirds of the true answer, with a matching length.
    Truncated,
    /// *Carried out*; the true XML answer without the quotation marks around attributes.
    UnquotedAttributes,
    /// 200 with an XML entity-expansion bomb.
    XmlBomb,
    /// 200 with XML that refers to `url` as an external entity and document type; a parser that
    /// resolves external entities fetches it.
    ExternalEntity {
        /// The URL of the entity.
        url: String,
    },
    /// That answer to any call.
    Body {
        /// The status.
        status: u16,
        /// The value of `Content-Type`.
        content_type: String,
        /// The body.
        bytes: Vec<u8>,
    },
}

/// An order of a fault for matching calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultOrder {
    /// The calls that fail.
    #[serde(default)]
    pub calls: Calls,
    /// How they fail.
    pub fault: Fault,
    /// The number of calls that fail; all if absent.
    pub times: Option<u32>,
}

/// The open orders; where several match a call, the oldest applies.
#[derive(Default)]
pub(crate) struct Faults(Vec<FaultOrder>);

impl Faults {
    pub(crate) fn order(&mut self, order: FaultOrder) {
        self.0.push(order);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for a call, if one was ordered. An order ends after its number of calls.
    pub(crate) fn take(&mut self, method: &str, path: &str, tenant: Option<&str>) -> Option<Fault> {
        self.0.retain(|order| order.times != Some(0));
        let order = self.0.iter_mut().find(|order| order.calls.include(method, path, tenant))?;
        order.times = order.times.map(|times| times - 1);
        Some(order.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(calls: Calls, times: Option<u32>) -> FaultOrder {
        FaultOrder { calls, fault: Fault::Reset, times }
    }

    #[test]
    fn order_ends_after_its_number_of_matching_calls() {
        let mut faults = Faults::default();
        faults.order(order(Calls::to("POST", "/tenants/*/apikeys").of(0), Some(2)));
        assert!(faults.take("POST", "/tenants/5/apikeys", Some("1")).is_none());
        assert!(faults.take("GET", "/tenants/5/apikeys", Some("0")).is_none());
        assert!(faults.take("POST", "/tenants/5/apikeys", Some("0")).is_some());
        assert!(faults.take("POST", "/tenants/6/apikeys", Some("0")).is_some());
        assert!(faults.take("POST", "/tenants/5/apikeys", Some("0")).is_none());
    }

    #[test]
    fn order_without_a_number_lasts_until_cleared() {
        let mut faults = Faults::default();
        faults.order(order(Calls::all(), None));
        assert!((0..10).all(|_| faults.take("GET", "/roles", None).is_some()));
        faults.clear();
        assert!(faults.take("GET", "/roles", None).is_none());
    }

    #[test]
    fn order_is_parsed_from_json() {
        let fault = json!({"kind": "slowDrip", "bytes": 1, "pauseMillis": 5});
        let order = json!({"calls": {"path": "/computers*"}, "fault": fault});
        let order: FaultOrder = serde_json::from_value(order).unwrap();
        assert!(matches!(order.fault, Fault::SlowDrip { bytes: 1, pause_millis: 5 }));
    }
}
