//! A process out of file descriptors.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, eventually};

/// More than the process has descriptors left.
const CONNECTIONS: usize = 20;
const LEFT: u64 = 5;

#[tokio::test]
async fn exhausted_file_descriptors_are_logged_and_the_gateway_recovers() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let process = deployment.serve().await;
    let id = i32::try_from(process.id()).unwrap();
    let open = fs::read_dir(format!("/proc/{id}/fd")).unwrap().count() as u64;
    let limit = Rlimit { current: Some(open + LEFT), maximum: Some(open + LEFT) };
    prlimit(Pid::from_raw(id), Resource::Nofile, limit).unwrap();

    let url = process.gateway().url.clone();
    let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    eventually(20, "the cause in the log", async || {
        let records = process.records();
        let told = records.iter().find(|record| {
            record["message"].as_str().is_some_and(|text| text.contains("accept failed"))
        })?;
        let cause = told["cause"].as_str()?;
        assert!(cause.contains("os error 24"), "{cause}");
        Some(())
    })
    .await;

    drop(held);
    let live = format!("{url}/health/live");
    eventually(20, "connections again", async || {
        let asked = process.gateway().http.get(&live).send();
        let answer = timeout(Duration::from_secs(1), asked).await.ok()?.ok()?;
        (answer.status() == 200).then_some(())
    })
    .await;
}
