//! The page to return to after a sign-in: always a page of the gateway.

use url::Url;

use crate::http::paths::{ACCOUNT, DEVICE, PLAYGROUND};

const LENGTH_MAX: usize = 512;

/// The page that a sign-in leads to if its request names none.
pub const DEFAULT: &str = ACCOUNT;

/// The pages that a sign-in may lead to; those below them count too.
const PAGES: [&str; 3] = [ACCOUNT, DEVICE, PLAYGROUND];

/// A path that a sign-in may lead to, with its query; none for any other text. The text is read as
/// browsers read it, for which `//host`, `/\host` and paths with line breaks lead away.
pub fn checked(text: &str) -> Option<String> {
    if text.len() > LENGTH_MAX || !text.starts_with('/') {
        return None;
    }
    let own = Url::parse("https://gateway.invalid").ok()?;
    let url = own.join(text).ok()?;
    let is_own = url.origin() == own.origin() && url.username().is_empty();
    let path = url.path();
    let is_page = PAGES.iter().any(|page| {
        path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !is_own || !is_page {
        return None;
    }
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{path}{query}"))
}

/// The same, or the default page.
pub fn or_default(text: Option<&str>) -> String {
    text.and_then(checked).unwrap_or_else(|| DEFAULT.to_owned())
}

/// A path with the page to go to afterwards in its query.
pub fn carried_by(path: &str, return_to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", return_to)
        .finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages_are_kept_with_their_query() {
        for (text, kept) in [
            ("/account", "/account"),
            ("/account/totp", "/account/totp"),
            ("/device?user_code=BCDF-GHJK", "/device?user_code=BCDF-GHJK"),
            ("/playground#x", "/playground"),
            ("/device/../account", "/account"),
        ] {
            assert_eq!(checked(text).as_deref(), Some(kept), "{text}");
        }
    }

    #[test]
    fn everything_that_leads_away_is_refused() {
        let long = format!("/account?{}", "x".repeat(LENGTH_MAX));
        for text in [
            "",
            "account",
            "//evil.example",
            "//evil.example/account",
            "/\\evil.example/account",
            "/\t/evil.example/account",
            "/\n/evil.example/device",
            "https://evil.example/account",
            "https:/account",
            "javascript:alert(1)",
            "/accountant",
            "/logout",
            "/login",
            "/account/../logout",
            "/account/%2e%2e/logout",
            "/graphql",
            &long,
        ] {
            assert_eq!(checked(text), None, "{text}");
        }
        assert_eq!(or_default(Some("//evil.example")), DEFAULT);
    }

    #[test]
    fn carried_path_is_encoded() {
        let path = carried_by("/login", "/device?user_code=A&b=c");
        assert_eq!(path, "/login?return_to=%2Fdevice%3Fuser_code%3DA%26b%3Dc");
    }
}
