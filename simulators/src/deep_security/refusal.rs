//! Error answers.

use serde_json::json;

use crate::answer::Answer;

/// An error answer: a status and `{"message": …}` (reference, section 4).
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub message: String,
}

/// The result of a call.
pub(crate) type Outcome = Result<Answer, Refusal>;

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    pub fn not_found() -> Self {
        Self::new(404, "The object or the call does not exist.")
    }

    pub fn answer(&self) -> Answer {
        Answer::value(self.status, &json!({ "message": self.message }))
    }
}
