//! Credentials of installations.

use std::fmt;

use super::system::Authentication;
use crate::error::{Error, Result};

/// The longest credential that is accepted, in bytes.
const CREDENTIAL_MAX: usize = 4 * 1024;

/// A credential of an installation, in the clear. It is sealed at rest and never shown again.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// The secret key of a Deep Security manager.
    SecretKey(String),
    /// The API key of a Cloud One account.
    CloudOneApiKey(String),
    /// An account of an Integration Server.
    Basic {
        /// The name; it has no colon.
        user_name: String,
        /// The password.
        password: String,
    },
}

impl Credential {
    /// A secret key or an API key: printable ASCII without spaces.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`, without the text.
    pub fn key(argument: &str, authentication: Authentication, text: String) -> Result<Self> {
        if let Some(problem) = key_problem(&text) {
            return Err(Error::bad_input(argument, problem));
        }
        match authentication {
            Authentication::SecretKey => Ok(Self::SecretKey(text)),
            Authentication::CloudOneApiKey => Ok(Self::CloudOneApiKey(text)),
            Authentication::Basic => {
                Err(Error::bad_input(argument, "must be a secret key or an API key"))
            }
        }
    }

    /// An account. The name is `multitenancy` if absent.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a name with a colon, and for control characters.
    pub fn basic(user_name: Option<String>, password: String) -> Result<Self> {
        let user_name = user_name.unwrap_or_else(|| "multitenancy".to_owned());
        let fits = |text: &str| {
            !text.is_empty() && text.len() <= CREDENTIAL_MAX && !text.chars().any(char::is_control)
        };
        if !fits(&user_name) || user_name.contains(':') {
            return Err(Error::bad_input(
                "userName",
                "must have 1 to 4096 characters, none of them a colon",
            ));
        }
        if !fits(&password) {
            return Err(Error::bad_input(
                "password",
                "must have 1 to 4096 characters, none of them a control character",
            ));
        }
        Ok(Self::Basic { user_name, password })
    }

    /// The authentication method that it is for.
    pub const fn authentication(&self) -> Authentication {
        match self {
            Self::SecretKey(_) => Authentication::SecretKey,
            Self::CloudOneApiKey(_) => Authentication::CloudOneApiKey,
            Self::Basic { .. } => Authentication::Basic,
        }
    }

    /// The bytes to seal.
    pub(in crate::upstreams) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SecretKey(key) | Self::CloudOneApiKey(key) => key.clone().into_bytes(),
            Self::Basic { user_name, password } => format!("{user_name}:{password}").into_bytes(),
        }
    }

    /// Reads the bytes that were sealed.
    pub(in crate::upstreams) fn from_bytes(
        authentication: Authentication,
        bytes: Vec<u8>,
    ) -> Result<Self> {
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::internal("a sealed credential is no text"))?;
        Ok(match authentication {
            Authentication::SecretKey => Self::SecretKey(text),
            Authentication::CloudOneApiKey => Self::CloudOneApiKey(text),
            Authentication::Basic => {
                let (user_name, password) = text.split_once(':').unwrap_or((&text, ""));
                Self::Basic { user_name: user_name.to_owned(), password: password.to_owned() }
            }
        })
    }
}

/// Returns the reason why a key is invalid, without the key itself.
fn key_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.len() > CREDENTIAL_MAX {
        Some("must have 1 to 4096 characters")
    } else if text.trim().len() != text.len() {
        Some("must not begin or end with spaces or line breaks; was it copied with them?")
    } else if text.chars().any(char::is_whitespace) {
        Some("must not contain spaces or line breaks; was more than the key copied?")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("must contain printable ASCII characters only")
    } else {
        None
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
