//! Where an installation of a legacy system may stand.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::error::{Error, Result};

/// Why plain HTTP and private addresses are refused, with the setting that allows both.
const PLAIN: &str = "must begin with https://; http:// is allowed only for private addresses, and \
    only if the gateway's operator sets upstream.allow_private_addresses = true";
const PRIVATE: &str = "is at a loopback or private address that is not allowed here; the \
    gateway's operator allows such addresses with upstream.allow_private_addresses = true";

/// The longest base URL, in bytes.
const LONGEST: usize = 2048;

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether loopback and private networks are allowed, and plain HTTP there. Link-local
    /// addresses never are.
    pub allow_private: bool,
}

/// The URL below which all paths of an installation lie: `https`, or `http` where the policy allows
/// it; without user, query and fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads a base URL, and keeps it in its canonical form, so that two registrations of one
    /// installation can be told: the host in lower case and without the dot at its end, an IPv4
    /// address as such, no default port, nothing percent-encoded that need not be, no slash at the
    /// end.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` and what is wrong: another scheme, no host, a user name,
    /// a query, a fragment, an address that the policy forbids. A name is resolved, and judged,
    /// when it is called.
    pub fn parse(argument: &str, text: &str, policy: AddressPolicy) -> Result<Self> {
        let refused = |must: &str| Err(Error::bad_input(argument, must));
        let url = match Url::parse(text) {
            Ok(url) if text.len() <= LONGEST => url,
            _ => {
                return refused(
                    "must be an absolute URL of at most 2048 bytes, such as https://manager.example:4119/api",
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
            return refused("must not hold a user name or a password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refused("must end with its path: no query, no fragment");
        }
        match address(&url) {
            Some(address) if !policy.permits(address, plain) => {
                let with_setting = AddressPolicy { allow_private: true };
                if with_setting.permits(address, plain) {
                    refused(PRIVATE)
                } else {
                    refused("is at an address that is not allowed here")
                }
            }
            _ => Ok(Self(canonical(url))),
        }
    }

    /// The text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is shown to another one may be shown here: the host is the same, whatever its
    /// port and path, and TLS is not given up.
    pub fn keeps_host_and_tls_of(&self, other: &Self) -> bool {
        let host =
            |url: &Self| Url::parse(&url.0).ok().and_then(|url| url.host_str().map(str::to_owned));
        host(self).is_some_and(|own| host(other) == Some(own))
            && (other.is_plain() || !self.is_plain())
    }

    /// Whether calls go there without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.0.starts_with("http:")
    }
}

/// What the parser has left to do of RFC 3986, section 6.2.2.
fn canonical(mut url: Url) -> String {
    let absolute =
        url.host_str().and_then(|name| name.strip_suffix('.')).filter(|name| !name.is_empty());
    if let Some(name) = absolute.map(str::to_owned) {
        // The name was a valid one with the dot.
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

/// A path in which unreserved characters are written as they are, and all others with upper-case
/// digits.
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

/// The address in a URL, where there is one in place of a name.
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
    fn a_slash_at_the_end_is_dropped_and_the_rest_kept() {
        for (text, kept) in [
            ("https://manager.example:4119/api/", "https://manager.example:4119/api"),
            ("https://MANAGER.example/", "https://manager.example"),
            ("https://8.8.8.8", "https://8.8.8.8"),
        ] {
            assert_eq!(BaseUrl::parse("baseURL", text, CLOSED).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn every_spelling_of_a_place_is_kept_as_one() {
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
    fn what_is_no_base_is_refused_by_name() {
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
    fn private_places_need_the_policy() {
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
