//! The location of the pages for people.

use url::Url;

/// The location of the pages.
pub struct PagesState {
    /// The path of the public URL, put before every path: empty, or such as `/gateway`.
    pub base: String,
    /// The URL under which people reach the pages, without a closing slash.
    pub url: String,
    /// The origin of the public URL; none without a public URL, where every name under which the
    /// gateway is reached is its own.
    pub origin: Option<String>,
}

impl PagesState {
    /// The pages of a gateway with that issuer, and that public URL if one is set.
    pub fn new(issuer: &str, public_url: Option<&str>) -> Self {
        let authority_and_path = issuer.split_once("://").map_or("", |(_, rest)| rest);
        let base = authority_and_path.find('/').map_or("", |at| &authority_and_path[at..]);
        // As browsers write it: host in lower case, no default port.
        let origin = public_url.and_then(|url| Url::parse(url).ok());
        let origin = origin.map(|url| url.origin().ascii_serialization());
        Self { base: base.to_owned(), url: issuer.to_owned(), origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_origin_are_those_of_the_public_url() {
        for (url, base, origin) in [
            ("https://gateway.example", "", "https://gateway.example"),
            ("http://[::1]:8080/api/v2", "/api/v2", "http://[::1]:8080"),
            ("https://Gateway.example:443/tg", "/tg", "https://gateway.example"),
        ] {
            let pages = PagesState::new(url, Some(url));
            assert_eq!((&*pages.base, pages.origin.as_deref()), (base, Some(origin)));
        }
        assert_eq!(PagesState::new("http://127.0.0.1:8080", None).origin, None);
    }
}
