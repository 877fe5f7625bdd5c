//! Calls to an installation when it is registered or tested.

use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::names::Name;
use tenant_gateway::outbound::{AddressPolicy, BaseUrl};
use tenant_gateway::upstreams::{Credential, NewUpstream, System};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Simulator, TenantSeed};
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server;

use super::{link, register_with};
use crate::support::{Answer, Caller, Engine, TestApp, both_databases, eventually, notes};

const CUSTOMER: &str = "Contoso Retail";

async fn permissive(engine: Engine) -> TestApp {
    TestApp::with(engine, |config| config.upstream.allow_private_addresses = true).await
}

async fn manager() -> Simulator {
    let primary = TenantSeed::named("Primary")
        .administrator("MasterAdmin", "primary password")
        .mfa_code("424242");
    let config = Config { primary, ..Config::default() };
    let manager =
        Simulator::start(config.tenant(TenantSeed::named(CUSTOMER).computers(2))).await.unwrap();
    manager.tenants.iter().for_each(|tenant| notes::note(&tenant.secret_key));
    manager
}

fn by_session(manager: &Simulator, session: Value) -> Value {
    json!({
        "name": "by session",
        "system": "DEEP_SECURITY",
        "baseURL": manager.base_url,
        "credential": { "session": session },
    })
}

async fn test(caller: &Caller, upstream: &Value) -> Answer {
    let document = "mutation($id: ID!) { testUpstream(id: $id) { reachable lastSuccessAt \
        lastErrorCode lastErrorCodeText circuit } }";
    caller.ask(document, json!({ "id": upstream["id"] })).await
}

fn body(status: u16, content_type: &str, text: &str) -> Fault {
    Fault::Body { status, content_type: content_type.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// The result of a test against a server that is not the system's API; the time of the last success
/// stays unchanged.
fn no_api(before: &Value) -> Value {
    json!({
        "reachable": false,
        "lastSuccessAt": before["lastSuccessAt"],
        "lastErrorCode": "UPSTREAM_MALFORMED",
        "lastErrorCodeText": "UPSTREAM_MALFORMED",
        "circuit": "CLOSED",
    })
}

both_databases! {
    async fn registration_by_password_keeps_only_the_created_key(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let password = "primary password";
        notes::note(password);
        let session = json!({
            "userName": "MasterAdmin",
            "password": password,
            "mfaCode": "424242",
            "keyName": "First key",
        });
        let made =
            register_with(&partner, by_session(&manager, session)).await.field("registerUpstream");
        assert_eq!(made["authentication"], "SECRET_KEY");
        let keys = manager.api_keys(manager.primary().id);
        assert!(
            keys.iter().any(|key| key["keyName"] == "First key" && key["roleID"] == 1),
            "{keys:?}"
        );
        assert_eq!(manager.count(&Calls::to("POST", "/sessions")), 1);
        assert_eq!(manager.count(&Calls::to("POST", "/apikeys")), 1);

        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &made, Some(&remote)).await.data();
        let computers = partner.within(app.world.north);
        let computers =
            computers.ask("{ deepSecurity { computers { nodes { remoteID } } } }", json!({})).await;
        let expected = json!([{ "remoteID": "1" }, { "remoteID": "2" }]);
        assert_eq!(computers.field("deepSecurity")["computers"]["nodes"], expected);
        assert_eq!(manager.count(&Calls::to("POST", "/sessions")), 1, "the key does from now on");
        let [asked] = manager.seen(&Calls::to("POST", "/apikeys")).try_into().unwrap();
        for half in ["cookie", "rid"] {
            assert!(
                asked.header(half).is_some_and(|half| half.len() >= 32),
                "a session has two secrets"
            );
        }
        notes::note_shown(&manager);
    }

    async fn no_key_is_created_for_an_invalid_registration(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let core = Core::open(&app.database.config(), Environment::default()).await.unwrap();
        let scope = core.operator(app.world.partner);
        for _ in 0..1000 {
            let new = NewUpstream {
                name: Name::parse("name", "one of many").unwrap(),
                system: System::DeepSecurity,
                base_url: BaseUrl::parse(
                    "baseURL",
                    "https://dsm.example.com/api",
                    AddressPolicy { allow_private: false },
                )
                .unwrap(),
                credential: Credential::SecretKey("2:x".to_owned()),
                ca_certificate: None,
                time_zone: "UTC".to_owned(),
            };
            core.upstreams.register(&scope, new).await.unwrap();
        }
        let session = json!({
            "userName": "MasterAdmin",
            "password": "primary password",
            "mfaCode": "424242",
        });
        let refused = register_with(&partner, by_session(&manager, session)).await;
        assert_eq!(refused.code(), "CONFLICT");
        assert_eq!(manager.count(&Calls::all()), 0);
    }

    async fn wrong_password_or_code_registers_nothing(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        for session in [
            json!({ "userName": "MasterAdmin", "password": "wrong", "mfaCode": "424242" }),
            json!({ "userName": "MasterAdmin", "password": "primary password" }),
            json!({ "userName": "nobody", "password": "primary password", "mfaCode": "424242" }),
        ] {
            let refused = register_with(&partner, by_session(&manager, session)).await;
            assert_eq!(refused.code(), "UPSTREAM_UNAUTHORIZED");
        }
        let empty = register_with(
            &partner,
            by_session(&manager, json!({ "userName": "", "password": "x" })),
        )
        .await;
        assert_eq!(empty.code(), "BAD_USER_INPUT");
        assert_eq!(
            partner.ask("{ upstreams { id } }", json!({})).await.field("upstreams"),
            json!([])
        );
        assert_eq!(manager.count(&Calls::to("POST", "/apikeys")), 0);
    }

    async fn registration_that_fails_after_creating_its_key_has_unknown_outcome(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let made = Calls::to("POST", "/apikeys");
        manager.order(made.clone(), Fault::Delay { millis: 1_000 }, 1);
        let session = json!({
            "userName": "MasterAdmin",
            "password": "primary password",
            "mfaCode": "424242",
        });
        let input = by_session(&manager, session);
        let asked = tokio::spawn(async move { register_with(&partner, input).await });
        eventually(10, "the key", async || (manager.count(&made) == 1).then_some(())).await;
        app.operator.execute("ALTER TABLE upstreams RENAME TO upstreams_gone").await;
        let answer = asked.await.unwrap();
        let told = &answer.body["errors"][0]["extensions"];
        assert_eq!(
            (answer.code(), &told["outcome"], &told["retryable"]),
            ("INTERNAL_SERVER_ERROR", &json!("UNKNOWN"), &json!(false))
        );
        notes::note_shown(&manager);
    }

    async fn key_with_lost_response_is_not_created_twice(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        manager.order(Calls::to("POST", "/apikeys"), Fault::LoseAnswer, 1);
        let session = json!({
            "userName": "MasterAdmin",
            "password": "primary password",
            "mfaCode": "424242",
        });
        let lost = register_with(&partner, by_session(&manager, session)).await;
        assert_eq!(lost.body["errors"][0]["extensions"]["outcome"], "UNKNOWN", "{}", lost.body);
        assert_eq!(manager.count(&Calls::to("POST", "/apikeys")), 1);
        notes::note_shown(&manager);
    }

    async fn testing_an_upstream_tells_whether_its_credential_is_accepted(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let with = |key: &str| {
            json!({
                "name": "x",
                "system": "DEEP_SECURITY",
                "baseURL": manager.base_url,
                "credential": { "secretKey": key },
            })
        };
        let good = register_with(&partner, with(&manager.primary().secret_key))
            .await
            .field("registerUpstream");
        let status = test(&partner, &good).await.field("testUpstream");
        assert_eq!((&status["reachable"], &status["lastErrorCode"]), (&json!(true), &Value::Null));
        assert_eq!(
            (&status["circuit"], status["lastSuccessAt"].is_string()),
            (&json!("CLOSED"), true)
        );

        let wrong = register_with(&partner, with("1:wrong")).await.field("registerUpstream");
        let status = test(&partner, &wrong).await.field("testUpstream");
        assert_eq!(
            (&status["reachable"], &status["lastErrorCode"]),
            (&json!(true), &json!("UPSTREAM_UNAUTHORIZED"))
        );

        manager.stop().await;
        let status = test(&partner, &good).await.field("testUpstream");
        assert_eq!(
            (&status["reachable"], &status["lastErrorCode"]),
            (&json!(false), &json!("UPSTREAM_UNAVAILABLE"))
        );
    }

    async fn integration_server_is_tested_alike(engine: Engine) {
        let app = permissive(engine).await;
        let server = integration_server::Simulator::start(integration_server::Config::default())
            .await
            .unwrap();
        let partner = app.administrator(app.world.partner).await;
        let with = |password: &str| {
            json!({
                "name": "x", "system": "INTEGRATION_SERVER", "baseURL": server.base_url,
                "credential": { "basic": { "password": password } },
            })
        };
        let good =
            register_with(&partner, with(&server.password())).await.field("registerUpstream");
        assert_eq!(test(&partner, &good).await.field("testUpstream")["lastErrorCode"], Value::Null);
        let wrong = register_with(&partner, with("wrong")).await.field("registerUpstream");
        let status = test(&partner, &wrong).await.field("testUpstream");
        assert_eq!(status["lastErrorCode"], "UPSTREAM_UNAUTHORIZED");
        assert!(
            server.seen(&Calls::all()).len() < 10,
            "an unauthorized call is not repeated forever"
        );
    }

    async fn integration_server_is_not_reachable_when_its_answer_is_no_list(engine: Engine) {
        let app = permissive(engine).await;
        let server = integration_server::Simulator::start(integration_server::Config::default())
            .await
            .unwrap();
        let partner = app.administrator(app.world.partner).await;
        let input = json!({
            "name": "x", "system": "INTEGRATION_SERVER", "baseURL": server.base_url,
            "credential": { "basic": { "password": server.password() } },
        });
        let upstream = register_with(&partner, input).await.field("registerUpstream");
        let before = test(&partner, &upstream).await.field("testUpstream");
        assert_eq!(before["reachable"], true);
        let tenants =
            "query($id: ID) { integrationServer { tenants(upstreamID: $id) { nodes { id } } } }";
        for document in [
            "<tasks/>",
            "<Tenant id='1'/>",
            "<tenants><tenant><name>without identifier</name></tenant></tenants>",
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><s:Fault/></s:Body></s:Envelope>",
            "<message>The service is starting.</message>",
        ] {
            server
                .order_always(Calls::to("GET", "/tenants"), body(200, "application/xml", document));
            assert_eq!(
                test(&partner, &upstream).await.field("testUpstream"),
                no_api(&before),
                "{document}"
            );
            let list = partner.ask(tenants, json!({ "id": upstream["id"] })).await;
            assert_eq!(list.code(), "UPSTREAM_MALFORMED", "{document}: {}", list.body);
            server.clear_orders();
        }
        server.order(Calls::to("GET", "/tenants"), body(404, "text/html", "<html>"), 1);
        assert_eq!(test(&partner, &upstream).await.field("testUpstream"), no_api(&before));
        server.order(Calls::to("GET", "/tenants"), body(200, "application/xml", "<tenants/>"), 1);
        assert_eq!(test(&partner, &upstream).await.field("testUpstream")["reachable"], true);
    }

    async fn deep_security_is_not_reachable_at_a_base_url_without_its_api(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let at = |base_url: &str| {
            json!({
                "name": "x", "system": "DEEP_SECURITY", "baseURL": base_url,
                "credential": { "secretKey": manager.primary().secret_key },
            })
        };
        let root = manager.base_url.strip_suffix("/api").unwrap();
        let elsewhere = register_with(&partner, at(root)).await.field("registerUpstream");
        assert_eq!(test(&partner, &elsewhere).await.field("testUpstream")["reachable"], false);

        let upstream =
            register_with(&partner, at(&manager.base_url)).await.field("registerUpstream");
        let before = test(&partner, &upstream).await.field("testUpstream");
        link(&partner, app.world.partner, &upstream, None).await.data();
        let redirect = Fault::Redirect { location: format!("{root}/SignIn.screen") };
        for (fault, code) in [
            (body(404, "text/html;charset=utf-8", "<html>Not Found</html>"), "UPSTREAM_MALFORMED"),
            (body(404, "application/json", "{\"message\":\"no such path\"}"), "UPSTREAM_MALFORMED"),
            (body(405, "text/plain", ""), "UPSTREAM_MALFORMED"),
            (Fault::Html, "UPSTREAM_MALFORMED"),
            (redirect, "UPSTREAM_MALFORMED"),
        ] {
            manager.order_always(Calls::all(), fault.clone());
            assert_eq!(
                test(&partner, &upstream).await.field("testUpstream"),
                no_api(&before),
                "{fault:?}"
            );
            let list =
                partner.ask("{ deepSecurity { computers { nodes { id } } } }", json!({})).await;
            assert_eq!(list.code(), code, "{fault:?}: {}", list.body);
            manager.clear_orders();
        }
        assert_eq!(test(&partner, &upstream).await.field("testUpstream")["reachable"], true);
        notes::note_shown(&manager);
    }

    async fn link_shows_expiry_of_its_tenant_key(engine: Engine) {
        let app = permissive(engine).await;
        let manager = manager().await;
        let partner = app.administrator(app.world.partner).await;
        let input = json!({
            "name": "x", "system": "DEEP_SECURITY", "baseURL": manager.base_url,
            "credential": { "secretKey": manager.primary().secret_key },
        });
        let upstream = register_with(&partner, input).await.field("registerUpstream");
        let remote = manager.customer(CUSTOMER).id.to_string();
        link(&partner, app.world.north, &upstream, Some(&remote)).await.data();
        let status = || async {
            let document = "query($id: ID!) { tenant(id: $id) { upstreamLinks { status { reachable \
                keyExpiresAt } } } }";
            let tenant =
                partner.ask(document, json!({ "id": app.world.north })).await.field("tenant");
            tenant["upstreamLinks"][0]["status"].clone()
        };
        assert_eq!(status().await, json!({ "reachable": null, "keyExpiresAt": null }));
        partner
            .within(app.world.north)
            .ask("{ deepSecurity { computers { nodes { id } } } }", json!({}))
            .await
            .data();
        let after = status().await;
        assert_eq!(after["reachable"], true);
        let end = after["keyExpiresAt"].as_str().expect("a key is in use");
        let now = app.now();
        let end = tenant_gateway::clock::Timestamp::parse("keyExpiresAt", end).unwrap();
        assert!(end > now && end.since(now) <= Duration::from_hours(744), "{end}");
    }
}
