//! Errors of apollo-compiler in the words of graphql-js.

use std::collections::HashSet;

use apollo_compiler::diagnostic::{Diagnostic, ToCliReport};
use apollo_compiler::validation::{DiagnosticData, DiagnosticList};
use async_graphql::{Pos, ServerError};

use super::error_at;

/// The maximum number of reported errors of one document.
const ERRORS_MAX: usize = 100;

/// Removes the suggestion from a message: it may name parts of the schema that the document does
/// not.
pub(super) fn without_suggestion(message: &mut String) {
    if let Some(at) = message.find(" Did you mean ") {
        message.truncate(at);
    }
}

/// Converts errors to graphql-js's wording where it exists. `selecting` has the positions of the
/// fields with a selection set: apollo-compiler drops unknown fields from it, and then reports that
/// it is missing.
pub(super) fn errors(found: &DiagnosticList, selecting: &HashSet<usize>) -> Vec<ServerError> {
    let mut errors = Vec::new();
    for diagnostic in found.iter() {
        let at = diagnostic.error.location().map(|span| span.offset());
        let is_about_selection =
            diagnostic.error.unstable_error_name() == Some("MissingSubselection");
        if errors.len() == ERRORS_MAX
            || is_about_selection && at.is_some_and(|at| selecting.contains(&at))
        {
            continue;
        }
        errors.push(error_of(&diagnostic));
    }
    errors
}

/// Converts an error of apollo-compiler.
pub(super) fn error_of(found: &Diagnostic<'_, DiagnosticData>) -> ServerError {
    let json = found.unstable_to_json_compat();
    let at = json.locations.first().map(|at| Pos { line: at.line, column: at.column });
    error_at(json.message, at)
}
