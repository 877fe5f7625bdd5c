//! The parts of computers that a document selects.

use async_graphql::Context;

use crate::deep_security::model::Expand;
use crate::deep_security::wire::{Computer, Resource};
use crate::projection::Selected;

/// The parts selected below a field that returns a computer, through fragments too.
pub fn selected_parts(ctx: &Context<'_>) -> Expand {
    Expand::of(&ctx.field().selection_set().map(|field| field.name()).collect::<Vec<_>>())
}

/// The parts behind selections of objects, for computers; other objects have none.
pub fn expand<T: Resource>(selections: &[&[Selected]]) -> Option<Expand> {
    let names = selections.iter().copied().flatten().map(|field| field.name.as_str());
    let has_parts = T::COLLECTION == Computer::COLLECTION;
    has_parts.then(|| Expand::of(&names.collect::<Vec<_>>()))
}
