//! The size of a parsed document, counted before it is validated.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Definition, Document, Selection};

/// The size of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Operation definitions.
    pub operations: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Directives.
    pub directives: u64,
    /// The depth of selection sets with fragments expanded, which is how deep validation recurses.
    pub nesting: usize,
}

impl Shape {
    /// Measures a document. A fragment that spreads itself is expanded once; validation refuses it.
    pub(super) fn of(document: &Document) -> Self {
        let mut shape = Self::default();
        let mut depths = Depths { fragments: HashMap::new(), known: HashMap::new() };
        for definition in &document.definitions {
            if let Definition::FragmentDefinition(fragment) = definition {
                depths.fragments.insert(&fragment.name, &fragment.selection_set);
            }
        }
        for definition in &document.definitions {
            let (directives, selected) = match definition {
                Definition::OperationDefinition(operation) => {
                    shape.operations += 1;
                    let of_variables =
                        operation.variables.iter().map(|variable| variable.directives.len());
                    (
                        operation.directives.len() + of_variables.sum::<usize>(),
                        &operation.selection_set,
                    )
                }
                Definition::FragmentDefinition(fragment) => {
                    shape.fragments += 1;
                    (fragment.directives.len(), &fragment.selection_set)
                }
                _ => continue,
            };
            shape.directives += directives as u64 + directives_in(selected);
            shape.nesting = shape.nesting.max(depths.of(selected));
        }
        shape
    }
}

fn directives_in(selected: &[Selection]) -> u64 {
    let of = |selection: &Selection| match selection {
        Selection::Field(field) => {
            field.directives.len() as u64 + directives_in(&field.selection_set)
        }
        Selection::FragmentSpread(spread) => spread.directives.len() as u64,
        Selection::InlineFragment(inline) => {
            inline.directives.len() as u64 + directives_in(&inline.selection_set)
        }
    };
    selected.iter().map(of).sum()
}

/// The positions of the fields that have a selection set.
pub(super) fn selecting(document: &Document) -> HashSet<usize> {
    let mut found = HashSet::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                find_selecting(&operation.selection_set, &mut found);
            }
            Definition::FragmentDefinition(fragment) => {
                find_selecting(&fragment.selection_set, &mut found);
            }
            _ => {}
        }
    }
    found
}

fn find_selecting(selected: &[Selection], found: &mut HashSet<usize>) {
    for selection in selected {
        match selection {
            Selection::Field(field) if !field.selection_set.is_empty() => {
                found.extend(field.location().map(|span| span.offset()));
                find_selecting(&field.selection_set, found);
            }
            Selection::InlineFragment(inline) => find_selecting(&inline.selection_set, found),
            _ => {}
        }
    }
}

/// The depth of each fragment, counted once.
struct Depths<'a> {
    fragments: HashMap<&'a str, &'a [Selection]>,
    known: HashMap<&'a str, usize>,
}

impl<'a> Depths<'a> {
    fn of(&mut self, selected: &'a [Selection]) -> usize {
        let deepest = selected.iter().map(|selection| match selection {
            Selection::Field(field) if field.selection_set.is_empty() => 0,
            Selection::Field(field) => self.of(&field.selection_set),
            Selection::InlineFragment(inline) => self.of(&inline.selection_set),
            Selection::FragmentSpread(spread) => self.of_fragment(&spread.fragment_name),
        });
        1 + deepest.max().unwrap_or(0)
    }

    fn of_fragment(&mut self, name: &'a str) -> usize {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        // A fragment that is visited while it is being counted is part of a cycle.
        self.known.insert(name, 0);
        let depth = self.fragments.get(name).copied().map_or(0, |selected| self.of(selected));
        self.known.insert(name, depth);
        depth
    }
}
