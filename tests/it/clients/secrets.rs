//! Secrets: shown once, at most two, and the metadata about them.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::caller::CREDENTIALS;
use crate::support::{Caller, Credentials, TestApp, both_databases};

const SECRETS: &str = "{ secrets { id prefix lastFour createdAt lastUsedAt lastUsedFrom retiresAt \
    expiresAt } rotation { safeToRetire oldSecretLastUsedAt } }";

async fn retire(caller: &Caller, client: &Credentials, secret: &Value) -> crate::support::Answer {
    let document = "mutation($id: ID!, $secret: ID!) { retireClientSecret(id: $id, secretID: \
        $secret) { secrets { id } } }";
    caller.ask(document, json!({ "id": client.id, "secret": secret })).await
}

fn matches_the_published_pattern(secret: &str) -> bool {
    secret.len() == 53
        && secret.starts_with("tgw_")
        && secret[4..].bytes().all(|byte| byte.is_ascii_alphanumeric())
}

both_databases! {
    async fn secret_is_shown_once(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        assert!(matches_the_published_pattern(&client.secret));
        assert!(app.works(&client).await);
        let document = "{ clients { id clientID name roles secrets { id prefix lastFour } } \
            auditLog { nodes { before after } } }";
        let everything = administrator.ask(document, json!({})).await.data().to_string();
        assert!(everything.contains(&client.id) && !everything.contains(&client.secret[4..49]));
        let shown = administrator.client(&client.id, "{ secrets { prefix lastFour } }").await;
        assert_eq!(
            shown["secrets"],
            json!([{ "prefix": "tgw_", "lastFour": client.secret[49..] }])
        );
    }

    async fn secret_is_stored_as_hash(app: TestApp) {
        use sea_orm::{ConnectionTrait, Statement};
        let client = app.credentials(app.world.north, Role::Auditor).await;
        let reader = app.operator.database.reader();
        let select = Statement::from_string(
            reader.get_database_backend(),
            "SELECT hash FROM client_secrets",
        );
        let hash: Vec<u8> =
            reader.query_one_raw(select).await.unwrap().unwrap().try_get("", "hash").unwrap();
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, client.secret.as_bytes());
        assert_eq!(hash, digest.as_ref());
    }

    async fn old_secret_ends_at_once_without_grace_period(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let old = administrator.create("robot", &[]).await;
        assert!(app.works(&old).await);
        let new = administrator.rotate(&old, 0).await;
        assert!(!app.works(&old).await && app.works(&new).await);
        let document =
            format!("mutation($id: ID!) {{ rotateClientSecret(id: $id) {CREDENTIALS} }}");
        let newest = Credentials::of(
            &administrator
                .ask(&document, json!({ "id": new.client_id }))
                .await
                .field("rotateClientSecret"),
        );
        assert!(!app.works(&new).await && app.works(&newest).await);
        assert_eq!((&newest.id, &newest.client_id), (&old.id, &old.client_id));
    }

    async fn rotated_secret_works_until_grace_period_ends(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let old = administrator.create("robot", &[]).await;
        app.advance(1);
        let ends = app.in_seconds(600);
        let new = administrator.rotate(&old, 600).await;
        let shown = administrator.client(&old.id, SECRETS).await;
        assert_eq!(
            (&shown["secrets"][0]["retiresAt"], &shown["secrets"][1]["retiresAt"]),
            (&Value::Null, &json!(ends))
        );
        app.advance(599);
        assert!(app.works(&old).await && app.works(&new).await);
        app.advance(1);
        assert!(!app.works(&old).await && app.works(&new).await);
        let administrator = administrator.again().await;
        let shown = administrator.client(&old.id, SECRETS).await;
        assert_eq!(
            (shown["secrets"].as_array().unwrap().len(), &shown["rotation"]),
            (1, &Value::Null)
        );
    }

    async fn third_rotation_retires_the_oldest(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let first = administrator.create("robot", &[]).await;
        app.advance(1);
        let second = administrator.rotate(&first, 600).await;
        app.advance(1);
        let third = administrator.rotate(&first, 600).await;
        assert!(!app.works(&first).await && app.works(&second).await && app.works(&third).await);
        assert_eq!(
            administrator.client(&first.id, SECRETS).await["secrets"].as_array().unwrap().len(),
            2
        );
    }

    async fn simultaneous_rotations_retire_the_oldest_secret(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        // The clock stands still; eight rounds, so that a wrong order does not pass by chance.
        for _ in 0..8 {
            let first = administrator.create("robot", &[]).await;
            let second = administrator.rotate(&first, 600).await;
            let third = administrator.rotate(&first, 600).await;
            assert!(
                !app.works(&first).await && app.works(&second).await && app.works(&third).await
            );
        }
    }

    async fn later_rotation_never_prolongs_older_secret(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let first = administrator.create("robot", &[]).await;
        app.advance(1);
        let second = administrator.rotate(&first, 60).await;
        app.advance(1);
        let retire_old = administrator.rotate(&first, 604_800).await;
        assert!(
            !app.works(&first).await && app.works(&second).await && app.works(&retire_old).await
        );
    }

    async fn last_secret_is_kept(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        let shown = administrator.client(&client.id, SECRETS).await;
        let last = &shown["secrets"][0]["id"];
        assert_eq!(retire(&administrator, &client, last).await.code(), "LAST_SECRET");
        assert!(app.works(&client).await);
        let disable =
            "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { enabled } }";
        administrator.ask(disable, json!({ "id": client.id })).await.data();
        let retired = retire(&administrator, &client, last).await.field("retireClientSecret");
        assert_eq!(retired, json!({ "secrets": [] }));
    }

    async fn either_secret_of_a_rotation_can_be_retired(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        for (retired, old_works) in [(1, false), (0, true)] {
            let old = administrator.create("robot", &[]).await;
            app.advance(1);
            let new = administrator.rotate(&old, 600).await;
            let shown = administrator.client(&old.id, SECRETS).await;
            retire(&administrator, &old, &shown["secrets"][retired]["id"]).await.data();
            assert_eq!((app.works(&old).await, app.works(&new).await), (old_works, !old_works));
            let again = retire(&administrator, &old, &shown["secrets"][retired]["id"]).await;
            assert_eq!(again.code(), "NOT_FOUND");
        }
    }

    async fn retiring_the_new_secret_undoes_the_rotation(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let old = administrator.create("robot", &[]).await;
        let new = administrator.rotate(&old, 600).await;
        let shown = administrator.client(&old.id, SECRETS).await;
        assert_eq!(shown["secrets"][1]["retiresAt"], json!(app.in_seconds(600)));
        retire(&administrator, &old, &shown["secrets"][0]["id"]).await.data();
        let left = administrator.client(&old.id, SECRETS).await;
        assert_eq!(
            (&left["secrets"][0]["id"], &left["secrets"][0]["retiresAt"]),
            (&shown["secrets"][1]["id"], &Value::Null)
        );
        assert_eq!(
            retire(&administrator, &old, &left["secrets"][0]["id"]).await.code(),
            "LAST_SECRET"
        );
        app.advance(601);
        assert!(
            app.works(&old).await && !app.works(&new).await,
            "the remaining secret does not expire"
        );
    }

    async fn undone_rotation_prolongs_no_secret_beyond_the_policy(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let policy = "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { \
            maxSecretAge: 900 }) { maxSecretAge } }";
        administrator.ask(policy, json!({ "id": app.world.north })).await.data();
        let old = administrator.create("robot", &[]).await;
        administrator.rotate(&old, 600).await;
        let shown = administrator.client(&old.id, SECRETS).await;
        retire(&administrator, &old, &shown["secrets"][0]["id"]).await.data();
        let left = administrator.client(&old.id, SECRETS).await;
        assert_eq!(left["secrets"][0]["expiresAt"], shown["secrets"][1]["expiresAt"]);
        app.advance(899);
        assert!(app.works(&old).await);
        app.advance(1);
        assert!(!app.works(&old).await);
    }

    async fn forced_rotation_revokes_all_secrets_and_tokens(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let first = administrator.create("robot", &[]).await;
        app.advance(1);
        let second = administrator.rotate(&first, 600).await;
        let robot = app.log_in(first.clone()).await;
        assert_eq!(robot.status().await, 200);
        let document =
            format!("mutation($id: ID!) {{ forceRotateClientSecret(id: $id) {CREDENTIALS} }}");
        let forced = Credentials::of(
            &administrator
                .ask(&document, json!({ "id": first.id }))
                .await
                .field("forceRotateClientSecret"),
        );
        assert_eq!(robot.status().await, 401);
        assert!(!app.works(&first).await && !app.works(&second).await && app.works(&forced).await);
        assert_eq!(app.log_in(forced).await.status().await, 200);
    }

    async fn secret_chosen_by_the_caller_is_refused(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        let document = "mutation($id: ID!, $secret: String) { rotateClientSecret(id: $id, secret: \
            $secret) { clientSecret } }";
        for secret in ["", "hunter2", &client.secret.clone()] {
            let answer =
                administrator.ask(document, json!({ "id": client.id, "secret": secret })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT");
            assert!(answer.message().contains("secret"));
        }
        assert!(app.works(&client).await);
    }

    async fn each_use_of_a_secret_is_shown(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        let fields = "{ tokenRequestTime tokenRequestCount secrets { lastUsedAt lastUsedFrom } }";
        let never = json!({
            "tokenRequestTime": null,
            "tokenRequestCount": 0,
            "secrets": [{ "lastUsedAt": null, "lastUsedFrom": null }],
        });
        assert_eq!(administrator.client(&client.id, fields).await, never);
        for _ in 0..3 {
            app.advance(1);
            assert!(app.works(&client).await);
        }
        let wrong =
            Credentials { secret: administrator.credentials.secret.clone(), ..client.clone() };
        app.advance(1);
        assert!(!app.works(&wrong).await);
        let used = "2030-01-01T00:00:03.000Z";
        let told = json!({
            "tokenRequestTime": used,
            "tokenRequestCount": 3,
            "secrets": [{ "lastUsedAt": used, "lastUsedFrom": "127.0.0.1" }],
        });
        assert_eq!(administrator.client(&client.id, fields).await, told);
    }

    async fn mutation_payload_shows_latest_use(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let client = administrator.create("robot", &[]).await;
        assert!(app.works(&client).await);
        let document =
            "mutation($id: ID!) { updateClient(id: $id, input: {}) { tokenRequestCount } }";
        let changed =
            administrator.ask(document, json!({ "id": client.id })).await.field("updateClient");
        assert_eq!(changed, json!({ "tokenRequestCount": 1 }));
    }

    async fn rotation_tells_when_old_secret_can_be_retired(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let old = administrator.create("robot", &[]).await;
        let rotation = async |administrator: &Caller| {
            administrator.client(&old.id, SECRETS).await["rotation"].clone()
        };
        assert_eq!(rotation(&administrator).await, Value::Null);
        app.advance(1);
        let new = administrator.rotate(&old, 604_800).await;
        assert!(app.works(&old).await);
        assert_eq!(
            rotation(&administrator).await,
            json!({ "safeToRetire": false, "oldSecretLastUsedAt": "2030-01-01T00:00:01.000Z" })
        );
        app.advance(3600);
        let administrator = administrator.again().await;
        assert_eq!(
            rotation(&administrator).await["safeToRetire"],
            false,
            "the new secret was never used"
        );
        assert!(app.works(&new).await);
        assert_eq!(rotation(&administrator).await["safeToRetire"], true);
        assert!(app.works(&old).await);
        assert_eq!(
            rotation(&administrator).await["safeToRetire"],
            false,
            "the old secret was used again"
        );
    }
}
