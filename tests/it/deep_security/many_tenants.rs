//! One query over many tenants, each with its own data or its own error.

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::TenantSeed;
use tenant_gateway_simulators::faults::Fault;
use tokio::net::TcpSocket;

use super::rig::{Rig, link, register};
use crate::support::{Answer, both_databases};

const TENANTS: &str = "{ tenants(tenantsQuery: { count: 500 }) { hasMore
    tenants { id name deepSecurity { computers(first: 2) { nodes { hostName } } } } } }";

/// The errors of the tenant at that place of the list.
fn errors_at(answer: &Answer, at: usize) -> Vec<&Value> {
    let errors = answer.body["errors"].as_array().unwrap().iter();
    errors.filter(|error| error["path"][2] == at).collect()
}

/// Asserts that a tenant has two computers, both in the domain that its name gives.
fn assert_own_computers(tenant: &Value) {
    let name = tenant["name"].as_str().unwrap();
    let domain = format!(".{}.example", name.to_lowercase().replace(' ', "-"));
    let nodes = tenant["deepSecurity"]["computers"]["nodes"].as_array().unwrap();
    let is_own = |node: &Value| node["hostName"].as_str().unwrap().ends_with(&domain);
    assert!(nodes.len() == 2 && nodes.iter().all(is_own), "{name}: {nodes:?}");
}

/// Asserts that the error says of the tenant at that place that its manager cannot be reached.
fn assert_unreachable(error: &Value, tenant: &Value, at: usize) {
    assert_eq!(error["path"], json!(["tenants", "tenants", at, "deepSecurity", "computers"]));
    let told = &error["extensions"];
    assert_eq!(told["code"], "UPSTREAM_UNAVAILABLE");
    assert_eq!(told["retryable"], true);
    let upstream = json!({ "system": "DEEP_SECURITY", "status": null, "code": null });
    assert_eq!(told["upstream"], upstream);
    assert_eq!(told["tenantID"], tenant["id"]);
}

both_databases! {
    async fn each_tenant_returns_its_own_data_or_error(engine: Engine) {
        let customers = 200;
        let rig = Rig::with_settings(
            engine,
            |config| {
                (0..customers).fold(config, |config, number| {
                    config.tenant(TenantSeed::named(&format!("Customer {number}")).computers(2))
                })
            },
            |config| {
                config.limits.tenant_deadline = std::time::Duration::from_secs(3);
                config.upstream.retries = 0;
            },
        )
        .await;
        let organization = rig.world.organization;
        for number in 0..customers {
            let name = format!("Customer {number}");
            let tenant = rig.operator.tenant(organization, &name, false).await;
            rig.link(tenant, Some(&name)).await;
        }
        let reader = rig.reader(organization).await;
        let remote = |number: usize| rig.manager.customer(&format!("Customer {number}")).id;
        // Mint every key before faults are ordered.
        reader.ask(TENANTS, json!({})).await;
        rig.manager.order_always(
            Calls::to("*", "/computers/*").of(remote(3)),
            Fault::Delay { millis: 20_000 },
        );
        rig.manager.order_always(
            Calls::to("*", "/computers/*").of(remote(150)),
            Fault::Delay { millis: 20_000 },
        );
        rig.manager.order_always(Calls::to("*", "/computers/*").of(remote(5)), Fault::Html);
        rig.manager.order_always(
            Calls::to("*", "/computers/*").of(remote(7)),
            Fault::Status { status: 503, retry_after: None },
        );
        rig.manager.set_tenant_state(remote(9), "suspended");
        rig.manager.forget_calls();
        let answer = reader.ask(TENANTS, json!({})).await;
        assert_eq!(answer.body["data"]["tenants"]["hasMore"], false);
        let tenants = answer.body["data"]["tenants"]["tenants"].as_array().unwrap();
        let mut failed = Vec::new();
        for (at, tenant) in tenants.iter().enumerate() {
            if !tenant["deepSecurity"].is_null() && !tenant["deepSecurity"]["computers"].is_null() {
                assert_own_computers(tenant);
                continue;
            }
            let name = tenant["name"].as_str().unwrap();
            let own = errors_at(&answer, at);
            let [error] = own[..] else { panic!("{name}: {own:?}") };
            let told = &error["extensions"];
            if told["code"] != "UPSTREAM_NOT_LINKED" {
                assert_eq!(told["tenantID"], tenant["id"]);
                assert!(told["retryable"].is_boolean());
                failed.push((name.to_owned(), told["code"].as_str().unwrap().to_owned()));
            }
        }
        failed.sort();
        let expected = [
            ("Customer 150", "DEADLINE_EXCEEDED"),
            ("Customer 3", "DEADLINE_EXCEEDED"),
            ("Customer 5", "UPSTREAM_MALFORMED"),
            ("Customer 7", "UPSTREAM_UNAVAILABLE"),
            ("Customer 9", "UPSTREAM_REJECTED"),
        ];
        assert_eq!(failed, expected.map(|(name, code)| (name.to_owned(), code.to_owned())));
        assert_eq!(answer.status, 200);
        // For the simulator, a delayed call that was abandoned is still in progress.
        assert!(rig.manager.peak().tenants <= 8 + 2, "{:?}", rig.manager.peak());
    }

    async fn unreachable_manager_fails_only_its_own_tenants(rig: Rig) {
        // A bound port that nobody listens on: no other test can take it.
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let place = closed.local_addr().unwrap().to_string();
        let secret = json!({ "secretKey": rig.manager.primary().secret_key });
        let gone = register(&rig.partner, &format!("http://{place}/api"), secret).await;
        // One tenant with a minted key, and one without.
        for (name, remote) in [("Own", None), ("Unminted", Some("7".to_owned()))] {
            let tenant = rig.operator.tenant(rig.world.organization, name, false).await;
            link(&rig.partner, tenant, &gone, remote).await.data();
        }
        let reader = rig.reader(rig.world.organization).await;
        let answer = reader.ask(TENANTS, json!({})).await;
        assert_eq!(answer.status, 200);
        let mut whole = Vec::new();
        let mut failed = Vec::new();
        for (at, tenant) in
            answer.body["data"]["tenants"]["tenants"].as_array().unwrap().iter().enumerate()
        {
            let name = tenant["name"].as_str().unwrap();
            let own = errors_at(&answer, at);
            match name {
                "Own" | "Unminted" => {
                    assert_eq!(tenant["deepSecurity"], json!({ "computers": null }));
                    let [error] = own[..] else { panic!("{name}: {own:?}") };
                    assert_unreachable(error, tenant, at);
                    failed.push(name);
                }
                "North" | "South" => {
                    assert!(own.is_empty(), "{name}: {own:?}");
                    assert_own_computers(tenant);
                    whole.push(name);
                }
                _ => assert_eq!(own[0]["extensions"]["code"], "UPSTREAM_NOT_LINKED", "{name}"),
            }
        }
        whole.sort_unstable();
        failed.sort_unstable();
        assert_eq!((whole, failed), (vec!["North", "South"], vec!["Own", "Unminted"]));
        let told = answer.body.to_string();
        assert!(!told.contains(&place) && !told.contains("refused"), "{told}");
    }

    async fn permission_is_required_in_each_tenant(rig: Rig) {
        let partner = rig.reader(rig.world.partner).await;
        let document = "query($id: ID!) { tenant(id: $id) { deepSecurity { computers(first: 1) { \
            nodes { hostName } } } } }";
        let seen = partner.ask(document, json!({ "id": rig.world.south })).await.field("tenant");
        assert_eq!(
            seen["deepSecurity"]["computers"]["nodes"][0]["hostName"],
            "host-1.south.example"
        );
        // A token without permission to read legacy resources.
        let narrowed = rig
            .app
            .gateway
            .token_request(&[("grant_type", "client_credentials"), ("scope", "clients:read")]);
        let narrowed = narrowed.header("authorization", partner.credentials.basic());
        let token = rig.app.send(narrowed).await.body["access_token"].as_str().unwrap().to_owned();
        let mut narrowed = partner.clone();
        narrowed.token = token;
        let answer = narrowed.ask(document, json!({ "id": rig.world.south })).await;
        assert_eq!(answer.code(), "FORBIDDEN");
        assert_eq!(answer.body["data"]["tenant"]["deepSecurity"], Value::Null);
    }
}
