//! The two cookies of the gateway.
//!
//! Their prefix makes browsers take them only over TLS (or from the machine itself), for the whole
//! host, and from no neighbouring domain, so that nobody else can plant one.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::secret::PlainSecret;

/// The cookie of a session.
pub const SESSION: &str = "__Host-session";

/// The cookie that CSRF tokens are derived from. It is set before anybody signs in, so that the
/// sign-in itself cannot be forged.
pub const CSRF: &str = "__Host-csrf";

/// The attributes of both: hidden from scripts, and sent across sites only by top-level navigation.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The value of the cookie of that name; none if it is absent, repeated or not one of ours.
pub fn read(headers: &HeaderMap, name: &str) -> Option<PlainSecret> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    let value = values.next().filter(|_| values.next().is_none())?;
    PlainSecret::parse(value)
}

/// The value of `Set-Cookie` that gives the browser a cookie until it is closed.
pub fn set(name: &str, value: &PlainSecret) -> Option<HeaderValue> {
    sensitive(&format!("{name}={}; {ATTRIBUTES}", value.expose()))
}

/// The value of `Set-Cookie` that takes a cookie away.
pub fn clear(name: &str) -> Option<HeaderValue> {
    sensitive(&format!("{name}=; {ATTRIBUTES}; Max-Age=0"))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn headers(lines: &[String]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, line.parse().unwrap())).collect()
    }

    #[test]
    fn cookie_is_found_among_others_and_once_only() {
        let value = PlainSecret::generate(&SystemEntropy);
        let own = format!("{SESSION}={}", value.expose());
        for lines in [
            vec![own.clone()],
            vec![format!("a=b; {own};c=d")],
            vec!["a=b".to_owned(), own.clone()],
        ] {
            let found = read(&headers(&lines), SESSION);
            assert!(found.is_some_and(|found| found.expose() == value.expose()), "{lines:?}");
        }
        let twice = format!("{own}; {own}");
        for lines in [vec![], vec![twice], vec![format!("{SESSION}=x")], vec![format!("x{own}")]] {
            assert!(read(&headers(&lines), SESSION).is_none(), "{lines:?}");
        }
    }

    #[test]
    fn cookie_is_secure_unreadable_to_scripts_and_for_the_whole_host() {
        let value = PlainSecret::generate(&SystemEntropy);
        let set = set(SESSION, &value).unwrap();
        assert!(set.is_sensitive());
        let text = set.to_str().unwrap();
        assert!(text.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{text}");
        assert!(clear(SESSION).unwrap().to_str().unwrap().ends_with("; Max-Age=0"));
    }
}
