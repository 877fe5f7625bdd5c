use serde_json::{Value, json};
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::error::ErrorCode;
use tenant_gateway::roles::Role;
use tenant_gateway::upstreams::UpstreamChange;

use super::{link, register, register_with};
use crate::support::{Answer, Caller, TestApp, both_databases};

async fn update(caller: &Caller, id: &Value, input: Value) -> Answer {
    let document = "mutation($id: ID!, $input: UpdateUpstreamInput!) { updateUpstream(id: $id, \
        input: $input) { baseURL } }";
    caller.ask(document, json!({ "id": id, "input": input })).await
}

both_databases! {
    async fn registered_upstream_is_listed_in_its_tenant(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "DEEP_SECURITY").await;
        assert_eq!(
            made["baseURL"], "https://dsm.example.com:4119/api",
            "a slash at the end is dropped"
        );
        assert_eq!(
            (&made["authentication"], &made["timeZone"]),
            (&json!("SECRET_KEY"), &json!("UTC"))
        );
        assert_eq!(made["ownerTenantID"], json!(app.world.partner));
        let list = "{ upstreams { id } }";
        assert_eq!(
            partner.ask(list, json!({})).await.field("upstreams"),
            json!([{ "id": made["id"] }])
        );
        let below = partner.within(app.world.north).ask(list, json!({})).await;
        assert_eq!(below.field("upstreams"), json!([]), "it is the partner's, not the customer's");
    }

    async fn update_keeps_fields_that_are_omitted(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "INTEGRATION_SERVER").await;
        app.advance(5);
        let document = r#"mutation($id: ID!) { updateUpstream(id: $id, input: { name: "VIIS",
            timeZone: "Europe/Berlin" }) { name timeZone baseURL createdAt updatedAt } }"#;
        let changed =
            partner.ask(document, json!({ "id": made["id"] })).await.field("updateUpstream");
        assert_eq!(
            (&changed["name"], &changed["timeZone"]),
            (&json!("VIIS"), &json!("Europe/Berlin"))
        );
        assert_eq!(
            (&changed["baseURL"], &changed["createdAt"]),
            (&made["baseURL"], &made["createdAt"])
        );
        assert_ne!(changed["updatedAt"], made["updatedAt"]);
    }

    async fn stored_credential_is_not_sent_to_another_host(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "DEEP_SECURITY").await;
        let update = async |input| update(&partner, &made["id"], input).await;
        let moved = update(json!({ "baseURL": "https://dsm.example.org/api" })).await;
        assert_eq!(moved.code(), "BAD_USER_INPUT");
        assert!(moved.message().starts_with("credential:"), "{}", moved.message());
        update(json!({ "baseURL": "https://dsm.example.com:443/api" })).await.data();
        let both = json!({
            "baseURL": "https://dsm.example.org/api",
            "credential": { "secretKey": "3:other" },
        });
        assert_eq!(
            update(both).await.field("updateUpstream")["baseURL"],
            "https://dsm.example.org/api"
        );
    }

    async fn weaker_transport_or_other_authority_requires_the_credential_again(engine: Engine) {
        let app =
            TestApp::with(engine, |config| config.upstream.allow_private_addresses = true).await;
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "DEEP_SECURITY").await;
        let update = async |input| update(&partner, &made["id"], input).await;
        let own =
            rcgen::generate_simple_self_signed(["dsm.example.com".to_owned()]).unwrap().cert.pem();
        for input in [
            json!({ "baseURL": "http://dsm.example.com:4119/api" }),
            json!({ "caCertificate": own }),
        ] {
            let refused = update(input.clone()).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{input}");
            assert!(refused.message().starts_with("credential:"), "{}", refused.message());
        }
        update(json!({ "caCertificate": null })).await.data();
        update(json!({ "caCertificate": own, "credential": { "secretKey": "3:other" } }))
            .await
            .data();
        update(json!({ "caCertificate": own, "name": "the same ones" })).await.data();
        assert_eq!(
            update(json!({ "caCertificate": null })).await.code(),
            "BAD_USER_INPUT",
            "the public authorities are different ones"
        );
    }

    async fn concurrent_upstream_updates_are_not_mixed(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "DEEP_SECURITY").await;
        let core = Core::open(&app.database.config(), Environment::default()).await.unwrap();
        let scope = core.operator(app.world.partner);
        let before = core.upstreams.find(&scope, made["id"].as_str().unwrap()).await.unwrap();
        let change = |zone: &str| UpstreamChange {
            time_zone: Some(zone.to_owned()),
            ..UpstreamChange::default()
        };
        core.upstreams.update(&scope, &before, change("Europe/Berlin")).await.unwrap();
        let late = core
            .upstreams
            .update(&scope, &before, change("Asia/Tokyo"))
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(late.code(), ErrorCode::Conflict);
        let after = core.upstreams.find(&scope, made["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(after.time_zone, "Europe/Berlin");
    }

    async fn linked_upstream_cannot_be_removed(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "DEEP_SECURITY").await;
        let link = link(&partner, app.world.north, &made, Some("7")).await.field("linkTenant");
        let remove = "mutation($id: ID!) { removeUpstream(id: $id) { id } }";
        assert_eq!(partner.ask(remove, json!({ "id": made["id"] })).await.code(), "CONFLICT");
        let unlink = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
        partner.ask(unlink, json!({ "id": link["id"] })).await.data();
        partner.ask(remove, json!({ "id": made["id"] })).await.data();
        assert_eq!(partner.ask(remove, json!({ "id": made["id"] })).await.code(), "NOT_FOUND");
    }

    async fn bad_input_names_its_argument(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let good = json!({
            "name": "x",
            "system": "DEEP_SECURITY",
            "baseURL": "https://dsm.example.com/api",
            "credential": { "secretKey": "1:x" },
        });
        let certificate =
            rcgen::generate_simple_self_signed(["dsm.example.com".to_owned()]).unwrap().cert.pem();
        let key =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
        let cases = [
            ("name", json!("")),
            ("baseURL", json!("ftp://dsm.example.com/api")),
            ("baseURL", json!("https://user:secret@dsm.example.com/api")),
            ("baseURL", json!("https://dsm.example.com/api?x=1")),
            ("baseURL", json!("https://169.254.169.254/api")),
            ("baseURL", json!("nonsense")),
            ("credential", json!({ "basic": { "password": "x" } })),
            ("secretKey", json!({ "secretKey": "with\r\nnewline" })),
            ("cloudOneApiKey", json!({ "cloudOneApiKey": "" })),
            ("caCertificate", json!("not PEM")),
            ("caCertificate", json!(format!("{certificate}\0"))),
            ("caCertificate", json!(format!("{certificate}{key}"))),
            ("caCertificate", json!(format!("{certificate}{}", " ".repeat(64 * 1024)))),
            ("timeZone", json!("Mars/Olympus")),
        ];
        for (argument, value) in cases {
            let mut input = good.clone();
            let field = if ["secretKey", "cloudOneApiKey"].contains(&argument) {
                "credential"
            } else {
                argument
            };
            input[field] = value.clone();
            let refused = register_with(&partner, input).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{argument} {value}");
            assert!(
                refused.message().starts_with(&format!("{argument}:")),
                "{}",
                refused.message()
            );
            assert!(
                ["secret@", "MC4C"].iter().all(|secret| !refused.message().contains(secret)),
                "{}",
                refused.message()
            );
        }
    }

    async fn every_change_is_in_the_audit_log_and_no_credential_is(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let made = register(&partner, "DEEP_SECURITY").await;
        let made_link = link(&partner, app.world.north, &made, Some("7")).await.field("linkTenant");
        partner
            .ask(
                "mutation($id: ID!) { unlinkTenant(id: $id) { id } }",
                json!({ "id": made_link["id"] }),
            )
            .await
            .data();
        let log = partner
            .ask("{ auditLog { nodes { operation subject before after } } }", json!({}))
            .await;
        let log = log.field("auditLog")["nodes"].as_array().unwrap().clone();
        let of = |operation: &str| {
            log.iter().find(|record| record["operation"] == operation).unwrap().clone()
        };
        assert_eq!(of("registerUpstream")["subject"], made["id"]);
        assert_eq!(of("linkTenant")["subject"], made_link["id"]);
        assert_eq!(of("unlinkTenant")["subject"], made_link["id"]);
        assert!(!json!(log).to_string().contains("registered\""), "the credential");
    }

    async fn registering_requires_the_permission(app: TestApp) {
        for role in [Role::Analyst, Role::Responder, Role::Auditor] {
            let caller = app.caller(app.world.partner, role).await;
            let input = json!({
                "name": "x", "system": "DEEP_SECURITY", "baseURL": "https://dsm.example.com/api",
                "credential": { "secretKey": "1:x" },
            });
            assert_eq!(register_with(&caller, input).await.code(), "FORBIDDEN", "{role}");
        }
    }
}
