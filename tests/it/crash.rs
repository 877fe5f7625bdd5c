//! Processes killed in the middle of their work.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tenant_gateway::database::{Database, Options};
use tokio::sync::mpsc;

use crate::support::caller::CREDENTIALS;
use crate::support::process::Deployment;
use crate::support::{Caller, Credentials, both_databases};

/// The number of concurrent requests, half of them creates and half rotations.
const REQUESTS: usize = 200;

/// The number of responses after which the process is killed.
const ANSWERS: usize = 70;

/// The outcome of a request whose response arrived.
enum Answered {
    Created(Credentials),
    Rotated { old: Credentials, new: Credentials },
}

/// Sends a request that may never be answered.
async fn try_to(caller: &Caller, document: &str, variables: Value) -> Option<Credentials> {
    let request = caller.gateway.graphql(document, &variables).bearer_auth(&caller.token);
    let body: Value = request.send().await.ok()?.json().await.ok()?;
    crate::support::notes::note_all(&body);
    let data = body["data"].as_object()?;
    Some(Credentials::of(data.values().next().filter(|made| made.is_object())?))
}

async fn create(caller: Caller, number: usize) -> Option<Answered> {
    let document =
        format!("mutation($name: String!) {{ createClient(name: $name) {CREDENTIALS} }}");
    try_to(&caller, &document, json!({ "name": format!("made {number}") }))
        .await
        .map(Answered::Created)
}

async fn rotate(caller: Caller, old: Credentials) -> Option<Answered> {
    let document = format!("mutation($id: ID!) {{ rotateClientSecret(id: $id) {CREDENTIALS} }}");
    let new = try_to(&caller, &document, json!({ "id": old.id })).await?;
    Some(Answered::Rotated { old, new })
}

async fn column(database: &Database, sql: &str) -> BTreeSet<String> {
    let reader = database.reader();
    let rows = reader
        .query_all_raw(Statement::from_string(reader.get_database_backend(), sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            row.try_get::<uuid::Uuid>("", "id")
                .map_or_else(|_| row.try_get::<String>("", "id").unwrap(), |id| id.to_string())
        })
        .collect()
}

/// Expects every client to have a lasting secret, a role, and the record of its creation.
async fn expect_no_partial_changes(deployment: &Deployment) {
    let url = match &deployment.database.url {
        Some(url) => url.clone(),
        None => format!("sqlite:{}/tenant-gateway.db", deployment.database.folder.path().display()),
    };
    let database = Database::connect(Options {
        url,
        max_connections: 2,
        busy_timeout: Duration::from_secs(10),
    })
    .await
    .unwrap();
    let clients = column(&database, "SELECT id FROM clients").await;
    for (what, sql) in [
        (
            "a secret",
            "SELECT client_id AS id FROM client_secrets WHERE retires_at IS NULL GROUP BY \
            client_id HAVING COUNT(*) = 1",
        ),
        ("a role", "SELECT client_id AS id FROM role_assignments"),
        ("a record", "SELECT subject AS id FROM audit_log WHERE operation = 'createClient'"),
    ] {
        assert_eq!(column(&database, sql).await, clients, "each client has {what}");
    }
    let rotated = column(
        &database,
        "SELECT client_id AS id FROM client_secrets WHERE retires_at IS NOT NULL",
    )
    .await;
    let recorded = column(
        &database,
        "SELECT DISTINCT subject AS id FROM audit_log WHERE operation = \
            'rotateClientSecret'",
    )
    .await;
    assert_eq!(rotated, recorded, "each rotation is recorded");
}

both_databases! {
    async fn acknowledged_changes_survive_kill_and_none_is_partial(deployment: Deployment) {
        let administrator = deployment.init();
        let process = deployment.serve().await;
        let caller = process.log_in(administrator.clone()).await;
        let mut robots = Vec::new();
        for number in 0..REQUESTS / 2 {
            robots.push(caller.create(&format!("robot {number}"), &[]).await);
        }
        let (sender, mut answers) = mpsc::unbounded_channel();
        for (number, robot) in robots.into_iter().enumerate() {
            let one = sender.clone();
            let two = sender.clone();
            let creator = caller.clone();
            let rotator = caller.clone();
            tokio::spawn(async move { one.send(create(creator, number).await) });
            tokio::spawn(async move { two.send(rotate(rotator, robot).await) });
        }
        drop(sender);
        let mut answered: Vec<Answered> = Vec::new();
        while answered.len() < ANSWERS {
            answered.push(
                answers.recv().await.expect("requests are running").expect("the process is still running"),
            );
        }
        process.kill();
        let mut unanswered = 0;
        while let Some(answer) = answers.recv().await {
            match answer {
                Some(answer) => answered.push(answer),
                None => unanswered += 1,
            }
        }
        assert!(unanswered > 0, "the process was killed in the middle of requests");

        let process = deployment.serve().await;
        let gateway = process.gateway();
        for answer in answered {
            match answer {
                Answered::Created(made) => assert!(gateway.works(&made).await),
                Answered::Rotated { old, new } => {
                    assert!(gateway.works(&new).await && !gateway.works(&old).await);
                }
            }
        }
        assert!(gateway.works(&administrator).await);
        expect_no_partial_changes(&deployment).await;
    }
}
