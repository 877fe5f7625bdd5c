//! What can be ordered to go wrong.

use std::time::Duration;

use serde::Deserialize;

use crate::answer::Answer;
use crate::calls::Calls;
use crate::corrupt::{self, BodyFormat};

/// One way to fail. Those marked *carried out* change the state all the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Fault {
    /// That status with a message of the console's kind, which names internals; optionally with
    /// `Retry-After`.
    Status { status: u16, retry_after: Option<u32> },
    /// A redirect to `location`.
    Redirect { location: String },
    /// *Carried out* at once; the true answer comes late.
    Delay { millis: u64 },
    /// The connection is reset before anything is done.
    Reset,
    /// The call is *carried out*, then the connection is reset without an answer.
    LoseAnswer,
    /// *Carried out*; then a page with that status, as a proxy in between gives it.
    Proxy { status: u16 },
    /// *Carried out*; half of the true answer's body, then the connection breaks off.
    HalfBody,
    /// *Carried out*; the true answer in pieces of so many bytes, with a pause after each.
    SlowDrip { bytes: usize, pause_millis: u64 },
    /// 200 with that text under the console's own content type, which it need not be.
    Rubbish { text: String },
    /// 200 with a sign-in page in HTML.
    Html,
    /// 200 with a well-formed list of at least so many bytes; it is made while it is sent.
    Huge { bytes: u64 },
    /// 200 with a document that is nested so deeply.
    DeepNesting { depth: usize },
    /// *Carried out*; the true answer in JSON, in which each value below the lists has another
    /// type.
    WrongTypes,
    /// *Carried out*; the true answer in JSON, in which every `ID` is `NaN`.
    NotANumber,
    /// *Carried out*; the first two thirds of the true answer, as if that were all.
    Truncated,
    /// *Carried out*; the true answer in XML without the quotation marks round its attributes.
    UnquotedAttributes,
    /// 200 with XML of a few hundred bytes, whose entities would fill gigabytes.
    XmlBomb,
    /// 200 with XML in which `url` is an external entity and an external document type: whoever
    /// resolves them fetches it.
    ExternalEntity { url: String },
    /// That answer, whatever was asked.
    Body { status: u16, content_type: String, bytes: Vec<u8> },
}

impl Fault {
    /// The answer that stands in for the true one, of faults that do not carry the call out.
    pub(crate) fn answer(&self, format: BodyFormat) -> Option<Answer> {
        match self {
            Self::Status { status, retry_after } => {
                Some(corrupt::failed(format, *status, *retry_after))
            }
            Self::Redirect { location } => {
                let mut answer = Answer::empty(302);
                answer.headers.push(("location", location.clone()));
                Some(answer)
            }
            Self::Rubbish { text } => Some(Answer::raw(format.content_type(), text.clone())),
            Self::Html => Some(corrupt::sign_in()),
            Self::Huge { bytes } => Some(corrupt::huge(format, *bytes)),
            Self::DeepNesting { depth } => Some(corrupt::deep(format, *depth)),
            Self::XmlBomb => Some(corrupt::bomb()),
            Self::ExternalEntity { url } => Some(corrupt::external_entity(url)),
            Self::Body { status, content_type, bytes } => {
                Some(Answer { status: *status, ..Answer::raw(content_type.clone(), bytes.clone()) })
            }
            _ => None,
        }
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

    /// The fault for this call, if one was ordered; an order that has been carried out often enough
    /// ends.
    pub(crate) fn take(&mut self, method: &str, path: &str, tenant: Option<&str>) -> Option<Fault> {
        self.0.retain(|order| order.times != Some(0));
        let order = self.0.iter_mut().find(|order| order.calls.include(method, path, tenant))?;
        order.times = order.times.map(|times| times - 1);
        Some(order.fault.clone())
    }
}

/// How the true answer leaves the host.
#[derive(Clone, Copy)]
pub(crate) enum Delivery {
    Whole,
    Half,
    Drip { bytes: usize, pause: Duration },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn orders_are_read_from_json() {
        let order = json!({"calls": {"path": "/computers*"}, "fault": {"kind": "slowDrip", "bytes": 1, "pauseMillis": 5}});
        let order: FaultOrder = serde_json::from_value(order).unwrap();
        assert!(matches!(order.fault, Fault::SlowDrip { bytes: 1, pause_millis: 5 }));
    }
}
