//! Conversions of the vendor's values.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value};

use crate::clock::Timestamp;
use crate::deep_security::wire::EnumText;
use crate::graph::graphql::DateTime;

/// A date in RFC 3339; null if the number is out of range.
pub fn date_text(millis: Option<i64>) -> Option<String> {
    millis.and_then(Timestamp::checked_from_millis).map(|moment| moment.to_string())
}

/// A date; null if the number is out of range.
pub fn date_time(millis: Option<i64>) -> Option<DateTime> {
    millis.and_then(Timestamp::checked_from_millis).map(DateTime)
}

/// The id of a reference; 0 means none.
pub fn reference(id: Option<i64>) -> Option<ID> {
    id.filter(|id| *id != 0).map(|id| ID(id.to_string()))
}

/// The vendor's spelling of an enumeration value.
pub fn text(value: &Option<EnumText>) -> Option<&str> {
    value.as_ref().map(EnumText::as_str)
}

/// A list of the vendor's ids, resolved at once: a module may have thousands, and the library
/// resolves each item of a `Vec` in a future of its own.
pub struct IdList<'a>(&'a [i64]);

/// The ids of a list.
pub fn id_list(ids: &Option<Vec<i64>>) -> Option<IdList<'_>> {
    ids.as_deref().map(IdList)
}

impl OutputType for IdList<'_> {
    fn type_name() -> Cow<'static, str> {
        <Vec<ID> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<ID> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<ID> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::List(self.0.iter().map(|id| Value::String(id.to_string())).collect()))
    }
}
