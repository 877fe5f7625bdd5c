//! The expiry of API keys that a caller creates, extends or rotates: never after the caller's own
//! permission to change legacy resources ends. Otherwise a temporary role would become permanent
//! through the key.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::deep_security::wire::KeyBody;
use crate::error::{Error, Result};

/// The expiry of a new key: the requested one, or by default the end of the caller's permission.
///
/// # Errors
/// `FORBIDDEN` for a key that would outlive the permission.
pub fn of_new(requested: Option<i64>, right: Option<Timestamp>) -> Result<Option<i64>> {
    match requested {
        Some(end) => require_within(Some(end), right).map(|()| requested),
        None => Ok(right.map(Timestamp::millis)),
    }
}

/// Requires that a change that unlocks a key, extends it or gives it another role leaves no key
/// that outlives the caller's permission. Locking, renaming and shortening are always allowed.
///
/// # Errors
/// `FORBIDDEN` if the key would outlive the permission.
pub fn require_change(before: &Value, change: &KeyBody, right: Option<Timestamp>) -> Result<()> {
    let strengthens =
        change.expiry_date.is_some() || change.role_id.is_some() || change.active == Some(true);
    if strengthens {
        require_within(change.expiry_date.or_else(|| end_of(before)), right)?;
    }
    Ok(())
}

/// Requires that a key whose new secret the caller receives does not outlive the caller's
/// permission.
///
/// # Errors
/// `FORBIDDEN` if the key outlives the permission.
pub fn require_rotation(before: &Value, right: Option<Timestamp>) -> Result<()> {
    require_within(end_of(before), right)
}

/// The expiry of a key in milliseconds; `None` if it never expires.
fn end_of(key: &Value) -> Option<i64> {
    key["expiryDate"].as_i64().filter(|end| *end > 0)
}

fn require_within(end: Option<i64>, right: Option<Timestamp>) -> Result<()> {
    let Some(right) = right else { return Ok(()) };
    if end.is_some_and(|end| end <= right.millis()) {
        return Ok(());
    }
    Err(Error::forbidden(format!(
        "the API key would outlive the caller's right to change legacy resources, \
         which ends at {right}"
    )))
}
