//! The questions that the reference leaves open, each with the reading that the simulator shows.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::objects::TenantKind;
use super::shapes::{
    Accepted, Dates, Encoding, Errors, FreeText, Progress, Quotes, Report, Results, Tags,
    TaskErrors,
};

/// One answer to every open question. There is a set of them by name, [`Dialect::ALL`]; a test that
/// is after a single question writes `Dialect { accepted: Accepted::Nothing, ..Dialect::DOCUMENTED
/// }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Its name on the command line.
    pub name: &'static str,
    /// Of documents; empty for none.
    pub content_type: &'static str,
    /// The encoding of documents.
    pub encoding: Encoding,
    /// Whether documents start with a declaration.
    pub declaration: bool,
    /// Whether there is white space between elements.
    pub indented: bool,
    /// The names of elements.
    pub tags: Tags,
    /// The quotation marks around attributes.
    pub quotes: Quotes,
    /// The form of free text.
    pub free_text: FreeText,
    /// Names of the elements around tenants, machines and tasks.
    pub wrappers: [&'static str; 3],
    /// Whether lists are sorted newest first; else oldest first.
    pub newest_first: bool,
    /// Whether a list of one is that item, without an element around it.
    pub bare_single: bool,
    /// Whether optional elements without value are there, but empty; else they are absent.
    pub empty_elements: bool,
    /// Whether elements and attributes come in the reverse order.
    pub reversed: bool,
    /// Whether there are unknown elements, attributes, comments and processing instructions.
    pub strangers: bool,
    /// Whether there is white space around states, types, progress, identifiers and results.
    pub padded: bool,
    /// The format of dates.
    pub dates: Dates,
    /// Whether identifiers are in upper case; else in lower case. They are compared without case.
    pub upper_case_ids: bool,
    /// The body of an accepted task.
    pub accepted: Accepted,
    /// The form of results.
    pub results: Results,
    /// The form of errors.
    pub errors: Errors,
    /// The form of errors of tasks.
    pub task_errors: TaskErrors,
    /// The form of the progress of tasks.
    pub progress: Progress,
    /// The name of the state that the reference calls `Canceled`.
    pub canceled: &'static str,
    /// Whether T7, T8 and K3 answer with the machine or the task; else with nothing.
    pub echoes: bool,
    /// The form of reports.
    pub report: Report,
    /// Status for missing and wrong credentials.
    pub refused_credential: u16,
    /// Whether tenants are listed while the task that makes them still runs.
    pub lists_early: bool,
    /// Whether a canceled task is rolled back.
    pub cancel_undoes: bool,
    /// The type that T4 creates without `type`; `None` if that is 400.
    pub default_kind: Option<TenantKind>,
    /// The default of `removeTenantArtifacts` in T9.
    pub removes_artifacts: bool,
    /// Whether T8 finds machines of tenants other than the one in the path.
    pub unregisters_anywhere: bool,
    /// Whether R1 takes an empty `tenantId` for every tenant; else it is 404.
    pub empty_tenant_is_every: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::DOCUMENTED
    }
}

impl FromStr for Dialect {
    type Err = String;

    /// Reads a name, as a command line has it.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(|dialect| dialect.name).join(", ");
        let named = Self::ALL.into_iter().find(|dialect| dialect.name == text);
        named.ok_or_else(|| format!("a dialect is one of {}", names()))
    }
}

impl Serialize for Dialect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
