//! What Deep Security sends and takes (`docs/reference/deep-security-api.md`, sections 2, 5 and 8).
//! Only what the gateway uses is read; the rest is skipped without being kept.

mod api_key;
mod computer;
mod lenient;
mod page;
mod policy;
mod projection;
mod role;
mod session;
mod tenant;
mod word;

pub use api_key::{ApiKey, CurrentKey, KeyBody, KeyWithSecret, SecretKey};
pub use computer::{Computer, ComputerStatus, Module, ModuleStatus};
pub use lenient::counting_odd;
pub use page::{Criterion, Page, Resource, SearchFilter};
pub use policy::{Policy, PolicyModule, PolicyModuleStatus};
pub use projection::{Object, Objects, Projection};
pub use role::Role;
pub use session::{SignIn, SignedIn};
pub use tenant::Tenant;
pub use word::Word;

use serde::de::DeserializeSeed;

use self::lenient::optional;
use crate::error::Error;

/// Reads an answer, in the way that the seed knows.
///
/// # Errors
/// Where it stopped being what the reference says, without any of its text, which may hold secrets.
pub fn read<'a, S: DeserializeSeed<'a>>(body: &'a [u8], seed: S) -> Result<S::Value, String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = seed.deserialize(&mut json).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "ends in the middle",
            serde_json::error::Category::Data => "has other members than it should",
            _ => "is no JSON",
        };
        format!("the answer {what}, at line {} column {}", error.line(), error.column())
    })
}

/// Writes a body.
///
/// # Errors
/// None in practice: what is written has text keys and finite numbers.
pub fn write(body: &impl serde::Serialize) -> Result<bytes::Bytes, Error> {
    serde_json::to_vec(body).map(Into::into).map_err(Error::internal)
}
