//! Expiry of secrets by the tenant's policy.

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases, eventually};

const ROTATE: &str = "mutation($id: ID!) { rotateClientSecret(id: $id, gracePeriodSeconds: 300) { \
    client { id } clientSecret } }";
const FORCE: &str =
    "mutation($id: ID!) { forceRotateClientSecret(id: $id) { client { id } clientSecret } }";
const CREATE: &str = "mutation { createClient(name: \"made\") { client { id } clientSecret } }";
const EXPIRES: &str = "{ secrets { expiresAt } }";

async fn limit(caller: &Caller, tenant: TenantId, seconds: Value) -> Answer {
    let document = "mutation($id: ID!, $age: Int) { updateTenant(tenantID: $id, tenantUpdate: { \
        maxSecretAge: $age }) { maxSecretAge } }";
    caller.ask(document, json!({ "id": tenant, "age": seconds })).await
}

async fn hold(caller: &Caller, id: &str, tenant: TenantId, role: Role, expires_at: Value) {
    let document = "mutation($id: ID!, $tenant: ID!, $role: ID!, $end: String) {
        appendClientRoles(id: $id, roles: [{ tenantID: $tenant, roleID: $role, expiresAt: $end }]) {
        id } }";
    let variables = json!({ "id": id, "tenant": tenant, "role": role.id(), "end": expires_at });
    caller.ask(document, variables).await.data();
}

const ROUNDS: usize = 40;

both_databases! {
    async fn policy_ends_no_secret_of_a_client_outside_its_setters_authority(
        app: TestApp,
    ) {
        let partner = app.administrator(app.world.partner).await;
        let weaker = app.administrator(app.world.organization).await;
        let stronger = app.credentials(app.world.north, Role::Auditor).await;
        hold(&partner, &stronger.id, app.world.partner, Role::Auditor, Value::Null).await;
        let equal = app.credentials(app.world.north, Role::Administrator).await;
        app.advance(120);
        weaker.rotate(&weaker.credentials, 0).await;
        limit(&weaker, app.world.organization, json!(60)).await.data();
        assert!(!app.works(&equal).await && app.works(&stronger).await);
        let own = app.log_in(stronger.clone()).await;
        assert_eq!(
            own.client(own.id(), EXPIRES).await,
            json!({ "secrets": [{ "expiresAt": null }] })
        );

        let rotated = partner.rotate(&stronger, 600).await;
        assert!(app.works(&stronger).await, "the grace period is kept");
        let shown = partner.client(&stronger.id, EXPIRES).await;
        assert_eq!(
            shown["secrets"][0]["expiresAt"],
            app.in_seconds(60),
            "the next secret falls under the policy"
        );
        app.advance(60);
        assert!(!app.works(&rotated).await);
    }

    async fn policy_set_with_authority_ends_secrets_that_an_earlier_policy_spared(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let weaker = app.administrator(app.world.organization).await;
        let stronger = app.credentials(app.world.north, Role::Auditor).await;
        hold(&partner, &stronger.id, app.world.partner, Role::Auditor, Value::Null).await;
        app.advance(120);
        weaker.rotate(&weaker.credentials, 0).await;
        limit(&weaker, app.world.organization, json!(60)).await.data();
        assert!(app.works(&stronger).await);
        limit(&partner, app.world.organization, json!(60)).await.data();
        assert!(!app.works(&stronger).await);
    }

    async fn policy_of_expiring_administrator_spares_longer_lived_clients(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let limited = app.caller(app.world.north, Role::Auditor).await;
        hold(
            &administrator,
            limited.id(),
            app.world.north,
            Role::Administrator,
            json!(app.in_seconds(3600)),
        )
        .await;
        let lasting = app.credentials(app.world.north, Role::Responder).await;
        let shorter = limited.create("shorter", &[&Role::Auditor.id().to_string()]).await;
        let none = administrator.create("none", &[]).await;
        let remove =
            "mutation($id: ID!, $role: ID!) { removeClientRoles(id: $id, roles: [$role]) { id } }";
        administrator
            .ask(remove, json!({ "id": none.id, "role": Role::Analyst.id() }))
            .await
            .data();
        app.advance(120);
        limit(&limited, app.world.north, json!(60)).await.data();
        assert!(app.works(&lasting).await && app.works(&administrator.credentials).await);
        assert!(!app.works(&shorter).await && !app.works(&none).await);
    }

    async fn no_secret_made_at_the_same_moment_escapes_a_policy(app: TestApp) {
        let another_node = app.another_node().await;
        let administrator = app.administrator(app.world.organization).await;
        let there = administrator.at(&another_node).within(app.world.north);
        let robot = administrator.within(app.world.north).create("robot", &[]).await;
        let another = administrator.within(app.world.north).create("another", &[]).await;
        for round in 0..ROUNDS {
            limit(&administrator, app.world.organization, Value::Null).await.data();
            // Usage counts are written concurrently, which locks rows of the same clients.
            assert!(app.works(&administrator.credentials).await);
            let (set, rotated, forced, made) = tokio::join!(
                limit(&administrator, app.world.organization, json!(600)),
                there.ask(ROTATE, json!({ "id": robot.id })),
                administrator.ask(FORCE, json!({ "id": another.id })),
                there.ask(CREATE, json!({})),
            );
            set.data();
            let answers = [
                rotated.field("rotateClientSecret"),
                forced.field("forceRotateClientSecret"),
                made.field("createClient"),
            ];
            for answer in answers {
                let id = answer["client"]["id"].as_str().unwrap();
                let secrets = administrator.client(id, EXPIRES).await["secrets"].clone();
                assert!(
                    secrets
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|secret| secret["expiresAt"].is_string()),
                    "round {round}: {secrets}"
                );
            }
        }
    }

    async fn secret_expires_at_maximum_age(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        limit(&administrator, app.world.north, json!(600)).await.data();
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        let shown = administrator.client(&client.id, EXPIRES).await;
        assert_eq!(shown, json!({ "secrets": [{ "expiresAt": app.in_seconds(600) }] }));
        app.advance(599);
        assert!(app.works(&client).await);
        app.advance(1);
        assert!(!app.works(&client).await);
        let administrator = administrator.again().await;
        let document = r#"{ auditLog(operation: "token") { nodes { actor code reason } } }"#;
        let recorded = eventually(10, "a record of the refusal", async || {
            let nodes =
                administrator.ask(document, json!({})).await.field("auditLog")["nodes"].clone();
            (nodes != json!([])).then_some(nodes)
        });
        assert_eq!(
            recorded.await,
            json!([{ "actor": client.id, "code": "invalid_client", "reason": "secret_expired" }])
        );
        let new = administrator.rotate(&client, 0).await;
        assert!(app.works(&new).await);
    }

    async fn strictest_policy_among_ancestors_applies(app: TestApp) {
        let administrator = app.administrator(app.world.partner).await;
        limit(&administrator, app.world.partner, json!(900)).await.data();
        limit(&administrator, app.world.organization, json!(300)).await.data();
        limit(&administrator, app.world.north, json!(600)).await.data();
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        let shown = administrator.client(&client.id, EXPIRES).await;
        assert_eq!(shown["secrets"][0]["expiresAt"], app.in_seconds(300));
    }

    async fn policy_on_secret_age_applies_to_existing_secrets(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        app.advance(100);
        limit(&administrator, app.world.organization, json!(600)).await.data();
        app.advance(499);
        assert!(app.works(&client).await);
        app.advance(1);
        assert!(!app.works(&client).await);
    }

    async fn raised_secret_age_revives_no_expired_secret(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        limit(&administrator, app.world.north, json!(60)).await.data();
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        app.advance(60);
        assert!(!app.works(&client).await);
        limit(&administrator, app.world.north, Value::Null).await.data();
        assert!(!app.works(&client).await);
    }

    async fn grace_period_ends_by_the_policy_on_secret_age(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        limit(&administrator, app.world.north, json!(60)).await.data();
        let old = administrator.within(app.world.north).create("robot", &[]).await;
        app.advance(30);
        let new = administrator.rotate(&old, 600).await;
        app.advance(30);
        assert!(!app.works(&old).await && app.works(&new).await);
    }

    async fn policy_on_secret_age_has_bounds(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        for seconds in [-1, 0, 59, 315_360_001] {
            assert_eq!(
                limit(&administrator, app.world.north, json!(seconds)).await.code(),
                "BAD_USER_INPUT"
            );
        }
        for seconds in [json!(60), json!(315_360_000), Value::Null] {
            let kept =
                limit(&administrator, app.world.north, seconds.clone()).await.field("updateTenant");
            assert_eq!(kept["maxSecretAge"], seconds);
        }
    }
}
