//! When an API key ends that a caller makes, extends or takes over: with the caller's own right to
//! change legacy resources at the latest. Otherwise a role that is held until a moment would be
//! held for ever through the key.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::deep_security::wire::KeyBody;
use crate::error::{Error, Result};

/// The end of a new key: the one wished for, else that of the caller's right, if it has one.
///
/// # Errors
/// `FORBIDDEN` for a key that would outlive the right.
pub fn of_new(wished: Option<i64>, right: Option<Timestamp>) -> Result<Option<i64>> {
    match wished {
        Some(end) => require_within(Some(end), right).map(|()| wished),
        None => Ok(right.map(Timestamp::millis)),
    }
}

/// Requires that a change leaves no key that works, with that role and until then, for longer than
/// the caller's right lasts. Locking, renaming and shortening are free.
///
/// # Errors
/// `FORBIDDEN` if it does.
pub fn require_change(before: &Value, change: &KeyBody, right: Option<Timestamp>) -> Result<()> {
    let strengthens =
        change.expiry_date.is_some() || change.role_id.is_some() || change.active == Some(true);
    if strengthens {
        require_within(change.expiry_date.or_else(|| end_of(before)), right)?;
    }
    Ok(())
}

/// Requires that a key whose new secret the caller is shown does not outlive the caller's right.
///
/// # Errors
/// `FORBIDDEN` if it does.
pub fn require_rotation(before: &Value, right: Option<Timestamp>) -> Result<()> {
    require_within(end_of(before), right)
}

/// The vendor's end of a key, in milliseconds; absent if it has none.
fn end_of(key: &Value) -> Option<i64> {
    key["expiryDate"].as_i64().filter(|end| *end > 0)
}

fn require_within(end: Option<i64>, right: Option<Timestamp>) -> Result<()> {
    let Some(right) = right else { return Ok(()) };
    if end.is_some_and(|end| end <= right.millis()) {
        return Ok(());
    }
    Err(Error::forbidden(format!(
        "the API key would outlive the caller's right to change legacy resources, which ends at {right}"
    )))
}
