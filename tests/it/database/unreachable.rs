//! An unreachable PostgreSQL, and recovery when it returns.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::process::{Deployment, Process};
use crate::support::proxy::PostgresProxy;
use crate::support::{Caller, Credentials, Engine, OnEngine, eventually};

const URL: &str = "TENANT_GATEWAY__DATABASE__URL";

/// A gateway that reaches its database through a proxy, and its administrator.
async fn behind_a_proxy() -> (Deployment, PostgresProxy, Process, Credentials) {
    let deployment = Deployment::on(Engine::Postgres).await;
    let administrator = deployment.init();
    let proxy = PostgresProxy::before(&deployment.database).await;
    let process = deployment.serve_with(&[(URL, &proxy.url())]).await;
    (deployment, proxy, process, administrator)
}

/// Sends a query that needs the database; expects a refusal within three seconds.
async fn expect_refusal(caller: Caller, document: &str) {
    let started = Instant::now();
    let answer = caller.ask(document, json!({})).await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(answer.code(), "DATABASE_UNAVAILABLE", "{}", answer.body);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{}", answer.body);
}

#[tokio::test]
async fn gateway_says_at_once_that_postgres_is_gone_and_recovers_by_itself() {
    let (deployment, mut proxy, process, administrator) = behind_a_proxy().await;
    let caller = process.log_in(administrator.clone()).await;
    assert_eq!(caller.status().await, 200);
    proxy.cut().await;
    let started = Instant::now();
    let (status, body) = process.readiness().await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(
        (status, &body["causes"]["database"]),
        (503, &json!("the database cannot be reached"))
    );
    let requests: Vec<_> = (0..20)
        .map(|_| tokio::spawn(expect_refusal(caller.clone(), "{ clients { id } }")))
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    let token = process.gateway().ask_token(&administrator).await;
    assert!([200, 503].contains(&token.status), "served from the cache or refused: {}", token.body);
    let keys = format!("{}/.well-known/jwks.json", process.gateway().url);
    assert_eq!(
        process.gateway().http.get(keys).send().await.unwrap().status(),
        200,
        "served from the cache"
    );
    let address = process.gateway().url.strip_prefix("http://").unwrap().to_owned();
    let told = deployment.run(&["health", "--address", &address]);
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("the database cannot be reached"), "{told}");
    let is_told = |record: &Value| {
        record["cause"].as_str().is_some_and(|cause| cause.contains("Connection refused"))
    };
    eventually(10, "the true cause in the log", async || {
        process.records().iter().any(is_told).then_some(())
    })
    .await;

    proxy.mend().await;
    eventually(5, "readiness", async || (process.readiness().await.0 == 200).then_some(())).await;
    assert_eq!(caller.status().await, 200);
    caller.create("after", &[]).await;
}

#[tokio::test]
async fn start_without_postgres_says_that_the_connection_is_refused() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let mut proxy = PostgresProxy::before(&deployment.database).await;
    proxy.cut().await;
    for command in [&["serve"][..], &["migrate", "status"]] {
        let started = Instant::now();
        let output = deployment.command(command).env(URL, proxy.url()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("Connection refused") && told.contains("127.0.0.1:"), "{told}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn silent_postgres_holds_no_request() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let administrator = deployment.init();
    let mut proxy = PostgresProxy::before(&deployment.database).await;
    let variables = [(URL, &*proxy.url()), ("TENANT_GATEWAY__DATABASE__BUSY_TIMEOUT", "500ms")];
    let process = deployment.serve_with(&variables).await;
    let caller = process.log_in(administrator).await;
    assert_eq!(caller.status().await, 200);
    proxy.stall();
    expect_refusal(caller.clone(), "{ clients { id } }").await;
    let started = Instant::now();
    assert_eq!(process.readiness().await.0, 503);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let answer =
        caller.ask("mutation { createClient(name: \"lost\") { clientSecret } }", json!({})).await;
    assert_eq!(answer.code(), "DATABASE_UNAVAILABLE", "{}", answer.body);
    proxy.mend().await;
    eventually(10, "readiness", async || (process.readiness().await.0 == 200).then_some(())).await;
    caller.create("after", &[]).await;
}

#[tokio::test]
async fn writes_in_the_queue_fail_within_three_seconds_when_postgres_goes_away() {
    let (_deployment, mut proxy, process, administrator) = behind_a_proxy().await;
    let caller = process.log_in(administrator).await;
    assert_eq!(caller.status().await, 200);
    proxy.cut().await;
    let started = Instant::now();
    let write = async |caller: Caller| {
        let answer = caller
            .ask("mutation { createClient(name: \"lost\") { clientSecret } }", json!({}))
            .await;
        (answer.code().to_owned(), started.elapsed())
    };
    // Many more than may write at once.
    for (code, elapsed) in
        futures_util::future::join_all((0..40).map(|_| write(caller.clone()))).await
    {
        assert_eq!(code, "DATABASE_UNAVAILABLE");
        assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    }
}
