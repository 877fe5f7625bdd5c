//! "Did you mean" suggestions in the words and the order of graphql-js 16.
//!
//! apollo-compiler reports the problem without a suggestion and does not expose the names involved.
//! They are parsed from its messages, whose machine-readable form is documented to equal that of
//! graphql-js.

use std::collections::BTreeSet;

use apollo_compiler::schema::ExtendedType;

use super::schema::SchemaModel;

/// The most names that one message suggests.
const SUGGESTIONS_MAX: usize = 5;

/// The message with a suggestion behind it, where the schema has a name that is near enough.
pub(super) fn with_suggestion(model: &SchemaModel, message: String) -> String {
    match suggestion(model, &message) {
        Some(suggestion) if model.introspection => message + &suggestion,
        _ => message,
    }
}

fn suggestion(model: &SchemaModel, message: &str) -> Option<String> {
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    let parts: Vec<&str> = message.split('"').step_by(2).collect();
    match (parts.as_slice(), quoted.as_slice()) {
        (["Cannot query field ", " on type ", "."], [field, ty]) => {
            Some(of_field(model, field, ty))
        }
        (["Unknown argument ", " on field ", "."], [argument, coordinate]) => {
            of_argument(model, argument, coordinate)
        }
        (["Unknown type ", "."], [name]) => {
            let names = model.schema.types.keys().map(|name| name.as_str());
            Some(did_you_mean("", &near(name, names)))
        }
        (["Field ", " is not defined by type ", "."], [field, ty]) => {
            Some(of_input_field(model, field, ty))
        }
        (["Value ", " does not exist in ", " enum."], [value, ty]) => {
            Some(of_enum_value(model, value, ty))
        }
        _ => None,
    }
}

/// Suggests the intended field of an input object: empty, or a sentence that begins with a space.
pub(super) fn of_input_field(model: &SchemaModel, field: &str, ty: &str) -> String {
    let object = model.schema.get_input_object(ty).filter(|_| model.introspection);
    let names = object.map(|object| object.fields.keys().map(|name| name.as_str()));
    names.map_or_else(String::new, |names| did_you_mean("", &near(field, names)))
}

/// The same for a value of an enum.
pub(super) fn of_enum_value(model: &SchemaModel, value: &str, ty: &str) -> String {
    let known = model.schema.get_enum(ty).filter(|_| model.introspection);
    let names = known.map(|known| known.values.keys().map(|name| name.as_str()));
    names.map_or_else(String::new, |names| did_you_mean("the enum value", &near(value, names)))
}

/// Of an interface or union the types that have the field, of which one can be chosen with an
/// inline fragment; else the fields of the type.
fn of_field(model: &SchemaModel, field: &str, ty: &str) -> String {
    if model.is_abstract(ty) {
        let having = |name: &&str| model.schema.type_field(name, field).is_ok();
        let types: Vec<&str> = model.possible_types(ty).into_iter().filter(having).collect();
        if !types.is_empty() {
            return did_you_mean("to use an inline fragment on", &types);
        }
    }
    let fields = match model.schema.types.get(ty) {
        Some(ExtendedType::Object(object)) => &object.fields,
        Some(ExtendedType::Interface(interface)) => &interface.fields,
        _ => return String::new(),
    };
    did_you_mean("", &near(field, fields.keys().map(|name| name.as_str())))
}

fn of_argument(model: &SchemaModel, argument: &str, coordinate: &str) -> Option<String> {
    let (ty, field) = coordinate.split_once('.')?;
    let field = model.schema.type_field(ty, field).ok()?;
    let names = field.arguments.iter().map(|argument| argument.name.as_str());
    Some(did_you_mean("", &near(argument, names)))
}

/// ` Did you mean "a", "b", or "c"?`
fn did_you_mean(kind: &str, names: &[&str]) -> String {
    let quoted: Vec<String> =
        names.iter().take(SUGGESTIONS_MAX).map(|name| format!("\"{name}\"")).collect();
    let listed = match quoted.as_slice() {
        [] => return String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        [others @ .., last] => format!("{}, or {last}", others.join(", ")),
    };
    let kind = if kind.is_empty() { String::new() } else { format!("{kind} ") };
    format!(" Did you mean {kind}{listed}?")
}

/// The names that differ from the given one in at most two of five letters, the nearest first.
fn near<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let threshold = given.len() * 2 / 5 + 1;
    let lower = given.to_ascii_lowercase();
    let found: BTreeSet<(usize, &str)> = names
        .filter(|name| name.len().abs_diff(given.len()) <= threshold)
        .map(|name| (distance(&lower, name), name))
        .filter(|(distance, _)| *distance <= threshold)
        .collect();
    found.into_iter().map(|(_, name)| name).collect()
}

/// How many letters are missing, too many, exchanged or wrong; another case of letters counts as
/// one.
fn distance(lower: &str, name: &str) -> usize {
    let name = name.to_ascii_lowercase();
    if lower == name { 1 } else { strsim::osa_distance(lower, &name) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const SDL: &str = r"
        type Query { tenants(tenantsQuery: TenantsQuery): [Tenant] tenant(id: ID): Tenant any: Any }
        type Tenant { id: ID name: String parentTenantID: ID system: LegacySystem }
        type Upstream { id: ID baseURL: String }
        union Any = Tenant | Upstream
        input TenantsQuery { isOrganization: Boolean baseURL: String }
        enum LegacySystem { DEEP_SECURITY INTEGRATION_SERVER }
    ";

    fn suggested(message: &str, suggestions: bool) -> String {
        let model = SchemaModel::parse(SDL, HashMap::new(), suggestions).unwrap();
        let told = with_suggestion(&model, message.to_owned());
        told.strip_prefix(message).unwrap().to_owned()
    }

    #[test]
    fn near_names_are_suggested_as_graphql_js_words_them() {
        for (message, suggestion) in [
            (r#"Cannot query field "nam" on type "Tenant"."#, r#" Did you mean "name"?"#),
            (
                r#"Cannot query field "tenantz" on type "Query"."#,
                r#" Did you mean "tenant" or "tenants"?"#,
            ),
            (
                r#"Cannot query field "baseURL" on type "Any"."#,
                r#" Did you mean to use an inline fragment on "Upstream"?"#,
            ),
            (
                r#"Unknown argument "tenantQuery" on field "Query.tenants"."#,
                r#" Did you mean "tenantsQuery"?"#,
            ),
            (r#"Unknown type "TenantQuery"."#, r#" Did you mean "TenantsQuery" or "Tenant"?"#),
            (
                r#"Field "isOrganisation" is not defined by type "TenantsQuery"."#,
                r#" Did you mean "isOrganization"?"#,
            ),
            (
                r#"Field "baseUrl" is not defined by type "TenantsQuery"."#,
                r#" Did you mean "baseURL"?"#,
            ),
            (
                r#"Value "DEEPSECURITY" does not exist in "LegacySystem" enum."#,
                r#" Did you mean the enum value "DEEP_SECURITY"?"#,
            ),
        ] {
            assert_eq!(suggested(message, true), suggestion, "{message}");
            assert_eq!(suggested(message, false), "", "{message}");
        }
    }

    #[test]
    fn far_names_are_not_suggested() {
        for message in [
            r#"Cannot query field "computers" on type "Tenant"."#,
            r#"Unknown argument "where" on field "Query.tenants"."#,
            r#"Unknown fragment "F"."#,
            "anything else",
        ] {
            assert_eq!(suggested(message, true), "", "{message}");
        }
    }
}
