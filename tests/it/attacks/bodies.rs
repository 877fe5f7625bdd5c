//! Large responses.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::stage::Stage;
use crate::budget::responses::ask_and_not_read;
use crate::support::Caller;

/// The number of responses by status and error code.
pub fn counted(outcomes: impl IntoIterator<Item = String>) -> String {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_insert(0) += 1;
    }
    let counts = counts.iter().map(|(outcome, count)| format!("{count} × {outcome}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// The error code of a response, or its status.
pub async fn outcome(caller: &Caller, document: &str) -> String {
    let answer = caller.ask(document, json!({})).await;
    let code = answer.body["errors"][0]["extensions"]["code"].as_str();
    code.map_or_else(|| answer.status.to_string(), str::to_owned)
}

/// Reads until the response turns out to have data, or an error with a code.
async fn beginning(stream: &mut TcpStream) -> String {
    let mut read = String::new();
    let mut some = [0; 1024];
    while read.len() < 16 * 1024 {
        let length = stream.read(&mut some).await.unwrap_or_default();
        read += &String::from_utf8_lossy(&some[..length]);
        if read.contains("{\"data\":{") {
            return "data".to_owned();
        }
        if let Some((code, _)) =
            read.split_once("\"code\":\"").and_then(|(_, code)| code.split_once('"'))
        {
            return code.to_owned();
        }
        if length == 0 {
            break;
        }
    }
    "neither data nor a code".to_owned()
}

/// Lists of a customer's own manager, 4.5 MB each and 32 at a time; all stay open until the last
/// request is sent.
pub async fn unread(stage: &Stage) -> String {
    let own = &stage.managers.own;
    own.order_always(Calls::to("POST", "/computers/search"), Fault::Huge { bytes: 4_500_000 });
    let document = "{ deepSecurity { computers(first: 499) { nodes { hostName } } } }";
    let ask = async |_| {
        let (_, mut stream) = ask_and_not_read(&stage.owner, document).await;
        (beginning(&mut stream).await, stream)
    };
    let asked = stream::iter(0..300).map(ask).buffer_unordered(32).collect::<Vec<_>>().await;
    own.clear_orders();
    let (outcomes, _streams): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    counted(outcomes)
}

/// The same with lists of many values, all requested at once.
pub async fn unread_values(stage: &Stage) -> String {
    let fields =
        "id hostName displayName description platform agentVersion hostGUID groupID policyID";
    let list =
        |number: usize| format!("a{number}: computers(first: 5000) {{ nodes {{ {fields} }} }} ");
    let document = format!("{{ deepSecurity {{ {} }} }}", (0..4).map(list).collect::<String>());
    let ask = async |_| {
        let (_, mut stream) = ask_and_not_read(&stage.attacker, &document).await;
        (beginning(&mut stream).await, stream)
    };
    let asked = join_all((0..300).map(ask)).await;
    let (outcomes, _streams): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    counted(outcomes)
}

pub async fn too_large(stage: &Stage) -> String {
    let modules = ["firewall", "intrusionPrevention", "integrityMonitoring", "logInspection"];
    let modules: String = modules.iter().map(|module| format!("{module} {{ ruleIDs }} ")).collect();
    let list = format!("computers(first: 2000) {{ nodes {{ id {modules} }} }}");
    let answer = stage.attacker.ask(&format!("{{ deepSecurity {{ {list} }} }}"), json!({})).await;
    let error = &answer.body["errors"][0];
    let message = error["message"].as_str().unwrap_or_default();
    assert!(!message.contains("limit `cost`"), "{error}");
    answer.code().to_owned()
}

/// 12 aliases of 2,500 computers with 5 fields: just below the cost limit of an operation.
pub async fn aliases(stage: &Stage) -> String {
    let list = |number: usize| {
        let fields = "id hostName platform agentVersion displayName";
        format!("a{number}: computers(first: 2500) {{ nodes {{ {fields} }} }} ")
    };
    let document = format!("{{ deepSecurity {{ {} }} }}", (0..12).map(list).collect::<String>());
    let asked = join_all((0..8).map(|_| outcome(&stage.attacker, &document))).await;
    counted(asked)
}
