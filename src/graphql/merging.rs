//! Fields whose arguments differ in the length of a list do not merge (GraphQL, section 5.3.2).
//!
//! apollo-compiler 1.33 compares two lists only up to the length of the shorter one: `nodes(ids:
//! [])` would merge with `nodes(ids: [1])`, and only one of them would be executed.

use apollo_compiler::ast::{Definition, Document, Selection, Value};
use apollo_compiler::{Name, Node};
use async_graphql::ServerError;

use super::diagnostics::error_of;
use super::schema::SchemaModel;

/// Returns the field conflicts of a document that apollo-compiler considers valid.
pub(super) fn conflicts(model: &SchemaModel, document: &Document) -> Vec<ServerError> {
    let mut marked = document.clone();
    if !mark_document(&mut marked) {
        return Vec::new();
    }
    let Err(failed) = marked.to_executable_validate(&model.schema) else { return Vec::new() };
    let is_conflict = |name: Option<&str>| name == Some("ConflictingFieldArgument");
    let conflicts = failed.errors.iter();
    let conflicts = conflicts.filter(|found| is_conflict(found.error.unstable_error_name()));
    conflicts.map(|found| error_of(&found)).collect()
}

/// Inserts the length of each list in a field's arguments before its items, so that lists of
/// different lengths differ in their first item. Returns whether there was a list.
fn mark_document(document: &mut Document) -> bool {
    let mut found = false;
    for definition in &mut document.definitions {
        found |= match definition {
            Definition::OperationDefinition(operation) => {
                mark_selections(&mut operation.make_mut().selection_set)
            }
            Definition::FragmentDefinition(fragment) => {
                mark_selections(&mut fragment.make_mut().selection_set)
            }
            _ => false,
        };
    }
    found
}

fn mark_selections(selections: &mut [Selection]) -> bool {
    let mut found = false;
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                let field = field.make_mut();
                for argument in &mut field.arguments {
                    found |= mark_value(&mut argument.make_mut().value);
                }
                found |= mark_selections(&mut field.selection_set);
            }
            Selection::InlineFragment(inline) => {
                found |= mark_selections(&mut inline.make_mut().selection_set);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    found
}

fn mark_value(value: &mut Node<Value>) -> bool {
    match value.make_mut() {
        Value::List(items) => {
            for item in items.iter_mut() {
                mark_value(item);
            }
            items.insert(0, length(items.len()));
            true
        }
        Value::Object(members) => {
            members.iter_mut().fold(false, |found, (_, member)| mark_value(member) | found)
        }
        _ => false,
    }
}

/// An object, since apollo-compiler compares the names of its members.
fn length(items: usize) -> Node<Value> {
    let name = Name::new(&format!("_{items}")).expect("it is a name");
    Value::Object(vec![(name, Value::Null.into())]).into()
}
