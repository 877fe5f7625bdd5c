use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

const REDACTED: &str = "[redacted]";

/// A secret setting. `Debug` and `Serialize` print `[redacted]`.
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Replaced: Serde's own message would quote the value.
        let text =
            String::deserialize(deserializer).map_err(|_| D::Error::custom("must be a string"))?;
        Ok(Self(text))
    }
}
