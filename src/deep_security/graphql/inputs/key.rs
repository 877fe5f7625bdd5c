//! Inputs that create and change API keys.

use async_graphql::{ID, InputObject};

use super::{short_name, vendor_text};
use crate::clock::Timestamp;
use crate::deep_security::graphql::criteria::plain_text;
use crate::deep_security::graphql::enums::DeepSecurityLocale;
use crate::deep_security::model::IdScope;
use crate::deep_security::wire::KeyBody;
use crate::error::{Error, Result};
use crate::global_id::NodeKind;
use crate::upstreams;

/// Input of the mutations that create an API key.
#[derive(InputObject)]
pub struct CreateDeepSecurityApiKeyInput {
    /// The key's name, 1 to 254 characters; not necessarily unique.
    key_name: String,
    /// The id of a role of the same tenant; see `DeepSecurity.roles`.
    #[graphql(name = "roleID")]
    role_id: ID,
    /// The description.
    description: Option<String>,
    /// The locale.
    locale: Option<DeepSecurityLocale>,
    /// The IANA name of the key's time zone.
    time_zone: Option<String>,
    /// When the key expires, in RFC 3339 and in the future.
    expires_at: Option<String>,
    /// When it expires.
    #[graphql(deprecation = "use expiresAt; offered until 2027-12-31")]
    expiry_date: Option<String>,
}

/// Changes of an API key. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateDeepSecurityApiKeyInput {
    /// The new name.
    key_name: Option<String>,
    /// The description.
    description: Option<String>,
    /// The id of a role of the same tenant.
    #[graphql(name = "roleID")]
    role_id: Option<ID>,
    /// Whether the key works; a locked key does not.
    active: Option<bool>,
    /// The locale.
    locale: Option<DeepSecurityLocale>,
    /// The IANA name of the key's time zone.
    time_zone: Option<String>,
    /// When the key expires, in RFC 3339 and in the future.
    expires_at: Option<String>,
    /// When it expires.
    #[graphql(deprecation = "use expiresAt; offered until 2027-12-31")]
    expiry_date: Option<String>,
}

impl CreateDeepSecurityApiKeyInput {
    /// Validates the key and returns its body.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field; `NOT_FOUND` for a global id of another type or scope.
    pub fn check(self, ids: IdScope, now: Timestamp) -> Result<KeyBody> {
        Ok(KeyBody {
            key_name: Some(short_name("keyName", &self.key_name)?),
            role_id: Some(ids.reference("roleID", NodeKind::DeepSecurityRole, &self.role_id)?),
            description: self
                .description
                .map(|text| plain_text("description", text))
                .transpose()?,
            locale: vendor_text("locale", self.locale)?,
            time_zone: self.time_zone.map(time_zone).transpose()?,
            expiry_date: expiry(self.expires_at, self.expiry_date, now)?,
            active: None,
        })
    }
}

impl UpdateDeepSecurityApiKeyInput {
    /// Validates the change and returns its body.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field; `NOT_FOUND` for a global id of another type or scope.
    pub fn check(self, ids: IdScope, now: Timestamp) -> Result<KeyBody> {
        let body = KeyBody {
            key_name: self.key_name.map(|name| short_name("keyName", &name)).transpose()?,
            role_id: self
                .role_id
                .map(|id| ids.reference("roleID", NodeKind::DeepSecurityRole, &id))
                .transpose()?,
            description: self
                .description
                .map(|text| plain_text("description", text))
                .transpose()?,
            locale: vendor_text("locale", self.locale)?,
            time_zone: self.time_zone.map(time_zone).transpose()?,
            expiry_date: expiry(self.expires_at, self.expiry_date, now)?,
            active: self.active,
        };
        if body == KeyBody::default() {
            return Err(Error::bad_input("input", "must contain at least one change"));
        }
        Ok(body)
    }
}

fn time_zone(name: String) -> Result<String> {
    upstreams::model::time_zone(Some(name))
}

/// The expiry date in milliseconds, from `expiresAt` or the deprecated `expiryDate`.
fn expiry(
    expires_at: Option<String>,
    expiry_date: Option<String>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let (argument, date) = match (expires_at, expiry_date) {
        (Some(_), Some(_)) => {
            return Err(Error::bad_input("expiresAt", "cannot be combined with expiryDate"));
        }
        (Some(date), None) => ("expiresAt", date),
        (None, Some(date)) => ("expiryDate", date),
        (None, None) => return Ok(None),
    };
    let end = Timestamp::parse(argument, &date)?;
    if end > now {
        Ok(Some(end.millis()))
    } else {
        Err(Error::bad_input(argument, "must be in the future"))
    }
}
