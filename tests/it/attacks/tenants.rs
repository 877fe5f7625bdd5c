//! Large selections and long filters of tenants.

use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::bodies::{counted, outcome};
use super::stage::{Stage, TENANTS};

/// 4,500 spreads of a fragment inside inline fragments, in 2.6 kB.
pub async fn hidden_spreads(stage: &Stage) -> String {
    let spreads = "...{...f}".repeat(45);
    let links = "...{upstreamLinks{id}}".repeat(100);
    let document = format!(
        "{{tenants(tenantsQuery:{{count:500}}){{tenants{{{spreads}}}}}}}fragment f on \
        Tenant{{{links}}}"
    );
    counted(join_all((0..40).map(|_| outcome(&stage.attacker, &document))).await)
}

/// 15 lists of tenants, each with one alias more than the last: what the limits allow.
pub async fn aliases(stage: &Stage) -> String {
    let list = |number: usize| {
        format!(
            "a{number}: tenants(tenantsQuery: {{ count: {TENANTS} }}) \
             {{ tenants {{ id name links: upstreamLinks {{ id }} }} }} "
        )
    };
    let document = format!("{{ {} }}", (0..15).map(list).collect::<String>());
    counted(join_all((0..8).map(|_| outcome(&stage.attacker, &document))).await)
}

/// More values than SQLite's default number of parameters.
pub async fn long_filters(stage: &Stage) -> String {
    let mut names: Vec<_> = (0..998).map(|number| format!("no tenant {number}")).collect();
    names.push("Attacker".to_owned());
    let mut hierarchies: Vec<_> = (1..1000).map(|id| Uuid::from_u128(id).to_string()).collect();
    hierarchies.push(stage.attacker_tenant.clone());
    let document =
        "query($query: TenantsQuery) { tenants(tenantsQuery: $query) { tenants { id } } }";
    let ask = async |query| {
        let answer = stage.attacker.ask(document, json!({ "query": query })).await;
        answer.field("tenants")["tenants"].as_array().expect("a list").len()
    };
    let queries = (0..8).map(|_| ask(json!({ "names": names })));
    let named = join_all(queries).await;
    let queries = (0..8).map(|_| ask(json!({ "hierarchies": hierarchies, "count": 500 })));
    let below = join_all(queries).await;
    assert_eq!((&named[..], &below[..]), (&[1; 8][..], &[TENANTS; 8][..]));
    format!("16 answered with 1 and {TENANTS} tenants")
}
