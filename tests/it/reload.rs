//! Settings read again by a running gateway.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Engine, OnEngine, eventually};

/// A gateway whose settings are in a file.
struct Configured {
    deployment: Deployment,
    file: PathBuf,
    process: Process,
    administrator: Caller,
}

impl Configured {
    async fn with(settings: &str, variables: &[(&str, &str)]) -> Self {
        let deployment = Deployment::on(Engine::Sqlite).await;
        let administrator = deployment.init();
        let file = deployment.database.folder.path().join("gateway.toml");
        fs::write(&file, settings).unwrap();
        let mut all = vec![
            ("TENANT_GATEWAY_CONFIG", file.to_str().unwrap()),
            ("TENANT_GATEWAY__ADMIN__LISTEN", "127.0.0.1:0"),
            // An empty one is none, so that the file decides.
            ("RUST_LOG", ""),
        ];
        all.extend(variables);
        let process = deployment.serve_with(&all).await;
        let administrator = process.log_in(administrator).await;
        Self { deployment, file, process, administrator }
    }

    fn write(&self, settings: &str) {
        fs::write(&self.file, settings).unwrap();
    }

    fn admin(&self) -> String {
        let records = self.process.records();
        let admin = records.iter().find_map(|record| record["admin"].as_str());
        admin.expect("an address").to_owned()
    }

    fn reload_output(&self) -> Output {
        let arguments = ["reload", "--output", "json", "--address", &self.admin()];
        self.deployment.run(&arguments)
    }

    fn reload(&self) -> Value {
        let output = self.reload_output();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn hang_up(&self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    /// The lines with that message, once there are so many.
    async fn lines(&self, message: &str, number: usize) -> Vec<Value> {
        eventually(20, message, async || {
            let records = self.process.records().into_iter();
            let lines: Vec<_> = records.filter(|line| line["message"] == message).collect();
            (lines.len() >= number).then_some(lines)
        })
        .await
    }

    async fn ask(&self, document: &str) -> crate::support::Answer {
        self.administrator.ask(document, json!({})).await
    }
}

/// Logs warnings, and the line that says where the gateway listens.
const QUIET: &str = "[log]\nfilter = 'warn,tenant_gateway::app::listeners=info'\n";

const TWO_ROOTS: &str = "{ a: currentSubject { id } b: currentSubject { id } }";

#[tokio::test]
async fn limits_rates_origins_and_log_filter_change_without_a_restart() {
    let gateway = Configured::with(QUIET, &[]).await;
    // A valid document is cached, and has to obey the new limits nevertheless.
    assert_eq!(gateway.ask(TWO_ROOTS).await.status, 200);
    gateway.write(
        "[log]\nfilter = 'info'\n[limits]\nroot_fields = 1\nstreams = 9\n\
         [rate_limit]\nclient_burst = 77\n[cors]\nallowed_origins = ['https://console.example']\n\
         [server]\nbody_limit = 99999\n",
    );
    let done = gateway.reload();
    let applied =
        ["limits.root_fields", "rate_limit.client_burst", "cors.allowed_origins", "log.filter"];
    assert_eq!(done["applied"], json!(applied));
    assert_eq!(done["needsRestart"], json!(["server.body_limit", "limits.streams"]));
    assert_eq!(gateway.ask(TWO_ROOTS).await.code(), "OPERATION_TOO_COSTLY");
    let request = gateway.administrator.request("{ __typename }", &json!({}));
    let sent = request.header("origin", "https://console.example").send().await.unwrap();
    assert_eq!(sent.headers()["access-control-allow-origin"], "https://console.example");
    let policy = sent.headers()["ratelimit-policy"].to_str().unwrap();
    assert!(policy.contains("\"client\";q=77"), "{policy}");
    // Only the new filter lets these pass.
    gateway.lines("settings reloaded", 1).await;
    let warnings = gateway.lines("changed settings take effect at the next restart only", 1).await;
    assert_eq!(warnings[0]["settings"], "server.body_limit, limits.streams");
}

#[tokio::test]
async fn invalid_settings_leave_the_previous_ones_in_force() {
    let gateway = Configured::with("[limits]\nroot_fields = 1\n", &[]).await;
    for (settings, reason) in [
        ("[limits]\nroot_fields = 2\ndepth = 4000\n", "limits.depth"),
        ("[limits]\nroot_feilds = 2\n", "did you mean limits.root_fields"),
        ("[limits\n", "line 1"),
        (
            "[limits]\nroot_fields = 2\n[graphql]\ntrusted_documents = '/nowhere.json'\n",
            "/nowhere.json",
        ),
    ] {
        gateway.write(settings);
        let output = gateway.reload_output();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.contains("not reloaded") && stderr.contains(reason), "{stderr}");
        assert_eq!(gateway.ask(TWO_ROOTS).await.code(), "OPERATION_TOO_COSTLY", "{settings}");
    }
    let message = "settings not reloaded; the previous ones stay in force";
    let lines = gateway.lines(message, 4).await;
    assert!(lines[0]["reason"].as_str().unwrap().contains("limits.depth"), "{}", lines[0]);
    gateway.write("[limits]\nroot_fields = 2\n");
    assert_eq!(gateway.reload()["applied"], json!(["limits.root_fields"]));
    assert_eq!(gateway.ask(TWO_ROOTS).await.status, 200);
}

#[tokio::test]
async fn trusted_documents_are_read_again_from_the_same_file() {
    let gateway = Configured::with("", &[]).await;
    let documents = gateway.file.with_file_name("documents.json");
    let entry = |text: &str| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ hex: text }).to_string()
    };
    fs::write(&documents, entry("{ __typename }")).unwrap();
    let path = documents.display();
    gateway.write(&format!(
        "[graphql]\ntrusted_documents = '{path}'\ntrusted_documents_mode = 'only'\n"
    ));
    let applied = gateway.reload()["applied"].clone();
    assert_eq!(applied, json!(["graphql.trusted_documents", "graphql.trusted_documents_mode"]));
    assert_eq!(gateway.ask("{ __typename }").await.status, 200);
    assert_eq!(gateway.ask(TWO_ROOTS).await.code(), "FORBIDDEN");
    fs::write(&documents, entry(TWO_ROOTS)).unwrap();
    assert_eq!(gateway.reload()["applied"], json!([]));
    assert_eq!(gateway.ask(TWO_ROOTS).await.status, 200);
    assert_eq!(gateway.ask("{ __typename }").await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn hangup_under_load_reloads_without_a_failed_request() {
    let gateway = Configured::with("", &[]).await;
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let caller = gateway.administrator.clone();
            let done = done.clone();
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    let answer = caller.ask("{ currentSubject { id } }", json!({})).await;
                    assert!(answer.status == 200, "{} {}", answer.status, answer.body);
                    assert!(answer.body.get("errors").is_none(), "{}", answer.body);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for round in 1..=10 {
        gateway.write(&format!(
            "[limits]\nroot_fields = {}\n[rate_limit]\nclient_per_second = {}\nclient_burst = {0}\n\
             tenant_per_second = 1000000\ntenant_burst = 1000000\n",
            1_000 + round,
            500_000 + round,
        ));
        gateway.hang_up();
        let lines = gateway.lines("settings reloaded", round).await;
        assert_eq!(lines.len(), round);
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn service_manager_is_told_when_a_reload_begins_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let gateway = Configured::with("", &[("NOTIFY_SOCKET", path.to_str().unwrap())]).await;
    let told = async || {
        let mut message = [0; 128];
        let received = timeout(Duration::from_secs(20), socket.recv(&mut message)).await;
        String::from_utf8_lossy(&message[..received.unwrap().unwrap()]).trim().to_owned()
    };
    assert_eq!(told().await, "READY=1");
    gateway.hang_up();
    let reloading = told().await;
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("both in one message");
    assert!(time.parse::<u64>().unwrap() > 0);
    assert_eq!(told().await, "READY=1");
}

#[tokio::test]
async fn reload_is_refused_to_browsers_and_on_the_public_listener() {
    let gateway = Configured::with("", &[]).await;
    let http = &gateway.process.gateway().http;
    let url = format!("http://{}/reload", gateway.admin());
    let from_page = http.post(&url).header("origin", "http://127.0.0.1").send().await.unwrap();
    assert_eq!(from_page.status(), 403);
    assert_eq!(http.get(&url).send().await.unwrap().status(), 405);
    let public = format!("{}/reload", gateway.process.gateway().url);
    assert_eq!(http.post(public).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn reload_command_names_sighup_where_the_admin_listener_is_off() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let off = deployment.run(&["reload"]);
    assert_eq!(off.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&off.stderr).contains("SIGHUP"));
}
