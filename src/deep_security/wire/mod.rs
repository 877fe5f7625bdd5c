//! The vendor's JSON (`docs/reference/deep-security-api.md`, sections 2, 5 and 8). Fields that the
//! gateway does not use are skipped.

mod api_key;
mod computer;
mod enum_text;
mod lenient;
mod policy;
mod projection;
mod resource;
mod role;
mod search;
mod session;
mod tenant;

pub use api_key::{ApiKey, CurrentKey, KeyBody, KeyWithSecret, SecretKey};
pub use computer::{Computer, ComputerStatus, Module, ModuleStatus};
pub use enum_text::EnumText;
pub use lenient::count_nulled;
pub use policy::{Policy, PolicyModule, PolicyModuleStatus};
pub use projection::{ListSeed, ObjectSeed, Projection};
pub use resource::Resource;
pub use role::Role;
pub use search::{Criterion, Page, SearchFilter};
pub use session::{SignIn, SignedIn};
pub use tenant::Tenant;

use serde::de::DeserializeSeed;

use crate::error::Error;
use crate::projection::JsonError;

/// Deserializes a whole body with a seed.
///
/// # Errors
/// The problem and its position, without any of the body's text, which may contain secrets.
pub fn read<'a, S: DeserializeSeed<'a>>(body: &'a [u8], seed: S) -> Result<S::Value, String> {
    read_text(body, |text| {
        let mut json = serde_json::Deserializer::from_str(text);
        let read = seed.deserialize(&mut json)?;
        json.end()?;
        Ok(read)
    })
}

/// Reads the text of a whole body.
///
/// # Errors
/// As [`read`].
pub fn read_text<'a, T>(
    body: &'a [u8],
    read: impl FnOnce(&'a str) -> Result<T, JsonError>,
) -> Result<T, String> {
    // The check of each single string would take longer than this one of all.
    let text = std::str::from_utf8(body).map_err(|error| {
        format!("the response is not UTF-8, at byte {}", error.valid_up_to() + 1)
    })?;
    read(text).map_err(|error| format!("the response {error}"))
}

/// Serializes a body.
///
/// # Errors
/// None in practice: keys are text and numbers are finite.
pub fn write(body: &impl serde::Serialize) -> Result<bytes::Bytes, Error> {
    serde_json::to_vec(body).map(Into::into).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use serde::de::IgnoredAny;

    use super::read;

    #[test]
    fn problem_of_a_body_has_its_position_and_none_of_its_text() {
        let problem = |body: &[u8]| read(body, PhantomData::<IgnoredAny>).unwrap_err();
        assert_eq!(problem(b"{\"secret\":\"\xff\"}"), "the response is not UTF-8, at byte 12");
        assert_eq!(
            problem(b"{\"secret\":"),
            "the response is incomplete JSON, at line 1 column 10"
        );
        assert_eq!(problem(b"<secret>"), "the response is not JSON, at line 1 column 1");
    }
}
