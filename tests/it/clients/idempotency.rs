//! A repeated `createClient` with one idempotency key creates one client.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Caller, Credentials, TestApp, both_databases};

async fn create(caller: &Caller, key: &str, name: &str, roles: Value) -> Answer {
    let document = "mutation($name: String!, $roles: [ID!], $key: String) {
        createClient(name: $name, roles: $roles, idempotencyKey: $key) { client { id clientID }
        clientSecret note }
    }";
    caller.ask(document, json!({ "name": name, "roles": roles, "key": key })).await
}

async fn count(caller: &Caller) -> Value {
    let found = caller.ask("{ clientsSearch { totalCount } }", json!({})).await;
    found.field("clientsSearch")["totalCount"].clone()
}

const AUDITOR: &str = "ace1cae4-59fd-4fd1-9500-40077dc529a7";
const ANALYST: &str = "a4903f9f-465b-478f-a24e-82fa2e129d2e";

both_databases! {
    async fn idempotent_retry_returns_same_client_without_secret(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let first = create(&administrator, "key", "robot", json!([AUDITOR, ANALYST]))
            .await
            .field("createClient");
        assert_eq!(first["note"], Value::Null);
        let again = create(&administrator, "key", " robot ", json!([ANALYST, AUDITOR]))
            .await
            .field("createClient");
        assert_eq!((&again["client"], &again["clientSecret"]), (&first["client"], &json!("")));
        assert!(again["note"].as_str().unwrap().contains("shown"));
        assert!(app.works(&Credentials::of(&first)).await);
        assert_eq!(count(&administrator).await, 2);
    }

    async fn reused_idempotency_key_with_other_arguments_is_a_conflict(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        create(&administrator, "key", "robot", json!([AUDITOR])).await.data();
        for (name, roles) in
            [("other", json!([AUDITOR])), ("robot", json!([ANALYST])), ("robot", Value::Null)]
        {
            assert_eq!(create(&administrator, "key", name, roles).await.code(), "CONFLICT");
        }
        assert_eq!(count(&administrator).await, 2);
    }

    async fn concurrent_retries_create_one_client(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let another = app.another_node().await;
        let elsewhere = administrator.at(&another.gateway);
        let mut requests = Vec::new();
        for number in 0..12 {
            let caller = if number % 2 == 0 { administrator.clone() } else { elsewhere.clone() };
            requests.push(tokio::spawn(async move {
                create(&caller, "key", "robot", Value::Null).await.field("createClient")
            }));
        }
        let mut ids = BTreeSet::new();
        let mut secrets = Vec::new();
        for request in requests {
            let made = request.await.unwrap();
            ids.insert(made["client"]["id"].as_str().unwrap().to_owned());
            secrets.extend(Some(Credentials::of(&made)).filter(|made| !made.secret.is_empty()));
        }
        assert_eq!((ids.len(), secrets.len()), (1, 1));
        assert!(app.works(&secrets[0]).await);
        assert_eq!(count(&administrator).await, 2);
    }

    async fn idempotency_key_is_scoped_to_caller_and_tenant(app: TestApp) {
        let one = app.administrator(app.world.organization).await;
        let two = app.administrator(app.world.organization).await;
        let mut ids = BTreeSet::new();
        for caller in [&one, &two, &one.within(app.world.north), &one.within(app.world.south)] {
            let made = create(caller, "key", "robot", Value::Null).await.field("createClient");
            ids.insert(made["client"]["id"].to_string());
        }
        assert_eq!(ids.len(), 4);
    }

    async fn refused_request_does_not_consume_idempotency_key(app: TestApp) {
        let analyst = app.caller(app.world.north, tenant_gateway::roles::Role::Analyst).await;
        let administrator = "ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068";
        assert_eq!(
            create(&analyst, "key", "robot", json!([administrator])).await.code(),
            "FORBIDDEN"
        );
        assert_eq!(
            create(&analyst, "key", "robot", json!([AUDITOR])).await.field("createClient")["note"],
            Value::Null
        );
    }

    async fn idempotency_key_of_deleted_client_creates_no_other(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let made = create(&administrator, "key", "robot", Value::Null).await.field("createClient");
        let delete = "mutation($id: ID!) { deleteClient(id: $id) { id } }";
        administrator.ask(delete, json!({ "id": made["client"]["id"] })).await.data();
        assert_eq!(create(&administrator, "key", "robot", Value::Null).await.code(), "CONFLICT");
    }

    async fn idempotency_key_is_deleted_after_a_day(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let first = create(&administrator, "key", "robot", Value::Null).await.field("createClient");
        app.advance(86_399);
        let administrator = administrator.again().await;
        let again = create(&administrator, "key", "robot", Value::Null).await;
        assert_eq!(again.field("createClient")["client"], first["client"]);
        app.advance(2);
        let new = create(&administrator, "key", "robot", Value::Null).await.field("createClient");
        assert!(new["client"] != first["client"] && new["clientSecret"] != "");
    }
}
