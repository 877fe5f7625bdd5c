//! Tokens against cross-site request forgery.
//!
//! A token is an HMAC of the session, keyed with the browser's own cookie. A page of another site
//! knows neither, and a token from before the sign-in is invalid after it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookies;
use crate::secret::PlainSecret;

/// The header that carries a token where there is no form.
pub const HEADER: &str = "x-csrf-token";

/// The token of a browser with that cookie, in that session.
pub fn token(csrf: &PlainSecret, session: Option<&PlainSecret>) -> String {
    let key = Key::new(HMAC_SHA256, csrf.expose().as_bytes());
    let session = session.map_or("", PlainSecret::expose);
    URL_SAFE_NO_PAD.encode(sign(&key, session.as_bytes()))
}

/// Whether a token is that of the cookies that came with it.
pub fn is_valid(headers: &HeaderMap, presented: &str) -> bool {
    let Some(csrf) = cookies::read(headers, cookies::CSRF) else { return false };
    let session = cookies::read(headers, cookies::SESSION);
    let expected = token(&csrf, session.as_ref());
    verify_slices_are_equal(expected.as_bytes(), presented.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn token_is_valid_for_its_browser_and_session_only() {
        let [csrf, other, session] = [(); 3].map(|()| PlainSecret::generate(&SystemEntropy));
        let headers = |csrf: &PlainSecret, session: Option<&PlainSecret>| {
            let mut line = format!("{}={}", cookies::CSRF, csrf.expose());
            if let Some(session) = session {
                line.push_str(&format!("; {}={}", cookies::SESSION, session.expose()));
            }
            HeaderMap::from_iter([(COOKIE, line.parse().unwrap())])
        };
        let before = token(&csrf, None);
        let after = token(&csrf, Some(&session));
        assert!(is_valid(&headers(&csrf, None), &before));
        assert!(is_valid(&headers(&csrf, Some(&session)), &after));
        assert!(!is_valid(&headers(&csrf, Some(&session)), &before));
        assert!(!is_valid(&headers(&csrf, None), &after));
        assert!(!is_valid(&headers(&other, Some(&session)), &after));
        assert!(!is_valid(&HeaderMap::new(), &before) && !is_valid(&headers(&csrf, None), ""));
    }
}
