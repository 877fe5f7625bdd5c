//! What a parsed document costs, counted through fragment spreads before any resolver runs.
//!
//! Each fragment is counted once and its sum reused wherever it is spread, so that a document of doubling fragments costs
//! as little to judge as any other.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

/// Fields of introspection that lead from types to types again.
const TYPE_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// What an operation costs, or a part of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// All fields.
    pub fields: u64,
    /// Fields at the top.
    pub root_fields: u64,
    /// Aliases, and object fields or fragments that stand twice in a selection set: each is resolved again.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Nested fields of data.
    pub depth: usize,
    /// Nested fields of which one is `__schema` or `__type`.
    pub introspection_depth: usize,
    /// Nested selection sets, of fragments too.
    pub nesting: usize,
    /// Aliases and repetitions in introspection.
    pub introspection_aliases: u64,
    /// Nested lists of introspection that lead to types again.
    pub introspection_lists: usize,
    // The same of any field, before it is known to stand in introspection.
    lists: usize,
}

impl Cost {
    /// Both, one after the other.
    pub fn and(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            depth: self.depth.max(other.depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            nesting: self.nesting.max(other.nesting),
            introspection_aliases: self.introspection_aliases.saturating_add(other.introspection_aliases),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            lists: self.lists.max(other.lists),
        }
    }
}

/// Why a document has no cost.
#[derive(Debug, PartialEq, Eq)]
pub enum Uncountable {
    /// A fragment spreads itself.
    Cycle(Name),
    /// A fragment is spread and not defined.
    Undefined(Name),
    /// Selection sets are nested more deeply than asked for.
    TooNested(usize),
}

/// Counts a document's parts.
pub struct Counter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    // `None` while a fragment is being counted: who meets it then has found a cycle.
    counted: HashMap<&'a str, Option<Cost>>,
    nesting_max: usize,
}

impl<'a> Counter<'a> {
    /// For that document; gives up where selection sets are nested more deeply than `nesting_max`.
    pub fn new(document: &'a ExecutableDocument, nesting_max: usize) -> Self {
        Self { fragments: &document.fragments, counted: HashMap::new(), nesting_max }
    }

    /// What the operation costs.
    ///
    /// # Errors
    /// If it cannot be counted.
    pub fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Cost, Uncountable> {
        let mut cost = self.selections(&operation.selection_set.node, 1)?;
        let of_variables = operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        cost.directives += (operation.directives.len() + of_variables.sum::<usize>()) as u64;
        Ok(cost)
    }

    /// Counts fragments that no operation spreads too: validation walks through them as well.
    ///
    /// # Errors
    /// If one of them cannot be counted.
    pub fn rest(&mut self) -> Result<(), Uncountable> {
        for name in self.fragments.keys() {
            self.fragment(name, 1)?;
        }
        Ok(())
    }

    fn selections(&mut self, set: &'a SelectionSet, level: usize) -> Result<Cost, Uncountable> {
        if level > self.nesting_max {
            return Err(Uncountable::TooNested(level));
        }
        let (mut cost, mut seen) = (Cost::default(), HashSet::new());
        for selection in &set.items {
            let part = match &selection.node {
                Selection::Field(field) => {
                    let objects = !field.node.selection_set.node.items.is_empty();
                    let again = objects && !seen.insert((false, &*field.node.response_key().node));
                    self.field(&field.node, again, level)?
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let mut part = self.fragment(name, level + 1)?;
                    part.aliases += u64::from(!seen.insert((true, &**name)));
                    part.directives = part.directives.saturating_add(spread.node.directives.len() as u64);
                    part
                }
                Selection::InlineFragment(inline) => {
                    let mut part = self.selections(&inline.node.selection_set.node, level + 1)?;
                    part.directives = part.directives.saturating_add(inline.node.directives.len() as u64);
                    part
                }
            };
            cost = cost.and(part);
        }
        cost.nesting += 1;
        Ok(cost)
    }

    fn field(&mut self, field: &'a Field, again: bool, level: usize) -> Result<Cost, Uncountable> {
        let set = &field.selection_set.node;
        let below = if set.items.is_empty() { Cost::default() } else { self.selections(set, level + 1)? };
        let mut cost = below;
        cost.fields = below.fields.saturating_add(1);
        cost.root_fields = 1;
        cost.aliases = below.aliases.saturating_add(u64::from(again || field.alias.is_some()));
        cost.directives = below.directives.saturating_add(field.directives.len() as u64);
        cost.lists = below.lists + usize::from(TYPE_LISTS.contains(&&*field.name.node));
        if ["__schema", "__type"].contains(&&*field.name.node) {
            cost.depth = 0;
            cost.introspection_depth = 1 + below.depth.max(below.introspection_depth);
            cost.introspection_aliases = cost.aliases;
            cost.introspection_lists = below.lists;
        } else {
            cost.depth = 1 + below.depth;
            cost.introspection_depth = below.introspection_depth + usize::from(below.introspection_depth > 0);
        }
        Ok(cost)
    }

    fn fragment(&mut self, name: &'a Name, level: usize) -> Result<Cost, Uncountable> {
        match self.counted.get(&**name) {
            Some(None) => return Err(Uncountable::Cycle(name.clone())),
            Some(Some(cost)) if level - 1 + cost.nesting > self.nesting_max => {
                return Err(Uncountable::TooNested(level - 1 + cost.nesting));
            }
            Some(Some(cost)) => return Ok(*cost),
            None => {}
        }
        let fragment = self.fragments.get(name).ok_or_else(|| Uncountable::Undefined(name.clone()))?;
        self.counted.insert(name, None);
        let mut cost = self.selections(&fragment.node.selection_set.node, level)?;
        cost.directives = cost.directives.saturating_add(fragment.node.directives.len() as u64);
        self.counted.insert(name, Some(cost));
        Ok(cost)
    }
}
