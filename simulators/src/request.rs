//! A call, read whole.

use axum::body::{Bytes, to_bytes};
use axum::http::HeaderMap;

/// More than any call of these consoles needs.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// What came in: the console sees nothing else of HTTP.
pub(crate) struct Request {
    pub method: String,
    /// Below the base URL; the whole path, if it lies elsewhere.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// Reads a request whose path starts with `base`; `None` if its body breaks off or is too long.
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

    /// The value of a header, if it is there once and is text.
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

    /// The query's parameters in their order.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned()
    }

    /// The parts of the path between its slashes.
    pub fn segments(&self) -> Vec<&str> {
        self.path.strip_prefix('/').unwrap_or(&self.path).split('/').collect()
    }
}
