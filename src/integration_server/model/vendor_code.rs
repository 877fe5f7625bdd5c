//! The server's own error codes.

/// The longest unknown code that is kept; longer ones are cut.
const UNKNOWN_MAX: usize = 100;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// An error code of the server, from a refusal or from the error of a task (reference,
        /// section 6).
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum VendorCode {
            $($(#[$doc])* $name,)*
            /// A code that no document lists.
            Unknown(String),
        }

        impl VendorCode {
            /// All codes of the documents.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Reads a code as the server writes it.
            pub fn read(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    _ => Self::Unknown(text.chars().take(UNKNOWN_MAX).collect()),
                }
            }

            /// The code as the documents write it; `None` for one that they do not list, since a
            /// caller gets no text of the server.
            pub const fn as_str(&self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    Self::Unknown(_) => None,
                }
            }
        }
    };
}

codes! {
    /// Something needed, such as the name, was not given.
    MandatoryParameterIsNotSpecified = "VIRMT_MandatoryParameterIsNotSpecified",
    /// No such type of tenant.
    InvalidTenantType = "VIRMT_InvalidTenantType",
    /// A complete tenant needs an administrator's name and password.
    VKscCredentialsNotSpecified = "VIRMT_VKscCredentialsNotSpecified",
    /// The preferred address is no IP address.
    InvalidViisAddressFormat = "VIRMT_InvalidViisAddressFormat",
    /// No such tenant.
    TenantWithSpecifiedIdNotFound = "VIRMT_TenantWithSpecifiedIdNotFound",
    /// No such machine.
    VmWithSpecifiedIdNotFound = "VIRMT_VmWithSpecifiedIdNotFound",
    /// The BIOS identifier is taken, over all tenants.
    VmWithSpecifiedBiosIdAlreadyExists = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists",
    /// The name is taken, over all tenants.
    TenantWithSpecifiedNameAlreadyExists = "VIRMT_TenantWithSpecifiedNameAlreadyExists",
    /// Security Center has a folder of that name.
    TenantGroupAlreadyExists = "VIRMT_TenantGroupAlreadyExists",
    /// Security Center has an account of that name.
    UserWithSpecifiedNameAlreadyExists = "VIRMT_UserWithSpecifiedNameAlreadyExists",
    /// Security Center refuses the administrator's password.
    PasswordNotComplyPolicy = "VIRMT_PasswordNotComplyPolicy",
    /// The server has no connection to Security Center: its operator must set one up.
    ServiceNotConfigured = "KSC_ServiceNotConfigured",
}

impl VendorCode {
    /// The sentence for callers. An existing name or BIOS identifier may be another tenant's, so
    /// the sentence says only that it cannot be used.
    pub const fn sentence(&self) -> &'static str {
        match self {
            Self::MandatoryParameterIsNotSpecified => {
                "the Integration Server requires a value that is missing"
            }
            Self::InvalidTenantType => {
                "the Integration Server does not support this type of tenant"
            }
            Self::VKscCredentialsNotSpecified => {
                "a complete tenant needs an administrator's name and password"
            }
            Self::InvalidViisAddressFormat => {
                "the Integration Server rejected the address for its agents"
            }
            Self::TenantWithSpecifiedIdNotFound => "no such tenant of the Integration Server",
            Self::VmWithSpecifiedIdNotFound => "no such virtual machine",
            Self::VmWithSpecifiedBiosIdAlreadyExists => {
                "no machine can be registered under this BIOS identifier"
            }
            Self::TenantWithSpecifiedNameAlreadyExists | Self::TenantGroupAlreadyExists => {
                "no tenant can be created with this name"
            }
            Self::UserWithSpecifiedNameAlreadyExists => {
                "no administrator account can be created with this name"
            }
            Self::PasswordNotComplyPolicy => {
                "the administrator's password does not comply with Security Center's policy"
            }
            Self::ServiceNotConfigured => {
                "the Integration Server is not connected to Security Center; its operator must \
                 configure the connection"
            }
            Self::Unknown(_) => "the Integration Server rejected the request",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_does_not_reveal_that_a_name_exists() {
        for code in VendorCode::ALL {
            let sentence = code.sentence().to_ascii_lowercase();
            assert!(
                ["exist", "already", "taken", "registered by", "other"]
                    .iter()
                    .all(|word| !sentence.contains(word))
            );
        }
    }

    #[test]
    fn vendor_code_round_trips_and_unknown_codes_stay_inside() {
        for code in VendorCode::ALL {
            assert_eq!(&VendorCode::read(code.as_str().unwrap()), code);
        }
        let unknown = VendorCode::read(&format!("VIRMT_{}", "x".repeat(1000)));
        assert!(matches!(&unknown, VendorCode::Unknown(text) if text.len() == UNKNOWN_MAX));
        assert_eq!(unknown.as_str(), None);
    }
}
