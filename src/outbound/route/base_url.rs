//! The base URL of an installation: parsed, checked against the address policy, canonical.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::address::AddressPolicy;
use crate::error::{Error, Result};

/// Why plain HTTP and private addresses are refused, with the setting that allows both.
const PLAIN: &str = "must begin with https://; http:// is allowed only for private addresses, and \
    only if the gateway's operator sets upstream.allow_private_addresses = true";
const PRIVATE: &str = "is at a loopback or private address that is not allowed here; the \
    gateway's operator allows such addresses with upstream.allow_private_addresses = true";

/// The maximum length of a base URL, in bytes.
const MAX_LENGTH: usize = 2048;

/// The URL that the path of every call to an installation is appended to. Its scheme is `https`, or
/// `http` where the policy allows it; it has no user information, query or fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Parses a base URL and normalizes it, so that two registrations of one installation compare
    /// equal: lower-case host without a trailing dot, an IPv4-mapped address as IPv4, no default
    /// port, no unnecessary percent-encoding, no trailing slash.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` and the fault: another scheme, no host, user information,
    /// a query, a fragment, or an address that the policy forbids. A host name is resolved and
    /// checked at the time of each connection instead.
    pub fn parse(argument: &str, text: &str, policy: AddressPolicy) -> Result<Self> {
        let refused = |must: &str| Err(Error::bad_input(argument, must));
        let url = match Url::parse(text) {
            Ok(url) if text.len() <= MAX_LENGTH => url,
            _ => {
                return refused(
                    "must be an absolute URL of at most 2048 bytes, \
                     such as https://manager.example:4119/api",
                );
            }
        };
        let plain = match url.scheme() {
            "https" => false,
            "http" if policy.allow_private => true,
            "http" => return refused(PLAIN),
            _ => return refused("must begin with https://"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refused("must not contain a user name or a password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refused("must not have a query or a fragment");
        }
        match address(&url) {
            Some(address) if !policy.permits(address, plain) => {
                let with_setting = AddressPolicy { allow_private: true };
                if with_setting.permits(address, plain) {
                    refused(PRIVATE)
                } else {
                    refused("points to an address that this gateway must not call")
                }
            }
            _ => Ok(Self(canonical(url))),
        }
    }

    /// The canonical text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a credential sent to `other` may also be sent here: the host is the same, whatever
    /// port and path, and the connection is not downgraded from TLS to plain HTTP.
    pub fn keeps_host_and_tls_of(&self, other: &Self) -> bool {
        let host =
            |url: &Self| Url::parse(&url.0).ok().and_then(|url| url.host_str().map(str::to_owned));
        host(self).is_some_and(|own| host(other) == Some(own))
            && (other.is_plain() || !self.is_plain())
    }

    /// Whether connections are made without TLS.
    pub(in crate::outbound) fn is_plain(&self) -> bool {
        self.0.starts_with("http:")
    }
}

/// The normalization of RFC 3986, section 6.2.2, that the `url` crate leaves undone.
fn canonical(mut url: Url) -> String {
    let absolute =
        url.host_str().and_then(|name| name.strip_suffix('.')).filter(|name| !name.is_empty());
    if let Some(name) = absolute.map(str::to_owned) {
        // Cannot fail: the host was valid with the trailing dot.
        url.set_host(Some(&name)).ok();
    }
    if let Some(Host::Ipv6(address)) = url.host()
        && let Some(address) = address.to_ipv4_mapped()
    {
        url.set_ip_host(address.into()).ok();
    }
    let path = plain_path(url.path());
    url.set_path(&path);
    url.as_str().trim_end_matches('/').to_owned()
}

/// Decodes percent-encoded unreserved characters of a path and writes all other escapes with
/// upper-case digits.
fn plain_path(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits =
            part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            Some(byte) => {
                plain.push_str(&format!("%{byte:02X}"));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    plain
}

/// The address in a URL whose host is an IP literal.
fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: AddressPolicy = AddressPolicy { allow_private: true };
    const CLOSED: AddressPolicy = AddressPolicy { allow_private: false };

    #[test]
    fn trailing_slash_is_dropped_and_the_rest_kept() {
        for (text, kept) in [
            ("https://manager.example:4119/api/", "https://manager.example:4119/api"),
            ("https://MANAGER.example/", "https://manager.example"),
            ("https://8.8.8.8", "https://8.8.8.8"),
        ] {
            assert_eq!(BaseUrl::parse("baseURL", text, CLOSED).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn spellings_of_one_url_have_one_canonical_form() {
        for (spellings, kept) in [
            (
                &[
                    "https://manager.example/api",
                    "HTTPS://Manager.Example:443/api/",
                    "https://manager.example./api",
                    "https://manager.example/x/../api/",
                    "https://manager.example/%61p%69",
                ][..],
                "https://manager.example/api",
            ),
            (
                &[
                    "https://8.8.8.8:4119",
                    "https://134744072:4119/",
                    "https://[::ffff:8.8.8.8]:4119",
                ][..],
                "https://8.8.8.8:4119",
            ),
            (
                &["https://manager.example/a%2fb", "https://manager.example/a%2Fb"][..],
                "https://manager.example/a%2Fb",
            ),
        ] {
            for text in spellings {
                assert_eq!(
                    BaseUrl::parse("baseURL", text, CLOSED).unwrap().as_str(),
                    kept,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn invalid_base_url_is_refused_naming_the_argument() {
        for text in [
            "",
            "manager.example",
            "ftp://manager.example",
            "file:///etc/passwd",
            "https://",
            "https://user@manager.example",
            "https://user:pass@manager.example",
            "https://manager.example?x=1",
            "https://manager.example#x",
            "http://8.8.8.8",
            "https://169.254.169.254",
            "https://[::ffff:169.254.169.254]",
            "https://0xa9fea9fe",
            "https://[fe80::1]",
            "https://0.0.0.0",
        ] {
            let error = BaseUrl::parse("baseURL", text, OPEN).unwrap_err();
            assert!(error.message().starts_with("baseURL: "), "{text}");
        }
    }

    #[test]
    fn private_address_needs_the_policy() {
        let private = [
            "http://127.0.0.1:1234",
            "https://10.0.0.1",
            "https://[::1]",
            "http://manager",
            "https://2130706433",
        ];
        for text in private {
            assert!(BaseUrl::parse("baseURL", text, OPEN).is_ok(), "{text}");
            assert!(BaseUrl::parse("baseURL", text, CLOSED).is_err(), "{text}");
        }
    }
}
