//! Responses that are large.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::json;

use super::stage::Stage;
use crate::budget::responses::ask_and_not_read;
use crate::support::Caller;

/// How often each outcome came, by status and code.
pub fn counted(outcomes: impl IntoIterator<Item = String>) -> String {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_insert(0) += 1;
    }
    let counts = counts.iter().map(|(outcome, count)| format!("{count} × {outcome}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// What came of a query below `deepSecurity`.
pub async fn outcome(caller: &Caller, document: &str) -> String {
    let answer = caller.ask(document, json!({})).await;
    let code = answer.body["errors"][0]["extensions"]["code"].as_str();
    code.map_or_else(|| answer.status.to_string(), str::to_owned)
}

pub async fn unread(stage: &Stage) -> String {
    let fields = "id hostName displayName description platform agentVersion hostGUID groupID policyID";
    let list = |number: usize| format!("a{number}: computers(first: 5000) {{ nodes {{ {fields} }} }} ");
    let document = format!("{{ deepSecurity {{ {} }} }}", (0..4).map(list).collect::<String>());
    let asked = join_all((0..300).map(|_| ask_and_not_read(&stage.attacker, &document))).await;
    let counts = counted(asked.iter().map(|(status, _)| status.to_string()));
    drop(asked);
    counts
}

pub async fn too_large(stage: &Stage) -> String {
    let modules = ["firewall", "intrusionPrevention", "integrityMonitoring", "logInspection"];
    let modules: String = modules.iter().map(|module| format!("{module} {{ ruleIDs }} ")).collect();
    let document = format!("{{ deepSecurity {{ computers(first: 2000) {{ nodes {{ id {modules} }} }} }} }}");
    let outcome = outcome(&stage.attacker, &document).await;
    assert_eq!(outcome, "OPERATION_TOO_COSTLY");
    outcome
}

pub async fn aliases(stage: &Stage) -> String {
    let list = |number: usize| format!("a{number}: computers(first: 5000) {{ nodes {{ id hostName platform }} }} ");
    let document = format!("{{ deepSecurity {{ {} }} }}", (0..12).map(list).collect::<String>());
    let asked = join_all((0..8).map(|_| outcome(&stage.attacker, &document))).await;
    counted(asked)
}
