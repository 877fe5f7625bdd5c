//! E-mail addresses, by which people sign in.

use crate::error::{Error, Result};

/// RFC 5321, section 4.5.3.1.3: a path of 256 octets with its brackets.
const LENGTH_MAX: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const LOCAL_PART_MAX: usize = 64;
/// RFC 1035, section 2.3.4.
const LABEL_MAX: usize = 63;

/// An e-mail address in ASCII. Other letters are refused: two addresses that look alike, or that
/// case folding makes equal, could belong to different people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Parses an address given by a caller; surrounding white space is trimmed.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        Self::read(text).ok_or_else(|| {
            Error::bad_input(argument, "must be an e-mail address of ASCII characters")
        })
    }

    /// Reads an address that was typed; nothing if it is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let is_address = text.len() <= LENGTH_MAX
            && local.len() <= LOCAL_PART_MAX
            && local.split('.').all(is_atom)
            && domain.split('.').all(is_label);
        is_address.then(|| Self(text.to_owned()))
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case, by which it is found.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The domain in lower case.
    pub fn domain(&self) -> String {
        let (_, domain) = self.0.rsplit_once('@').unwrap_or_default();
        domain.to_ascii_lowercase()
    }
}

/// RFC 5322, section 3.2.3.
fn is_atom(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

fn is_label(text: &str) -> bool {
    (1..=LABEL_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_found_in_any_letter_case() {
        let address = EmailAddress::read(" Ada.Lovelace+ops@Example.COM ").unwrap();
        assert_eq!(address.as_str(), "Ada.Lovelace+ops@Example.COM");
        assert_eq!(address.folded(), "ada.lovelace+ops@example.com");
        assert_eq!(address.domain(), "example.com");
    }

    #[test]
    fn text_that_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@-example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada@exa_mple.com",
            "adá@example.com",
            "ada@exämple.com",
            "ada@example.com\0",
            "a@b@",
            &long,
        ] {
            assert_eq!(EmailAddress::read(text), None, "{text}");
        }
    }
}
