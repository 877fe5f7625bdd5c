//! The parts of objects that a call requests (reference, section 6).

use super::dialect::Dialect;
use super::modules::MODULES;
use super::refusal::Refusal;
use super::schema::boolean;
use crate::request::Request;

pub(crate) const SUMMARIES: [&str; 8] = [
    "azureARMVirtualMachineSummary",
    "azureVMVirtualMachineSummary",
    "ec2VirtualMachineSummary",
    "noConnectorVirtualMachineSummary",
    "vmwareVMVirtualMachineSummary",
    "vcloudVMVirtualMachineSummary",
    "workspaceVirtualMachineSummary",
    "gcpVirtualMachineSummary",
];
const OTHERS: [&str; 6] =
    ["computerStatus", "tasks", "securityUpdates", "computerSettings", "interfaces", "ESXSummary"];

/// The requested view of computers.
pub(crate) struct View {
    /// The parts, sorted and without duplicates.
    pub parts: Vec<&'static str>,
    pub overrides: bool,
}

impl View {
    /// Parses `expand` and `overrides`; without `expand` the view has every part.
    pub fn read(request: &Request, dialect: &Dialect) -> Result<Self, Refusal> {
        let mut parts = Vec::new();
        let mut is_expanded = false;
        for (_, option) in request.parameters().filter(|(name, _)| name == "expand") {
            match expansion(&option) {
                Some(more) => parts.extend(more),
                None if dialect.strict_query => {
                    return Err(Refusal::bad(format!("Unknown expand option {option:?}.")));
                }
                None => continue,
            }
            is_expanded = true;
        }
        if !is_expanded {
            parts = every();
        }
        parts.sort_unstable();
        parts.dedup();
        Ok(Self { parts, overrides: query_flag(request, "overrides", false, dialect)? })
    }
}

/// A boolean query parameter.
pub(crate) fn query_flag(
    request: &Request,
    name: &str,
    default: bool,
    dialect: &Dialect,
) -> Result<bool, Refusal> {
    match request.parameters().find(|(found, _)| found == name) {
        None => Ok(default),
        Some((_, value)) => match boolean(&value) {
            Some(value) => Ok(value),
            None if dialect.strict_query => Err(Refusal::bad(format!("{name} must be a boolean."))),
            None => Ok(default),
        },
    }
}

fn every() -> Vec<&'static str> {
    MODULES.iter().chain(&SUMMARIES).chain(&OTHERS).copied().collect()
}

fn expansion(option: &str) -> Option<Vec<&'static str>> {
    match option {
        "none" => Some(Vec::new()),
        "all" => Some(every()),
        "allSecurityModules" => Some(MODULES.to_vec()),
        "allVirtualMachineSummaries" => Some(SUMMARIES.to_vec()),
        one => every().into_iter().find(|part| *part == one).map(|part| vec![part]),
    }
}
