//! Checks of links: whether the installation has the remote tenant.

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server;

use super::{link, register_with};
use crate::support::{Answer, Caller, Engine, TestApp, both_databases, notes};

const CUSTOMER: &str = "Contoso Retail";
const CHECK: &str = "reachable lastErrorCode verification { state failure failedAt verifiedAt }";

async fn permissive(engine: Engine) -> TestApp {
    TestApp::with(engine, |config| config.upstream.allow_private_addresses = true).await
}

async fn manager() -> Simulator {
    let config = Config::default().tenant(TenantSeed::named(CUSTOMER).computers(2));
    let manager = Simulator::start(config.limits(Limits::NONE)).await.unwrap();
    manager.tenants.iter().for_each(|tenant| notes::note(&tenant.secret_key));
    manager
}

async fn server() -> integration_server::Simulator {
    use integration_server::{Config, Simulator, TenantSeed};
    let config =
        Config { tenants: vec![TenantSeed::complete(CUSTOMER).machines(2)], ..Config::default() };
    let server = Simulator::start(config).await.unwrap();
    notes::note(&server.password());
    server
}

async fn register_manager(owner: &Caller, manager: &Simulator, secret_key: &str) -> Value {
    let input = json!({
        "name": "manager", "system": "DEEP_SECURITY", "baseURL": manager.base_url,
        "credential": { "secretKey": secret_key },
    });
    register_with(owner, input).await.field("registerUpstream")
}

async fn register_server(owner: &Caller, server: &integration_server::Simulator) -> Value {
    let input = json!({
        "name": "server", "system": "INTEGRATION_SERVER", "baseURL": server.base_url,
        "credential": { "basic": { "password": server.password() } },
    });
    register_with(owner, input).await.field("registerUpstream")
}

/// The state of the tenant's only link.
async fn status(caller: &Caller, tenant: impl ToString) -> Value {
    let document = format!(
        "query($id: ID!) {{ tenant(id: $id) {{ upstreamLinks {{ status {{ {CHECK} }} }} }} }}"
    );
    let tenant = caller.ask(&document, json!({ "id": tenant.to_string() })).await.field("tenant");
    tenant["upstreamLinks"][0]["status"].clone()
}

async fn test_link(caller: &Caller, tenant: impl ToString, system: &str) -> Answer {
    let document = format!(
        "mutation($id: ID!, $system: LegacySystem!) {{ testLink(tenantID: $id, system: $system) {{ \
        {CHECK} }} }}"
    );
    caller.ask(&document, json!({ "id": tenant.to_string(), "system": system })).await
}

fn message(answer: &Answer) -> String {
    answer.body["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
}

both_databases! {
    async fn link_to_an_unknown_tenant_is_refused_naming_it(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let server = server().await;
        let partner = app.administrator(app.world.partner).await;
        let managers = register_manager(&partner, &manager, &manager.primary().secret_key).await;
        let servers = register_server(&partner, &server).await;
        let uuid = "345ae5d6-eeb7-4635-884a-01ac1781deeb";
        let refused = link(&partner, app.world.north, &managers, Some("4711")).await;
        assert_eq!(refused.code(), "NOT_FOUND");
        assert!(
            message(&refused).starts_with("Deep Security has no tenant 4711:"),
            "{}",
            message(&refused)
        );
        let refused = link(&partner, app.world.north, &servers, Some(uuid)).await;
        assert_eq!(refused.code(), "NOT_FOUND");
        assert!(message(&refused).contains(uuid), "{}", message(&refused));
        let refused = link(&partner, app.world.north, &managers, Some(uuid)).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT");
        assert!(message(&refused).contains("numbers"), "{}", message(&refused));
        let refused = link(&partner, app.world.north, &servers, None).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT");
        assert!(message(&refused).starts_with("remoteTenantID:"), "{}", message(&refused));

        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &managers, Some(&remote)).await.data();
        let seen = status(&partner, app.world.north).await["verification"].clone();
        assert_eq!((&seen["state"], &seen["failure"]), (&json!("VERIFIED"), &Value::Null));
        assert!(seen["verifiedAt"].is_string(), "{seen}");
        link(&partner, app.world.south, &servers, Some(&server.tenant(CUSTOMER).id)).await.data();
        assert_eq!(status(&partner, app.world.south).await["verification"]["state"], "VERIFIED");
    }

    async fn invalid_link_sends_no_call(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let upstream = register_manager(&partner, &manager, &manager.primary().secret_key).await;
        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &upstream, Some(&remote)).await.data();
        manager.forget_calls();
        assert_eq!(
            link(&partner, app.world.north, &upstream, Some("4711")).await.code(),
            "CONFLICT"
        );
        assert_eq!(
            link(&partner, app.world.stranger, &upstream, Some("4711")).await.code(),
            "NOT_FOUND"
        );
        let customer = app.administrator(app.world.north).await;
        assert_eq!(
            link(&customer, app.world.north, &upstream, Some("4711")).await.code(),
            "NOT_FOUND"
        );
        assert_eq!(manager.count(&Calls::all()), 0);
    }

    async fn link_waits_while_the_installation_is_down_and_is_verified_in_the_background(
        engine: Engine,
    ) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let upstream = register_manager(&partner, &manager, &manager.primary().secret_key).await;
        manager.order_always(Calls::all(), Fault::Status { status: 503, retry_after: None });
        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &upstream, Some(&remote)).await.data();
        link(&partner, app.world.south, &upstream, Some("4711")).await.data();
        let seen = status(&partner, app.world.north).await["verification"].clone();
        assert_eq!((&seen["state"], &seen["failure"]), (&json!("PENDING"), &json!("UNREACHABLE")));
        assert!(seen["failedAt"].is_string() && seen["verifiedAt"].is_null(), "{seen}");
        manager.clear_orders();
        manager.forget_calls();
        let jobs = &app.background_jobs;
        jobs.check_links().await.unwrap();
        assert_eq!(manager.count(&Calls::all()), 0, "a link that has just failed is not checked again");
        app.advance(61);
        jobs.check_links().await.unwrap();
        assert_eq!(status(&partner, app.world.north).await["verification"]["state"], "VERIFIED");
        let wrong = status(&partner, app.world.south).await["verification"].clone();
        assert_eq!(
            (&wrong["state"], &wrong["failure"]),
            (&json!("FAILED"), &json!("REMOTE_TENANT_NOT_FOUND"))
        );
        manager.forget_calls();
        app.advance(61);
        jobs.check_links().await.unwrap();
        assert_eq!(manager.count(&Calls::all()), 0, "a verified link is not checked again");
    }

    async fn tested_link_reports_and_records_what_is_wrong(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let upstream = register_manager(&partner, &manager, &manager.primary().secret_key).await;
        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &upstream, Some(&remote)).await.data();
        let good = test_link(&partner, app.world.north, "DEEP_SECURITY").await.field("testLink");
        assert_eq!((&good["reachable"], &good["lastErrorCode"]), (&json!(true), &Value::Null));
        assert_eq!(good["verification"]["state"], "VERIFIED");

        manager.order_always(
            Calls::to("GET", "/tenants/*"),
            Fault::Status { status: 404, retry_after: None },
        );
        let tested = test_link(&partner, app.world.north, "DEEP_SECURITY").await.field("testLink");
        assert_eq!(tested["lastErrorCode"], "NOT_FOUND");
        assert_eq!(tested["verification"]["failure"], "REMOTE_TENANT_NOT_FOUND");
        assert_eq!(status(&partner, app.world.north).await["verification"], tested["verification"]);
        manager.clear_orders();
        let tested = test_link(&partner, app.world.north, "DEEP_SECURITY").await.field("testLink");
        assert_eq!(
            (&tested["verification"]["state"], &tested["verification"]["failure"]),
            (&json!("VERIFIED"), &Value::Null)
        );

        let missing = test_link(&partner, app.world.north, "INTEGRATION_SERVER").await;
        assert_eq!(missing.code(), "UPSTREAM_NOT_LINKED");
        assert_eq!(
            test_link(&partner, app.world.stranger, "DEEP_SECURITY").await.code(),
            "NOT_FOUND"
        );
        let log = "{ auditLog { nodes { operation outcome code } } }";
        let log = partner.within(app.world.north).ask(log, json!({})).await.field("auditLog");
        let tests: Vec<&Value> = log["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|node| node["operation"] == "testLink")
            .collect();
        assert!(tests.iter().any(|node| node["code"] == "NOT_FOUND"), "{tests:?}");
        assert!(tests.iter().any(|node| node["outcome"] == "SUCCEEDED"), "{tests:?}");
    }

    async fn key_of_a_customer_proves_its_own_tenant(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let customer = manager.customer(CUSTOMER);
        let upstream = register_manager(&partner, &manager, &customer.secret_key).await;
        let refused =
            link(&partner, app.world.north, &upstream, Some(&customer.id.to_string())).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT");
        assert!(message(&refused).contains("leave it out"), "{}", message(&refused));
        link(&partner, app.world.north, &upstream, None).await.data();
        assert_eq!(status(&partner, app.world.north).await["verification"]["state"], "VERIFIED");
    }

    async fn refused_credential_leaves_the_link_pending(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let wrong = "1:not-the-key-of-this-manager";
        notes::note(wrong);
        let upstream = register_manager(&partner, &manager, wrong).await;
        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &upstream, Some(&remote)).await.data();
        let seen = status(&partner, app.world.north).await["verification"].clone();
        assert_eq!(
            (&seen["state"], &seen["failure"]),
            (&json!("PENDING"), &json!("CREDENTIAL_REFUSED"))
        );
        let document = "mutation($id: ID!, $key: String!) {
            updateUpstream(id: $id, input: { credential: { secretKey: $key } }) { id } }";
        let right = json!({ "id": upstream["id"], "key": manager.primary().secret_key });
        partner.ask(document, right).await.data();
        let seen = status(&partner, app.world.north).await["verification"].clone();
        assert_eq!(
            (&seen["state"], &seen["failure"]),
            (&json!("PENDING"), &Value::Null),
            "checked anew"
        );
        let query = "{ deepSecurity { computers { nodes { remoteID } } } }";
        partner.within(app.world.north).ask(query, json!({})).await.data();
        assert_eq!(
            status(&partner, app.world.north).await["verification"]["state"],
            "VERIFIED",
            "by its use"
        );
    }

    async fn query_names_the_tenant_that_the_installation_does_not_have(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let server = server().await;
        let partner = app.administrator(app.world.partner).await;
        let managers = register_manager(&partner, &manager, &manager.primary().secret_key).await;
        let servers = register_server(&partner, &server).await;
        manager.order_always(Calls::all(), Fault::Status { status: 503, retry_after: None });
        server.order_always(Calls::all(), Fault::Status { status: 503, retry_after: None });
        let uuid = "345ae5d6-eeb7-4635-884a-01ac1781deeb";
        link(&partner, app.world.north, &managers, Some("4711")).await.data();
        link(&partner, app.world.south, &servers, Some(uuid)).await.data();
        manager.clear_orders();
        server.clear_orders();
        for (tenant, query, unknown) in [
            (app.world.north, "{ deepSecurity { computers { nodes { remoteID } } } }", "4711"),
            (app.world.north, "{ deepSecurity { tenant { name } } }", "4711"),
            (app.world.south, "{ integrationServer { tenant { name } } }", uuid),
            (app.world.south, "{ integrationServer { virtualMachines { nodes { name } } } }", uuid),
        ] {
            let answer = partner.within(tenant).ask(query, json!({})).await;
            assert_eq!(answer.code(), "NOT_FOUND", "{query}");
            assert!(message(&answer).contains(unknown), "{query}: {}", message(&answer));
            let seen = status(&partner, tenant).await["verification"].clone();
            assert_eq!(
                (&seen["state"], &seen["failure"]),
                (&json!("FAILED"), &json!("REMOTE_TENANT_NOT_FOUND")),
                "{query}"
            );
        }
    }
}
