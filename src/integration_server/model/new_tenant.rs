//! The input for a new tenant.

use std::fmt;
use std::net::IpAddr;

use super::WireText;
use crate::error::{Error, Result};

const PASSWORD_MAX: usize = 256;

/// A tenant to be made (reference, T4), valid by construction.
#[derive(Debug)]
pub struct NewTenant {
    /// Its name, which must be new to the whole installation.
    pub name: WireText,
    /// The description.
    pub description: Option<WireText>,
    /// Free text that the server stores with the tenant.
    pub user_data: Option<WireText>,
    /// The address of the Integration Server for the tenant's agents. Without it the server takes
    /// the address at which it was called, which is wrong behind a proxy.
    pub preferred_address: Option<IpAddr>,
    /// The infrastructure to set up.
    pub kind: NewTenantKind,
}

/// The infrastructure to set up for a new tenant.
#[derive(Debug)]
pub enum NewTenantKind {
    /// A row in the database alone.
    Simple,
    /// The whole protection infrastructure, with an account for its administrator.
    Complete(Administrator),
}

/// The account that is made for the administrator of a complete tenant.
#[derive(Debug)]
pub struct Administrator {
    /// Its name, which must be new to the whole Security Center.
    pub name: WireText,
    /// Its password.
    pub password: AdministratorPassword,
}

/// A password of 1 to 256 printable ASCII characters; passed on once and never kept. Its only way
/// out is [`AdministratorPassword::expose`].
pub struct AdministratorPassword(String);

impl NewTenantKind {
    /// A complete tenant, or a simple one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a complete tenant without administrator and for a simple one with one.
    pub fn new(complete: bool, administrator: Option<Administrator>) -> Result<Self> {
        match (complete, administrator) {
            (true, Some(administrator)) => Ok(Self::Complete(administrator)),
            (false, None) => Ok(Self::Simple),
            (true, None) => {
                Err(Error::bad_input("administrator", "is needed for a COMPLETE tenant"))
            }
            (false, Some(_)) => {
                Err(Error::bad_input("administrator", "is for COMPLETE tenants alone"))
            }
        }
    }
}

impl AdministratorPassword {
    /// Accepts a password. Security Center's own policy decides later; only the task reports its
    /// refusal.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`; never with anything of the password in it.
    pub fn parse(argument: &str, text: String) -> Result<Self> {
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || text.len() > PASSWORD_MAX || !printable {
            return Err(Error::bad_input(
                argument,
                "must have 1 to 256 printable ASCII characters",
            ));
        }
        Ok(Self(text))
    }

    /// The password itself. For the request that carries it, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdministratorPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn administrator(password: &str) -> Result<Administrator> {
        let password = AdministratorPassword::parse("password", password.to_owned())?;
        Ok(Administrator { name: WireText::name("name", "admin")?, password })
    }

    #[test]
    fn administrator_is_required_for_complete_tenants_only() {
        assert!(NewTenantKind::new(true, None).is_err());
        assert!(NewTenantKind::new(false, administrator("x").ok()).is_err());
        assert!(matches!(NewTenantKind::new(false, None), Ok(NewTenantKind::Simple)));
        assert!(matches!(
            NewTenantKind::new(true, administrator("x").ok()),
            Ok(NewTenantKind::Complete(_))
        ));
    }

    #[test]
    fn administrator_password_is_printable_ascii_and_redacted() {
        for bad in ["", "pässword", "a\tb", &"x".repeat(257)] {
            let refusal = administrator(bad).unwrap_err().to_string();
            assert!(bad.is_empty() || !refusal.contains(bad));
        }
        let kind = NewTenantKind::new(true, administrator("Good-Pass1").ok()).unwrap();
        assert!(
            format!("{kind:?}").contains("[redacted]")
                && !format!("{kind:?}").contains("Good-Pass1")
        );
    }
}
