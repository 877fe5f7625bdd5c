//! A subscription has a single root field after field collection (GraphQL, section 5.2.4.1).
//!
//! apollo-compiler 1.33 counts selections instead, and refuses two that merge into one field.

use std::collections::HashSet;

use apollo_compiler::executable::{ExecutableDocument, Selection, SelectionSet};
use apollo_compiler::validation::WithErrors;

/// Whether the only errors of a document are subscriptions that select their single root field
/// several times. Such a document is valid.
pub(super) fn merges_into_one(refused: &WithErrors<ExecutableDocument>) -> bool {
    let counts = |name: Option<&str>| name == Some("SubscriptionUsesMultipleFields");
    refused.errors.iter().all(|found| counts(found.error.unstable_error_name()))
        && refused.partial.operations.iter().filter(|of| of.is_subscription()).all(|operation| {
            let mut keys = RootKeys::of(&refused.partial);
            keys.collect(&operation.selection_set);
            keys.keys.len() == 1
        })
}

/// The response keys at the root of an operation.
struct RootKeys<'a> {
    document: &'a ExecutableDocument,
    spread: HashSet<&'a str>,
    keys: HashSet<&'a str>,
}

impl<'a> RootKeys<'a> {
    fn of(document: &'a ExecutableDocument) -> Self {
        Self { document, spread: HashSet::new(), keys: HashSet::new() }
    }

    fn collect(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => drop(self.keys.insert(field.response_key().as_str())),
                Selection::InlineFragment(inline) => self.collect(&inline.selection_set),
                Selection::FragmentSpread(of) => {
                    let Some(fragment) = self.document.fragments.get(&of.fragment_name) else {
                        continue;
                    };
                    if self.spread.insert(of.fragment_name.as_str()) {
                        self.collect(&fragment.selection_set);
                    }
                }
            }
        }
    }
}
