//! The cache of responses.

use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Product, Simulator, TenantSeed};
use tenant_gateway_simulators::faults::Fault;

use super::rig::{Rig, ask, link, register, see, seeds};
use crate::support::{Caller, Engine, both_databases};

/// Each kind of object, alone and in lists.
const EACH: [&str; 8] = [
    COMPUTERS,
    "computer(id: 1) { displayName }",
    "policies { nodes { name } }",
    "policy(id: 1) { name }",
    "roles { nodes { name } }",
    "role(id: 1) { name }",
    "apiKeys { nodes { keyName } }",
    "apiKey(id: 1) { keyName }",
];
const COMPUTERS: &str = "computers { nodes { hostName } }";

/// A gateway with a cache that outlasts the test. Reads are not retried, so that calls can be
/// counted.
async fn caching_rig(engine: Engine) -> Rig {
    let settings = |config: &mut tenant_gateway::config::Config| {
        let room = &mut config.deep_security;
        room.computers_cache_ttl = Duration::from_hours(1);
        room.policies_cache_ttl = Duration::from_hours(1);
        room.roles_cache_ttl = Duration::from_hours(1);
        room.api_keys_cache_ttl = Duration::from_hours(1);
        config.upstream.retries = 0;
    };
    Rig::with_settings(
        engine,
        |config| config.tenant(TenantSeed::named("East").computers(2)),
        settings,
    )
    .await
}

/// The data of a query, and the number of calls it cost.
async fn counted(rig: &Rig, caller: &Caller, fields: &str) -> (Value, u64) {
    rig.manager.forget_calls();
    let seen = see(caller, fields).await;
    (seen, rig.manager.count(&Calls::all()))
}

/// The number of calls to read the computers, once the caller's key exists.
async fn calls(rig: &Rig, caller: &Caller) -> u64 {
    counted(rig, caller, COMPUTERS).await.1
}

/// Callers whose keys exist before calls are counted: minting a key clears the cache.
async fn with_keys<const N: usize>(callers: [Caller; N]) -> [Caller; N] {
    for caller in &callers {
        see(caller, "tenant { id } roles(first: 1) { nodes { id } }").await;
    }
    callers
}

async fn update(caller: &Caller, upstream: &str, input: Value) {
    let document = "mutation($id: ID!, $input: UpdateUpstreamInput!) { updateUpstream(id: $id, \
        input: $input) { id } }";
    caller.ask(document, json!({ "id": upstream, "input": input })).await.data();
}

both_databases! {
    async fn cached_response_is_served_without_a_call(engine: Engine) {
        let rig = caching_rig(engine).await;
        let [one, other] =
            with_keys([rig.reader(rig.world.north).await, rig.reader(rig.world.north).await]).await;
        for fields in EACH {
            let (seen, calls) = counted(&rig, &one, fields).await;
            assert_eq!(calls, 1, "{fields}");
            assert_eq!(counted(&rig, &one, fields).await, (seen.clone(), 0), "{fields}");
            assert_eq!(
                counted(&rig, &other, fields).await,
                (seen, 0),
                "the access is equal: {fields}"
            );
        }
        let document = format!("{{ deepSecurity {{ {} }} }}", EACH.join(" "));
        let answer =
            one.gateway.send(one.request(&document, &json!({})).header("x-query-cost", "1")).await;
        assert_eq!(answer.body["extensions"]["cost"]["upstreamCalls"], 0, "{}", answer.body);
        assert_eq!(
            counted(&rig, &one, "computers(first: 6) { nodes { hostName } }").await.1,
            1,
            "a different query"
        );
    }

    async fn cache_is_disabled_by_default(rig: Rig) {
        let [reader] = with_keys([rig.reader(rig.world.north).await]).await;
        for fields in EACH.iter().chain(&EACH) {
            assert_eq!(counted(&rig, &reader, fields).await.1, 1, "{fields}");
        }
    }

    async fn cache_is_separate_for_each_tenant_and_access(engine: Engine) {
        let rig = caching_rig(engine).await;
        let north = rig.world.north;
        let south = rig.world.south;
        let callers =
            [rig.reader(north).await, rig.app.administrator(north).await, rig.reader(south).await];
        let callers = with_keys(callers).await;
        for (caller, (name, count)) in
            callers.iter().zip([("north", 7), ("north", 7), ("south", 5)])
        {
            let (seen, calls) = counted(&rig, caller, COMPUTERS).await;
            assert_eq!(calls, 1, "{name}");
            let nodes = seen["computers"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), count);
            assert_eq!(nodes[0]["hostName"], format!("host-1.{name}.example"));
        }
        for caller in &callers {
            assert_eq!(calls(&rig, caller).await, 0);
        }
    }

    async fn change_clears_its_tenants_cache_and_never_reads_from_it(engine: Engine) {
        let rig = caching_rig(engine).await;
        let north = rig.world.north;
        let south = rig.world.south;
        let [reader, writer, other] =
            with_keys([rig.reader(north).await, rig.writer(north).await, rig.reader(south).await])
                .await;
        let front = "computer(id: 1) { displayName }";
        for caller in [&reader, &writer, &other] {
            see(caller, front).await;
        }
        rig.manager.forget_calls();
        let document = "mutation { updateDeepSecurityComputer(id: 1, input: { \
            displayName: \"Front\" }) { policy { name } } }";
        writer.ask(document, json!({})).await.data();
        assert_eq!(
            rig.manager.count(&Calls::to("GET", "/computers/1")),
            1,
            "the state before the change is not read from the cache"
        );
        assert_eq!(
            counted(&rig, &reader, front).await,
            (json!({ "computer": { "displayName": "Front" } }), 1)
        );
        assert_eq!(counted(&rig, &other, front).await.1, 0, "not another tenant's");
        assert_eq!(
            counted(&rig, &writer, "policy(id: 1) { name }").await.1,
            1,
            "reads of a mutation are not cached"
        );
    }

    async fn failed_response_is_not_cached(engine: Engine) {
        let rig = caching_rig(engine).await;
        let [reader] = with_keys([rig.reader(rig.world.north).await]).await;
        let body = |text: &str| Fault::Body {
            status: 200,
            content_type: "application/json".to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        // A different query each time, because the previous response is cached.
        for (number, fault) in (1..).zip([
            Fault::Status { status: 503, retry_after: None },
            Fault::Status { status: 400, retry_after: None },
            Fault::Html,
            Fault::Truncated,
            body(r#"{ "ID": 99 }"#),
            body(r#"{ "computers": [{ "ID": 2 }, { "ID": 1 }] }"#),
        ]) {
            let many = format!("computers(first: {number}) {{ nodes {{ id }} }}");
            let one = format!("computer(id: {number}) {{ id }}");
            for fields in [&many, &one] {
                rig.manager.order(Calls::to("*", "/computers/*"), fault.clone(), 1);
                assert!(ask(&reader, fields).await.code().starts_with("UPSTREAM_"), "{fault:?}");
                assert_eq!(counted(&rig, &reader, fields).await.1, 1, "{fault:?}");
                assert_eq!(counted(&rig, &reader, fields).await.1, 0, "{fault:?}");
            }
        }
        rig.manager.forget_calls();
        for _ in 0..2 {
            assert_eq!(ask(&reader, "computer(id: 99) { id }").await.code(), "NOT_FOUND");
        }
        assert_eq!(rig.manager.count(&Calls::all()), 2);
    }

    async fn cache_ends_with_the_link_and_with_each_change_of_the_upstream(engine: Engine) {
        let rig = caching_rig(engine).await;
        let north = rig.world.north;
        let [reader] = with_keys([rig.reader(north).await]).await;
        see(&reader, COMPUTERS).await;
        update(&rig.partner, &rig.upstream, json!({ "name": "Another name" })).await;
        assert_eq!((calls(&rig, &reader).await, calls(&rig, &reader).await), (1, 0));
        let links = "query($id: ID!) { tenant(id: $id) { upstreamLinks { id } } }";
        let links = rig.partner.ask(links, json!({ "id": north })).await.field("tenant");
        let unlink = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
        rig.partner.ask(unlink, json!({ "id": links["upstreamLinks"][0]["id"] })).await.data();
        assert_eq!(ask(&reader, COMPUTERS).await.code(), "UPSTREAM_NOT_LINKED");
        rig.link(north, Some("East")).await;
        let seen = see(&reader, COMPUTERS).await;
        assert_eq!(
            seen["computers"]["nodes"],
            json!([{ "hostName": "host-1.east.example" }, { "hostName": "host-2.east.example" }])
        );
    }

    async fn cloud_one_test_and_new_base_url_bypass_the_cache(engine: Engine) {
        let rig = caching_rig(engine).await;
        let hosted = || Simulator::start(seeds().product(Product::CloudOne));
        let one = hosted().await.unwrap();
        let other = hosted().await.unwrap();
        let credential = |of: &Simulator| json!({ "cloudOneApiKey": of.primary().secret_key });
        let stranger = rig.app.administrator(rig.world.stranger).await;
        let upstream = register(&stranger, &one.base_url, credential(&one)).await;
        link(&stranger, rig.world.stranger, &upstream, None).await.data();
        // The call of `testUpstream`.
        let fields = "computers(first: 1) { nodes { id } }";
        one.forget_calls();
        for _ in 0..2 {
            see(&stranger, fields).await;
            assert_eq!(one.count(&Calls::all()), 1);
        }
        let test = "mutation($id: ID!) { testUpstream(id: $id) { reachable } }";
        assert_eq!(
            stranger.ask(test, json!({ "id": upstream })).await.field("testUpstream"),
            json!({ "reachable": true })
        );
        assert_eq!(one.count(&Calls::all()), 2);
        let sent = one.seen(&Calls::to("POST", "/computers/search"));
        assert_eq!((&sent[0].body, sent.len()), (&sent[1].body, 2), "the same query");
        update(
            &stranger,
            &upstream,
            json!({ "baseURL": other.base_url, "credential": credential(&other) }),
        )
        .await;
        other.forget_calls();
        see(&stranger, fields).await;
        assert_eq!(other.count(&Calls::all()), 1);
    }
}
