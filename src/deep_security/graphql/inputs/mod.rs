//! Inputs of mutations, validated into the vendor's JSON.

mod computer;
mod key;
mod policy;

pub use computer::UpdateDeepSecurityComputerInput;
pub use key::{CreateDeepSecurityApiKeyInput, UpdateDeepSecurityApiKeyInput};
pub use policy::DeepSecurityPolicyInput;

use async_graphql::{ID, MaybeUndefined};
use serde_json::{Map, Value};

use super::enums::VendorEnum;
use crate::error::{Error, Result};
use crate::names::Name;

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

/// Adds a reference: the vendor removes one that is 0 and ignores one that is null.
fn put_reference(
    body: &mut Map<String, Value>,
    name: &str,
    id: MaybeUndefined<ID>,
    read: impl FnOnce(&str) -> Result<i64>,
) -> Result<()> {
    let id = match id {
        MaybeUndefined::Undefined => return Ok(()),
        MaybeUndefined::Null => 0,
        MaybeUndefined::Value(id) => read(&id)?,
    };
    body.insert(name.to_owned(), id.into());
    Ok(())
}

/// Validates a name: the vendor's limit is one character below the gateway's.
fn short_name(argument: &str, name: &str) -> Result<String> {
    let name = Name::parse(argument, name)?;
    match name.as_str().chars().count() {
        0..=254 => Ok(name.as_str().to_owned()),
        _ => Err(Error::bad_input(argument, "must have 1 to 254 characters")),
    }
}

/// The vendor's spelling of an enumeration value; `UNKNOWN` is refused.
fn vendor_text(argument: &str, value: Option<impl VendorEnum>) -> Result<Option<&'static str>> {
    let unknown = || Error::bad_input(argument, "cannot be UNKNOWN");
    value.map(|value| value.as_vendor().ok_or_else(unknown)).transpose()
}
