//! Errors at once (reference, section 6).

use serde_json::json;

use super::dialect::Dialect;
use super::element::Element;
use super::shapes::Errors;
use super::xml::document;
use crate::answer::{Answer, Body, JSON};

/// An error: a status, usually a code, and a text with internals, which the gateway must not pass
/// on.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: Option<&'static str>,
    pub message: String,
}

/// The result of a call.
pub(crate) type Outcome = Result<Answer, Refusal>;

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, code: None, message: message.into() }
    }

    /// One of the documented codes.
    pub fn coded(status: u16, code: &'static str) -> Self {
        Self { code: Some(code), ..Self::new(status, "The request was refused") }
    }

    pub fn not_found() -> Self {
        Self::new(404, "The resource does not exist")
    }

    pub fn unknown_tenant() -> Self {
        Self::coded(404, "VIRMT_TenantWithSpecifiedIdNotFound")
    }

    pub fn missing_parameter() -> Self {
        Self::coded(400, "VIRMT_MandatoryParameterIsNotSpecified")
    }

    /// The answer in the shape of that dialect.
    pub fn answer(&self, dialect: &Dialect) -> Answer {
        let message = format!("{} (viis-node-1.internal, database viis-db.internal)", self.message);
        let xml = |names: [&'static str; 3]| {
            let code = self.code.map(|code| Element::new(names[1]).own_word(code));
            let root = Element::new(names[0]).optional(names[1], code).word(names[2], &message);
            Answer::raw(dialect.content_type, document(&root, dialect))
        };
        let code = self.code.unwrap_or_default();
        let mut answer = match dialect.errors {
            Errors::CodeAndMessage => xml(["error", "code", "message"]),
            Errors::Namespaced => xml(["Error", "ErrorCode", "ErrorMessage"]),
            Errors::PlainText => Answer::raw("text/plain", format!("{code}\r\n{message}\r\n")),
            Errors::Json => {
                Answer::raw(JSON, json!({ "code": self.code, "message": message }).to_string())
            }
            Errors::Html => {
                let page = format!(
                    "<html><head><title>{}</title><body><h1>{code}<br>{message}</h1>",
                    self.status
                );
                Answer::raw("text/html", page)
            }
            Errors::Empty => Answer { body: Body::Empty, ..Answer::raw("", "") },
        };
        if self.status == 401 {
            answer
                .headers
                .push(("www-authenticate", "Basic realm=\"viis-node-1.internal\"".to_owned()));
        }
        Answer { status: self.status, ..answer }
    }
}
