//! The plan of the objects that a field selects.

use std::sync::Arc;

use async_graphql::Context;

use crate::error::{Error, Result};
use crate::projection::{Plan, Selected};

/// A plan with one selection for each field that returns nodes of a connection.
pub struct NodesPlan {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The response key of each field that returns nodes; with that of the edges before it where it
    /// is below them.
    outputs: Vec<String>,
}

impl NodesPlan {
    /// The plan that `compile` makes of the selections of nodes.
    ///
    /// # Errors
    /// Those of `compile`.
    pub fn new(
        nodes: Vec<(String, &[Selected])>,
        compile: impl FnOnce(&[&[Selected]]) -> Result<Plan>,
    ) -> Result<Self> {
        let (outputs, selections): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
        Ok(Self { plan: Arc::new(compile(&selections)?), outputs })
    }

    /// The index of the selection of `nodes` that the resolver's field is.
    ///
    /// # Errors
    /// Internal if the plan is that of another field.
    pub fn nodes(&self, ctx: &Context<'_>) -> Result<usize> {
        self.output(response_key(ctx))
    }

    /// The index of the selection of the `node` that the resolver's field is, below the edges with
    /// that response key.
    ///
    /// # Errors
    /// As [`NodesPlan::nodes`].
    pub fn node(&self, edges: &str, ctx: &Context<'_>) -> Result<usize> {
        self.output(&node_key(edges, response_key(ctx)))
    }

    fn output(&self, key: &str) -> Result<usize> {
        let output = self.outputs.iter().position(|output| output == key);
        output.ok_or_else(|| Error::internal("the plan lacks a selection"))
    }
}

/// The selections of the nodes of a connection, by the response keys that lead to them.
pub fn selected_nodes(connection: &[Selected]) -> Vec<(String, &[Selected])> {
    let mut nodes = Vec::new();
    for field in connection {
        match field.name.as_str() {
            "nodes" => nodes.push((field.key.clone(), field.below.as_slice())),
            "edges" => {
                let below = field.below.iter().filter(|below| below.name == "node");
                nodes.extend(
                    below.map(|node| (node_key(&field.key, &node.key), node.below.as_slice())),
                );
            }
            _ => {}
        }
    }
    nodes
}

/// The response key of the resolver's field.
pub fn response_key<'a>(ctx: &Context<'a>) -> &'a str {
    ctx.item.node.response_key().node.as_str()
}

/// The key of the selection of an edge's node.
fn node_key(edges: &str, node: &str) -> String {
    format!("{edges}/{node}")
}
