//! Selections of objects, compiled once for a document.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, OutputType};

use super::connection_node::ConnectionNode;
use super::object_types::types;
use crate::deep_security::model::Expand;
use crate::deep_security::wire::{Computer, Resource};
use crate::error::Result;
use crate::graph::graphql::{NodesPlan, compile_selection, selected_nodes};
use crate::projection::{Plan, Selected};

/// The parts selected below a field that returns a computer, through fragments too.
pub fn selected_parts(ctx: &Context<'_>) -> Expand {
    Expand::of(&ctx.field().selection_set().map(|field| field.name()).collect::<Vec<_>>())
}

/// The compiled selection of a field that returns an object of the type `N`.
pub struct ObjectSelection<N> {
    /// The plan.
    pub plan: Plan,
    /// The parts that the manager adds to computers; other objects have none.
    pub expand: Option<Expand>,
    node: PhantomData<fn() -> N>,
}

impl<N: ConnectionNode> ObjectSelection<N> {
    /// The selection of the resolver's field.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of(ctx: &Context<'_>) -> Result<Arc<Self>> {
        compile_selection(ctx, |selected| {
            let plan = Plan::new(types(), &<N as OutputType>::type_name(), &[selected])?;
            Ok(Self { plan, expand: expand::<N::Resource>([selected]), node: PhantomData })
        })
    }
}

/// The compiled selection of a field that returns a connection of objects of the type `N`.
pub struct ConnectionSelection<N> {
    /// The plan of the nodes.
    pub nodes: NodesPlan,
    /// The parts that the manager adds to computers; other objects have none.
    pub expand: Option<Expand>,
    node: PhantomData<fn() -> N>,
}

impl<N: ConnectionNode> ConnectionSelection<N> {
    /// The selection of the resolver's field.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of(ctx: &Context<'_>) -> Result<Arc<Self>> {
        compile_selection(ctx, |selected| {
            let nodes = selected_nodes(selected);
            let expand = expand::<N::Resource>(nodes.iter().map(|(_, fields)| *fields));
            let nodes = NodesPlan::new(nodes, |nodes: &[&[Selected]]| {
                Plan::new(types(), &<N as OutputType>::type_name(), nodes)
            })?;
            Ok(Self { nodes, expand, node: PhantomData })
        })
    }
}

/// The parts behind selections of objects, for computers.
fn expand<'a, T: Resource>(selections: impl IntoIterator<Item = &'a [Selected]>) -> Option<Expand> {
    let names = selections.into_iter().flatten().map(|field| field.name.as_str());
    let has_parts = T::COLLECTION == Computer::COLLECTION;
    has_parts.then(|| Expand::of(&names.collect::<Vec<_>>()))
}
