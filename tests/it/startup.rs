//! The real program from its first start to its exit.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::time::timeout;

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, both_databases, eventually};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

both_databases! {
    async fn init_refuses_an_initialized_database(deployment: Deployment) {
        let administrator = deployment.init();
        let again = deployment.run(&["init", "--output", "json"]);
        assert_eq!((again.status.code(), again.stdout.len()), (Some(1), 0));
        assert!(stderr(&again).contains("already"), "{}", stderr(&again));
        let process = deployment.serve().await;
        assert_eq!(process.log_in(administrator).await.status().await, 200);
    }

    async fn first_info_line_names_the_listening_address(deployment: Deployment) {
        deployment.init();
        let process = deployment.serve().await;
        let records = process.records();
        let first = records
            .iter()
            .find(|record| record["level"] != "DEBUG" && record["level"] != "TRACE")
            .unwrap();
        assert!(first["listen"].as_str().unwrap().starts_with("127.0.0.1:"), "{first}");
    }

    async fn requests_in_flight_end_before_the_process_does(deployment: Deployment) {
        let administrator = deployment.init();
        let mut process = deployment.serve().await;
        let administrator = process.log_in(administrator).await;
        let address = process.gateway().url.strip_prefix("http://").unwrap().to_owned();
        let body =
            json!({ "query": "mutation { createClient(name: \"late\") { client { name } } }" })
                .to_string();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: \
            Bearer {}\r\nContent-Length: {}\r\n\r\n",
            administrator.token,
            body.len()
        );
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let (first, rest) = body.split_at(10);
        stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
        // A later request has been answered, so the earlier one has arrived.
        assert_eq!(administrator.status().await, 200);
        process.terminate();
        eventually(10, "the end of accepting", async || TcpStream::connect(&address).await.err())
            .await;
        assert!(process.is_running());
        stream.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"late\""), "{answer}");
        assert_eq!(process.ended().await, Some(0));
    }

    async fn service_manager_is_told_of_readiness_life_and_stopping(deployment: Deployment) {
        deployment.init();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "400000")];
        let mut process = deployment.serve_with(&variables).await;
        let mut told = Vec::new();
        let mut message = [0; 64];
        while told.last().map(String::as_str) != Some("STOPPING=1") {
            let length =
                timeout(Duration::from_secs(20), socket.recv(&mut message)).await.unwrap().unwrap();
            told.push(String::from_utf8_lossy(&message[..length]).trim().to_owned());
            if told.len() == 4 {
                process.terminate();
            }
        }
        assert_eq!(told[0], "READY=1");
        assert!(told[1..told.len() - 1].iter().all(|state| state == "WATCHDOG=1"), "{told:?}");
        assert_eq!(process.ended().await, Some(0));
    }

    async fn node_that_is_told_to_stop_is_not_ready_and_serves_until_the_delay_is_over(
        deployment: Deployment,
    ) {
        let administrator = deployment.init();
        let mut process =
            deployment.serve_with(&[("TENANT_GATEWAY__SERVER__SHUTDOWN_DELAY", "2s")]).await;
        let administrator = process.log_in(administrator).await;
        let ready = format!("{}/health/ready", process.gateway().url);
        process.terminate();
        eventually(10, "the end of readiness", async || {
            let answer = process.gateway().http.get(&ready).send().await.unwrap();
            (answer.status() == 503).then_some(())
        })
        .await;
        let body: Value =
            process.gateway().http.get(&ready).send().await.unwrap().json().await.unwrap();
        assert_eq!(body["status"], "stopping");
        assert_eq!(administrator.status().await, 200);
        assert_eq!(process.ended().await, Some(0));
    }

    async fn deeply_nested_document_does_not_overflow_the_stack(deployment: Deployment) {
        let administrator = deployment.init();
        let mut process = deployment.serve().await;
        let administrator = process.log_in(administrator).await;
        let graphql = format!("{}/graphql", process.gateway().url);
        // Up to the body size limit.
        for size in [100, 1_000, 10_000, 250_000] {
            let deep = |open: &str, inner: &str, close: &str| {
                let levels = size / (open.len() + close.len());
                format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
            };
            for document in [
                deep("{a", "", "}"),
                format!("{{ x {} }}", deep("...{", "a", "}")),
                format!("{{ client(id: {}) {{ id }} }}", deep("[", "1", "]")),
                format!("{{ client(id: {}) {{ id }} }}", deep("{a:", "1", "}")),
                format!("query($a: {}) {{ client(id: $a) {{ id }} }}", deep("[", "ID", "]")),
                format!("query($a: ID = {}) {{ client(id: $a) {{ id }} }}", deep("[", "1", "]")),
            ] {
                let answer = administrator.ask(&document, json!({})).await;
                assert!(
                    answer.body["errors"].is_array() && process.is_running(),
                    "{size} {}",
                    &document[..30]
                );
            }
            let body = format!(
                "{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":{}}}}}",
                deep("[", "", "]")
            );
            let request = process.gateway().http.post(&graphql).bearer_auth(&administrator.token);
            process
                .gateway()
                .send(request.header("content-type", "application/json").body(body))
                .await;
            assert!(process.is_running(), "{size}");
        }
        assert_eq!(administrator.status().await, 200);
    }
}

#[tokio::test]
async fn gateway_without_a_tenant_names_the_command_that_makes_one() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let empty = deployment.serve().await;
    let hints = |records: Vec<Value>| {
        records.iter().any(|record| record.to_string().contains("tenant-gateway init"))
    };
    eventually(10, "the hint", async || hints(empty.records()).then_some(())).await;
}

#[tokio::test]
async fn master_key_file_is_readable_by_its_owner_only() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let file = deployment.database.folder.path().join("master.key");
    crate::support::notes::note(std::fs::read_to_string(&file).unwrap().trim());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = deployment.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("chmod 600"), "{}", stderr(&refused));
}

#[tokio::test]
async fn postgres_is_served_only_with_the_present_schema() {
    let deployment = Deployment::on(Engine::Postgres).await;
    for command in ["serve", "init"] {
        let refused = deployment.run(&[command]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains("`tenant-gateway migrate up`"), "{}", stderr(&refused));
    }
    let state = |output: std::process::Output| {
        assert!(output.status.success(), "{}", stderr(&output));
        let changes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        changes
            .iter()
            .map(|change| change["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(
        state(deployment.run(&["migrate", "status", "--output", "json"]))
            .iter()
            .all(|state| state == "pending")
    );
    assert!(
        state(deployment.run(&["migrate", "up", "--output", "json"]))
            .iter()
            .all(|state| state == "applied")
    );
    deployment.init();
    deployment.serve().await;
}

#[tokio::test]
async fn client_deleted_in_one_process_is_refused_by_the_other_within_five_seconds() {
    let deployment = Deployment::on(Engine::Postgres).await;
    let administrator = deployment.init();
    let one = deployment.serve().await;
    let two = deployment.serve().await;
    let administrator = one.log_in(administrator).await;
    let robot = one.log_in(administrator.create("robot", &[]).await).await;
    let elsewhere = robot.at(two.gateway());
    assert_eq!((robot.status().await, elsewhere.status().await), (200, 200));
    administrator
        .ask(
            "mutation($id: ID!) { deleteClient(id: $id) { id } \
        }",
            json!({ "id": robot.id() }),
        )
        .await
        .data();
    assert_eq!(robot.status().await, 401);
    eventually(5, "a refusal at the other node", async || {
        (elsewhere.status().await == 401).then_some(())
    })
    .await;
    assert!(!two.gateway().works(&robot.credentials).await);
}

#[test]
fn schema_command_prints_the_schema() {
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_tenant-gateway"))
        .arg("schema")
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), include_str!("../../schema.graphql"));
}
