//! The text of a schema.
//!
//! async-graphql cannot describe the schema itself, and prints `@specifiedBy` only on request.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// The schema in the schema definition language, its members in alphabetical order.
pub fn schema_text<Q, M, S>(schema: &Schema<Q, M, S>, description: Option<&str>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    let mut text = schema.sdl_with_options(options);
    let definition = text.rfind("\nschema {");
    if let (Some(at), Some(description)) = (definition, description) {
        text.insert_str(at + 1, &format!("\"\"\"\n{description}\n\"\"\"\n"));
    }
    text
}
