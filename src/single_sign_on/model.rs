//! Providers, and the values that they are made from.

use std::fmt;

use serde_json::{Value, json};

use super::entity::provider;
use crate::error::{Error, Result};
use crate::ids::{IdentityProviderId, TenantId, UserId};
use crate::outbound::{AddressPolicy, BaseUrl, check_certificates};
use crate::roles::Role;

/// The most domains of a provider.
const DOMAINS_MAX: usize = 50;

/// The longest domain name (RFC 1035, section 2.3.4).
const DOMAIN_LENGTH_MAX: usize = 253;

/// The longest issuer, in bytes.
const ISSUER_MAX: usize = 2048;

/// The longest client id and client secret, in bytes.
const CLIENT_ID_MAX: usize = 255;
const SECRET_MAX: usize = 4096;

/// The longest certificates, in bytes.
const CERTIFICATE_MAX: usize = 64 * 1024;

/// The identity provider of a tenant, without its secret.
#[derive(Clone, Debug)]
pub struct Provider {
    pub(super) row: provider::Model,
    pub(super) domains: Vec<String>,
}

impl Provider {
    /// Its id, as sign-in links have it.
    pub fn id(&self) -> IdentityProviderId {
        self.row.id
    }

    /// The tenant whose people sign in there.
    pub fn tenant(&self) -> TenantId {
        self.row.tenant_id
    }

    /// The domains whose e-mail addresses it may vouch for, sorted.
    pub fn domains(&self) -> &[String] {
        &self.domains
    }

    /// The role of accounts that sign in for the first time.
    pub fn default_role(&self) -> Option<Role> {
        self.row.default_role_id.and_then(Role::from_id)
    }

    /// The provider for the audit log, without its secret.
    pub(super) fn state(&self) -> Value {
        json!({
            "issuer": self.row.issuer,
            "clientID": self.row.client_id,
            "domains": self.domains,
            "defaultRole": self.default_role().map(Role::name),
            "emergencyUserID": self.row.emergency_user_id,
            "enabled": self.row.enabled,
        })
    }
}

/// The secret of the gateway's client at a provider. It is sealed at rest and never shown.
#[derive(Clone)]
pub struct ProviderSecret(String);

impl ProviderSecret {
    /// Reads a secret.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, without the text.
    pub fn parse(text: String) -> Result<Self> {
        let fits = (1..=SECRET_MAX).contains(&text.len())
            && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !fits || text.trim().len() != text.len() {
            let must = "must have 1 to 4096 printable ASCII characters, no space at either end";
            return Err(Error::bad_input("clientSecret", must));
        }
        Ok(Self(text))
    }

    /// The secret itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProviderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A provider to set, in place of the one that the tenant has.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// The issuer, exactly as the provider's metadata names it.
    pub issuer: String,
    /// The gateway's client id there.
    pub client_id: String,
    /// The gateway's secret there; that of the present provider if absent.
    pub client_secret: Option<ProviderSecret>,
    /// Certificates in PEM that the provider's is signed by; public authorities if absent.
    pub ca_certificate: Option<String>,
    /// The domains whose e-mail addresses it may vouch for, sorted, each once.
    pub domains: Vec<String>,
    /// The role of accounts that sign in for the first time; nobody gets one if absent.
    pub default_role: Option<Role>,
    /// The one user who may sign in with a password all the same.
    pub emergency_user: Option<UserId>,
    /// Whether people sign in there.
    pub enabled: bool,
}

impl NewProvider {
    /// Checks everything that needs no database.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn check(mut self, policy: AddressPolicy) -> Result<Self> {
        check_issuer(&self.issuer, policy)?;
        let fits = |text: &str| {
            (1..=CLIENT_ID_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !fits(&self.client_id) {
            let must = "must have 1 to 255 printable ASCII characters without spaces";
            return Err(Error::bad_input("clientID", must));
        }
        if let Some(certificate) = &self.ca_certificate {
            check_certificate(certificate)?;
        }
        if self.domains.is_empty() || self.domains.len() > DOMAINS_MAX {
            return Err(Error::bad_input("domains", "must have 1 to 50 entries"));
        }
        self.domains = self.domains.iter().map(|text| domain(text)).collect::<Result<_>>()?;
        self.domains.sort();
        self.domains.dedup();
        Ok(self)
    }
}

/// The issuer is kept as it is written: metadata and tokens must repeat it exactly.
fn check_issuer(text: &str, policy: AddressPolicy) -> Result<()> {
    if text.len() > ISSUER_MAX {
        return Err(Error::bad_input("issuer", "must have at most 2048 bytes"));
    }
    BaseUrl::parse("issuer", text, policy).map(drop)
}

fn check_certificate(text: &str) -> Result<()> {
    if text.len() > CERTIFICATE_MAX {
        return Err(Error::bad_input("caCertificate", "must have at most 64 KiB"));
    }
    // Certificates are stored unsealed: a private key copied along would be readable.
    if text.contains("PRIVATE KEY") {
        let must = "must contain only certificates in PEM, and no private key";
        return Err(Error::bad_input("caCertificate", must));
    }
    check_certificates("caCertificate", text)
}

/// A domain name in lower case; international ones in their ASCII form.
fn domain(text: &str) -> Result<String> {
    let domain = text.trim().to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let fits = domain.len() <= DOMAIN_LENGTH_MAX
        && domain.contains('.')
        && domain.split('.').all(is_label);
    if fits {
        return Ok(domain);
    }
    let must = "must be domain names such as example.com, without @, international ones in the \
                form xn--";
    Err(Error::bad_input("domains", must))
}

/// The binding of a sealed secret: it opens only in its own row and for its tenant.
pub(super) fn binding(id: IdentityProviderId, tenant: TenantId) -> String {
    format!("identity_provider:{tenant}:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: AddressPolicy = AddressPolicy { allow_private: true };

    fn new(issuer: &str, domains: &[&str]) -> NewProvider {
        NewProvider {
            issuer: issuer.to_owned(),
            client_id: "gateway".to_owned(),
            client_secret: None,
            ca_certificate: None,
            domains: domains.iter().map(ToString::to_string).collect(),
            default_role: None,
            emergency_user: None,
            enabled: true,
        }
    }

    #[test]
    fn domains_are_sorted_lower_case_and_distinct() {
        let checked = new("https://id.example", &["B.example", "a.example", "b.EXAMPLE"]);
        assert_eq!(checked.check(OPEN).unwrap().domains, ["a.example", "b.example"]);
    }

    #[test]
    fn invalid_provider_is_refused_naming_the_field() {
        for (issuer, domains, field) in [
            ("ftp://id.example", &["a.example"][..], "issuer"),
            ("https://id.example?x=1", &["a.example"], "issuer"),
            ("https://169.254.169.254", &["a.example"], "issuer"),
            ("https://id.example", &[], "domains"),
            ("https://id.example", &["example"], "domains"),
            ("https://id.example", &["@a.example"], "domains"),
            ("https://id.example", &["a..example"], "domains"),
            ("https://id.example", &["%.example"], "domains"),
            ("https://id.example", &["bücher.example"], "domains"),
        ] {
            let error = new(issuer, domains).check(OPEN).unwrap_err();
            assert!(error.message().starts_with(&format!("{field}: ")), "{error}");
        }
    }

    #[test]
    fn issuer_keeps_its_spelling() {
        let checked = new("https://id.example/realms/x/", &["a.example"]).check(OPEN).unwrap();
        assert_eq!(checked.issuer, "https://id.example/realms/x/");
    }
}
