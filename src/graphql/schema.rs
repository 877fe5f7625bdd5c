//! The schema for validation, parsed from the text that async-graphql prints.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use async_graphql::Value;

/// Returns whether a value is valid for a custom scalar.
pub type Scalar = fn(&Value) -> bool;

/// Parts of introspection that graphql-js has and apollo-compiler lacks: `isOneOf` of the September
/// 2025 edition, and the deprecation of directives of the edition after it.
const INTROSPECTION: &str = "extend type __Type { isOneOf: Boolean }
extend type __Directive { isDeprecated: Boolean! deprecationReason: String }
extend enum __DirectiveLocation {
  \"Location adjacent to a directive definition.\"
  DIRECTIVE_DEFINITION
}";

/// A schema that documents are validated against.
pub struct SchemaModel {
    pub(super) schema: Arc<Valid<Schema>>,
    pub(super) scalars: HashMap<String, Scalar>,
    /// Whether callers may explore the schema: by introspection, and by suggestions in errors.
    pub(super) introspection: bool,
    /// The object types of each interface and union, in alphabetical order.
    possible_types: HashMap<String, Vec<String>>,
}

impl SchemaModel {
    /// Reads the text of a schema. Without `introspection` no answer and no error names anything
    /// that the document does not.
    ///
    /// # Errors
    /// The errors of the text.
    pub fn parse(
        sdl: &str,
        scalars: HashMap<String, Scalar>,
        introspection: bool,
    ) -> Result<Self, String> {
        let builder = Schema::builder()
            .parse(sdl, "schema.graphql")
            .parse(INTROSPECTION, "introspection.graphql");
        let mut schema = builder.build().map_err(|error| error.errors.to_string())?;
        list_deprecated_directives(&mut schema);
        let schema = schema.validate().map_err(|error| error.errors.to_string())?;
        let possible_types = possible_types(&schema);
        Ok(Self { schema: Arc::new(schema), scalars, introspection, possible_types })
    }

    /// The possible object types of a type: of an object type, itself.
    pub(super) fn possible_types<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        self.possible_types
            .get(name)
            .map_or_else(|| vec![name], |names| names.iter().map(String::as_str).collect())
    }

    /// Whether the type is an interface or a union.
    pub(super) fn is_abstract(&self, name: &str) -> bool {
        self.possible_types.contains_key(name)
    }

    /// Whether a fragment on `condition` applies to an object type (DoesFragmentTypeApply).
    pub(super) fn applies(&self, condition: &str, object: &str) -> bool {
        condition == object || self.schema.is_subtype(condition, object)
    }

    /// Whether the input type is a OneOf input object.
    pub(super) fn is_one_of(&self, name: &str) -> bool {
        self.schema.get_input_object(name).is_some_and(|object| object.directives.has("oneOf"))
    }
}

/// Adds `includeDeprecated: Boolean! = false` to `__Schema.directives`: an extension cannot add an
/// argument.
fn list_deprecated_directives(schema: &mut Schema) {
    let argument = match schema.types.get("__Directive") {
        Some(ExtendedType::Object(directive)) => {
            let field = directive.fields.get("args");
            field.and_then(|field| field.argument_by_name("includeDeprecated")).cloned()
        }
        _ => None,
    };
    let (Some(mut argument), Some(ExtendedType::Object(of_schema))) =
        (argument, schema.types.get_mut("__Schema"))
    else {
        return;
    };
    let ty = argument.ty.as_ref().clone().non_null();
    *argument.make_mut().ty.make_mut() = ty;
    if let Some(directives) = of_schema.make_mut().fields.get_mut("directives") {
        directives.make_mut().arguments.push(argument);
    }
}

fn possible_types(schema: &Schema) -> HashMap<String, Vec<String>> {
    let objects =
        || schema.types.iter().filter(|(_, kind)| kind.is_object()).map(|(name, _)| name.as_str());
    let is_abstract = |kind: &ExtendedType| kind.is_interface() || kind.is_union();
    let mut found = HashMap::new();
    for (name, _) in schema.types.iter().filter(|(_, kind)| is_abstract(kind)) {
        let mut possible: Vec<_> =
            objects().filter(|object| schema.is_subtype(name, object)).map(str::to_owned).collect();
        possible.sort_unstable();
        found.insert(name.to_string(), possible);
    }
    found
}
