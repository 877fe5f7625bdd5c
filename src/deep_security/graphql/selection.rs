//! What an operation selects of objects.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, OutputType};

use super::connection::{ConnectionNode, node_key};
use super::object_types::types;
use crate::deep_security::model::Expand;
use crate::deep_security::wire::{Computer, Resource};
use crate::error::Result;
use crate::graph::graphql::compile_selection;
use crate::projection::{Plan, Selected};

/// The parts selected below a field that returns a computer, through fragments too.
pub fn selected_parts(ctx: &Context<'_>) -> Expand {
    Expand::of(&ctx.field().selection_set().map(|field| field.name()).collect::<Vec<_>>())
}

/// The compiled selection of a field that returns objects of the type `N`.
pub struct CompiledSelection<N> {
    /// The plan; of a list, with a selection for each of `outputs`.
    pub plan: Arc<Plan>,
    /// The parts that the manager adds to computers; other objects have none.
    pub expand: Option<Expand>,
    /// The response key of each field of a list that returns its nodes; with that of the edges
    /// before it where it is below them.
    outputs: Vec<String>,
    node: PhantomData<fn() -> N>,
}

impl<N: ConnectionNode> CompiledSelection<N> {
    /// That of a field that returns one object.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of_object(ctx: &Context<'_>) -> Result<Arc<Self>> {
        compile_selection(ctx, |selected| Self::compile(&[selected], Vec::new()))
    }

    /// That of a field that returns a connection.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of_connection(ctx: &Context<'_>) -> Result<Arc<Self>> {
        compile_selection(ctx, |selected| {
            let (outputs, selections): (Vec<_>, Vec<_>) = selected_nodes(selected).unzip();
            Self::compile(&selections, outputs)
        })
    }

    fn compile(selections: &[&[Selected]], outputs: Vec<String>) -> Result<Self> {
        let plan = Arc::new(Plan::new(types(), &<N as OutputType>::type_name(), selections)?);
        Ok(Self { plan, expand: expand::<N::Resource>(selections), outputs, node: PhantomData })
    }
}

impl<N> CompiledSelection<N> {
    /// The index of the selection of the nodes with that response key.
    pub fn output(&self, key: &str) -> Option<usize> {
        self.outputs.iter().position(|output| output == key)
    }
}

/// The selections of the nodes of a connection, by the response keys that lead to them.
fn selected_nodes(connection: &[Selected]) -> impl Iterator<Item = (String, &[Selected])> {
    connection.iter().flat_map(|field| {
        let nodes = (field.name == "nodes").then(|| (field.key.clone(), field.below.as_slice()));
        let below = if field.name == "edges" { field.below.as_slice() } else { &[] };
        let below = below.iter().filter(|below| below.name == "node");
        let below = below.map(|node| (node_key(&field.key, &node.key), node.below.as_slice()));
        nodes.into_iter().chain(below)
    })
}

/// The parts behind selections of objects, for computers.
fn expand<T: Resource>(selections: &[&[Selected]]) -> Option<Expand> {
    let names = selections.iter().copied().flatten().map(|field| field.name.as_str());
    let has_parts = T::COLLECTION == Computer::COLLECTION;
    has_parts.then(|| Expand::of(&names.collect::<Vec<_>>()))
}
