//! Which parts of a computer are asked for, and what of them is kept.

use crate::deep_security::wire::Projection;

/// A part of a computer that the manager adds on request (`docs/reference/deep-security-api.md`,
/// section 6). Its name is that of the member it adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field of the graph that shows it.
    pub field: &'static str,
    /// The option of `expand`.
    pub option: &'static str,
    /// Whether it may hold thousands of rules.
    heavy: bool,
}

const fn part(field: &'static str, option: &'static str, heavy: bool) -> Part {
    Part { field, option, heavy }
}

impl Part {
    /// All, in the order in which they are sent: an order of its own for each request would be a
    /// request of its own.
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

/// The parts of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expand {
    parts: Vec<Part>,
    rules: bool,
    members: Option<Projection>,
}

impl Expand {
    /// No part; what is sent without any is kept whole.
    pub const NONE: Self = Self { parts: Vec::new(), rules: true, members: None };

    /// What these fields of the graph show, and nothing else.
    pub fn of(fields: &[&str]) -> Self {
        Self {
            parts: Part::ALL.into_iter().filter(|part| fields.contains(&part.field)).collect(),
            rules: true,
            members: Some(Projection::new(fields.iter().map(|field| member(field)))),
        }
    }

    /// The same parts, with the ids of their rules or without: the manager sends them in any case,
    /// and those that nobody selected need not be kept.
    pub fn with_rules(self, rules: bool) -> Self {
        Self { rules, ..self }
    }

    /// The members that are kept; all if absent.
    pub fn members(&self) -> Option<&Projection> {
        self.members.as_ref()
    }

    /// Whether the ids of rules are wanted.
    pub fn rules(&self) -> bool {
        self.rules
    }

    /// The values of `expand`, sorted; `none` where there is no part. Never nothing, which would
    /// mean everything.
    pub fn options(&self) -> impl Iterator<Item = &'static str> {
        let none = self.parts.is_empty().then_some("none");
        none.into_iter().chain(self.parts.iter().map(|part| part.option))
    }

    /// How many computers fit into one answer: with four modules of 3,000 rules one has 80 kB.
    pub fn window(&self) -> usize {
        match self.parts.iter().filter(|part| part.heavy).count() {
            0 | 1 => 500,
            2 => 250,
            _ => 125,
        }
    }
}

/// The member that a field of a computer shows.
fn member(field: &str) -> &str {
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
    fn nothing_selected_is_said_and_parts_are_sorted() {
        assert_eq!(options(&["hostName"]), ["none"]);
        let asked = options(&["intrusionPrevention", "computerStatus", "sap", "hostName"]);
        assert_eq!(asked, ["SAP", "computerStatus", "intrusionPrevention"]);
        assert!(Part::ALL.is_sorted_by_key(|part| part.option));
    }

    #[test]
    fn an_answer_stays_below_its_limit_whatever_is_selected() {
        for fields in 0..1_u32 << Part::ALL.len() {
            let selected = Part::ALL.iter().enumerate().filter(|(at, _)| fields & 1 << at != 0);
            let expand = Expand::of(&selected.map(|(_, part)| part.field).collect::<Vec<_>>());
            let heavy = expand.parts.iter().filter(|part| part.heavy).count();
            assert!(expand.window() * (5 + 25 * heavy) * 1024 < 32 * 1024 * 1024);
        }
    }
}
