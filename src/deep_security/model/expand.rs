//! The parts of a computer that a request expands, and the fields that are kept.

use crate::deep_security::wire::Projection;

/// A part of a computer that the manager adds on request (`docs/reference/deep-security-api.md`,
/// section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The GraphQL field.
    pub field: &'static str,
    /// The value of `expand`.
    pub option: &'static str,
    /// Whether it may contain thousands of rule ids.
    heavy: bool,
}

const fn part(field: &'static str, option: &'static str, heavy: bool) -> Part {
    Part { field, option, heavy }
}

impl Part {
    /// All parts in one order, so that equal requests are identical and can be shared.
    pub const ALL: [Self; 10] = [
        part("sap", "SAP", false),
        part("activityMonitoring", "activityMonitoring", false),
        part("antiMalware", "antiMalware", false),
        part("applicationControl", "applicationControl", false),
        part("computerStatus", "computerStatus", false),
        part("firewall", "firewall", true),
        part("integrityMonitoring", "integrityMonitoring", true),
        part("intrusionPrevention", "intrusionPrevention", true),
        part("logInspection", "logInspection", true),
        part("webReputation", "webReputation", false),
    ];
}

/// The parts and fields of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expand {
    parts: Vec<Part>,
    projection: Option<Projection>,
}

impl Expand {
    /// No part; every field of the response is kept.
    pub const NONE: Self = Self { parts: Vec::new(), projection: None };

    /// The parts and fields behind these GraphQL fields.
    pub fn of(fields: &[&str]) -> Self {
        Self {
            parts: Part::ALL.into_iter().filter(|part| fields.contains(&part.field)).collect(),
            projection: Some(Projection::new(fields.iter().map(|field| json_field(field)))),
        }
    }

    /// The fields to keep; all if absent.
    pub fn projection(&self) -> Option<&Projection> {
        self.projection.as_ref()
    }

    /// The values of `expand`, sorted. Without a part it is `none`, because a request without
    /// `expand` means everything.
    pub fn options(&self) -> impl Iterator<Item = &'static str> {
        let none = self.parts.is_empty().then_some("none");
        none.into_iter().chain(self.parts.iter().map(|part| part.option))
    }

    /// How many computers fit into one response: one with four modules of 3,000 rules has 80 kB.
    pub fn page_size(&self) -> usize {
        match self.parts.iter().filter(|part| part.heavy).count() {
            0 | 1 => 500,
            2 => 250,
            _ => 125,
        }
    }
}

/// The JSON field behind a GraphQL field.
fn json_field(field: &str) -> &str {
    match field {
        "id" | "remoteID" => "ID",
        "policy" => "policyID",
        "sap" => "SAP",
        "lastAgentCommunicationAt" => "lastAgentCommunication",
        "lastSendPolicyRequestAt" => "lastSendPolicyRequest",
        "lastSendPolicySuccessAt" => "lastSendPolicySuccess",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(fields: &[&str]) -> Vec<&'static str> {
        Expand::of(fields).options().collect()
    }

    #[test]
    fn empty_selection_expands_none_and_parts_are_sorted() {
        assert_eq!(options(&["hostName"]), ["none"]);
        let selected = options(&["intrusionPrevention", "computerStatus", "sap", "hostName"]);
        assert_eq!(selected, ["SAP", "computerStatus", "intrusionPrevention"]);
        assert!(Part::ALL.is_sorted_by_key(|part| part.option));
    }

    #[test]
    fn response_stays_below_its_limit_for_any_selection() {
        for fields in 0..1_u32 << Part::ALL.len() {
            let selected = Part::ALL.iter().enumerate().filter(|(at, _)| fields & 1 << at != 0);
            let expand = Expand::of(&selected.map(|(_, part)| part.field).collect::<Vec<_>>());
            let heavy = expand.parts.iter().filter(|part| part.heavy).count();
            assert!(expand.page_size() * (5 + 25 * heavy) * 1024 < 32 * 1024 * 1024);
        }
    }
}
