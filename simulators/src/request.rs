//! Requests with their whole bodies.

use axum::body::{Bytes, to_bytes};
use axum::http::HeaderMap;

/// More than any call of these consoles needs.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A request, as the console sees it.
pub(crate) struct Request {
    pub method: String,
    /// The path below the base URL; the whole path if it is elsewhere.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// Reads a request of the API at `base`; `None` if its body is aborted or too long.
    pub async fn read(request: axum::extract::Request, base: &str) -> Option<Self> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        Some(Self {
            method: head.method.to_string(),
            path: path.strip_prefix(base).unwrap_or(path).to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: to_bytes(body, LARGEST_BODY).await.ok()?,
        })
    }

    /// The value of a header that occurs once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies =
            self.headers.get_all("cookie").iter().filter_map(|header| header.to_str().ok());
        let mut pairs = cookies
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The query parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned()
    }

    /// The segments of the path.
    pub fn segments(&self) -> Vec<&str> {
        self.path.strip_prefix('/').unwrap_or(&self.path).split('/').collect()
    }
}
