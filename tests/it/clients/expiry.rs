//! Secrets end by the tenant's policy.

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;

use crate::support::{Answer, Caller, TestApp, both_databases, eventually};

const EXPIRES: &str = "{ secrets { expiresAt } }";

async fn limit(caller: &Caller, tenant: TenantId, seconds: Value) -> Answer {
    let document = "mutation($id: ID!, $age: Int) { updateTenant(tenantID: $id, tenantUpdate: { maxSecretAge: $age \
        }) { maxSecretAge } }";
    caller.ask(document, json!({ "id": tenant, "age": seconds })).await
}

both_databases! {
    async fn a_secret_ends_at_the_greatest_age(app: TestApp) {
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
            let nodes = administrator.ask(document, json!({})).await.field("auditLog")["nodes"].clone();
            (nodes != json!([])).then_some(nodes)
        });
        assert_eq!(
            recorded.await,
            json!([{ "actor": client.id, "code": "invalid_client", "reason": "secret_expired" }])
        );
        let new = administrator.rotate(&client, 0).await;
        assert!(app.works(&new).await);
    }

    async fn the_strictest_policy_on_the_way_up_counts(app: TestApp) {
        let administrator = app.administrator(app.world.partner).await;
        limit(&administrator, app.world.partner, json!(900)).await.data();
        limit(&administrator, app.world.organization, json!(300)).await.data();
        limit(&administrator, app.world.north, json!(600)).await.data();
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        let shown = administrator.client(&client.id, EXPIRES).await;
        assert_eq!(shown["secrets"][0]["expiresAt"], app.in_seconds(300));
    }

    async fn a_policy_holds_for_secrets_that_exist(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        app.advance(100);
        limit(&administrator, app.world.organization, json!(600)).await.data();
        app.advance(499);
        assert!(app.works(&client).await);
        app.advance(1);
        assert!(!app.works(&client).await);
    }

    async fn a_longer_limit_later_revives_nothing(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        limit(&administrator, app.world.north, json!(60)).await.data();
        let client = administrator.within(app.world.north).create("robot", &[]).await;
        app.advance(60);
        assert!(!app.works(&client).await);
        limit(&administrator, app.world.north, Value::Null).await.data();
        assert!(!app.works(&client).await);
    }

    async fn a_grace_period_does_not_outlive_the_policy(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        limit(&administrator, app.world.north, json!(60)).await.data();
        let old = administrator.within(app.world.north).create("robot", &[]).await;
        app.advance(30);
        let new = administrator.rotate(&old, 600).await;
        app.advance(30);
        assert!(!app.works(&old).await && app.works(&new).await);
    }

    async fn a_policy_has_bounds(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        for seconds in [-1, 0, 59, 315_360_001] {
            assert_eq!(limit(&administrator, app.world.north, json!(seconds)).await.code(), "BAD_USER_INPUT");
        }
        for seconds in [json!(60), json!(315_360_000), Value::Null] {
            let kept = limit(&administrator, app.world.north, seconds.clone()).await.field("updateTenant");
            assert_eq!(kept["maxSecretAge"], seconds);
        }
    }
}
