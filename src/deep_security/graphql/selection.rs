//! The parts of computers that a document selects.

use async_graphql::{Context, Lookahead, SelectionField};

use crate::deep_security::model::Expand;

/// The parts selected below a field that returns a computer, through fragments too.
pub fn selected_parts(ctx: &Context<'_>) -> Expand {
    Expand::of(&ctx.field().selection_set().map(|field| field.name()).collect::<Vec<_>>())
}

/// The parts selected of the nodes of a connection.
pub fn selected_parts_of_nodes(ctx: &Context<'_>) -> Expand {
    let selected = ctx.look_ahead();
    let computers = [selected.field("nodes"), selected.field("edges").field("node")];
    let computers = computers.iter().flat_map(Lookahead::selection_fields);
    let fields: Vec<_> =
        computers.flat_map(|computer| computer.selection_set().collect::<Vec<_>>()).collect();
    let has_rules =
        |field: &SelectionField<'_>| field.selection_set().any(|below| below.name() == "ruleIDs");
    let parts = Expand::of(&fields.iter().map(SelectionField::name).collect::<Vec<_>>());
    parts.with_rules(fields.iter().any(has_rules))
}
