//! What the graph takes from callers, and how it becomes valid.

mod computer;
mod key;
mod policy;

pub use computer::UpdateDeepSecurityComputerInput;
pub use key::{CreateDeepSecurityApiKeyInput, UpdateDeepSecurityApiKeyInput};
pub use policy::DeepSecurityPolicyInput;

use async_graphql::{ID, MaybeUndefined};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::names::Name;

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

/// The vendor writes null as 0, and leaves alone what is null.
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

/// The vendor's names are one character shorter than ours.
fn short_name(argument: &str, name: &str) -> Result<String> {
    let name = Name::parse(argument, name)?;
    match name.as_str().chars().count() {
        0..=254 => Ok(name.as_str().to_owned()),
        _ => Err(Error::bad_input(argument, "must have 1 to 254 characters")),
    }
}

fn known(argument: &str, word: Option<Option<&'static str>>) -> Result<Option<&'static str>> {
    match word {
        Some(None) => Err(Error::bad_input(argument, "must be one that is known")),
        word => Ok(word.flatten()),
    }
}
