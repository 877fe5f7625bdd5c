//! Responses of the gateway.

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::notes;

/// A complete response.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    pub async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.expect("the answer arrives");
        let body = serde_json::from_slice(&bytes);
        let body = body.unwrap_or_else(|_| {
            panic!("not JSON, status {status}: {}", String::from_utf8_lossy(&bytes))
        });
        notes::note_all(&body);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status, headers, body, text }
    }

    /// The data of a response; panics on errors.
    pub fn data(self) -> Value {
        assert!(
            self.status == 200 && self.body.get("errors").is_none(),
            "{} {}",
            self.status,
            self.body
        );
        self.body["data"].clone()
    }

    /// One field of the data.
    pub fn field(self, name: &str) -> Value {
        self.data()[name].clone()
    }

    /// The code of the only error.
    pub fn code(&self) -> &str {
        let errors =
            self.body["errors"].as_array().unwrap_or_else(|| panic!("no error: {}", self.body));
        assert_eq!(errors.len(), 1, "{}", self.body);
        errors[0]["extensions"]["code"].as_str().expect("every error has a code")
    }

    /// The message of the only error.
    pub fn message(&self) -> &str {
        self.body["errors"][0]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }

    /// Everything in the response except the parts that differ between any two requests.
    pub fn learnt(&self) -> (u16, String, BTreeSet<String>) {
        let mut body = self.body.clone();
        for error in body["errors"].as_array_mut().into_iter().flatten() {
            let extensions =
                error["extensions"].as_object_mut().expect("every error has extensions");
            assert!(extensions.remove("requestId").is_some(), "every error has its request's id");
        }
        (
            self.status,
            body.to_string(),
            self.headers.keys().map(|name| name.as_str().to_owned()).collect(),
        )
    }
}
