//! The values of variables.

use std::collections::HashMap;

use async_graphql::{Name, Value};

/// The coerced values. A variable that was not given and has no default is absent, which is not the
/// same as null.
#[derive(Debug, Default)]
pub struct Variables(pub(super) HashMap<String, Value>);

impl Variables {
    /// The value, unless it is absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl FromIterator<(Name, Value)> for Variables {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(values: I) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }
}
