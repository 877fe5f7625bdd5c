//! `tenant-gateway demo --open`: a browser is opened without a secret in its arguments.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::StatusCode;
use serde_json::Value;
use tenant_gateway::http::playground;

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, eventually, notes};

/// A demo that runs.
struct Demo {
    process: Child,
    made: Value,
    log: PathBuf,
}

impl Demo {
    /// Starts it with the programs of a folder alone.
    async fn open(programs: &Path) -> Self {
        let deployment = Deployment::on(Engine::Sqlite).await;
        let mut command = deployment.command(&["demo", "--open", "--output", "json"]);
        command.env("PATH", programs);
        Self::start(command, programs)
    }

    /// Starts it without a browser, with text as its log, as at a terminal, and its files below a
    /// folder.
    async fn watched(folder: &Path) -> Self {
        let deployment = Deployment::on(Engine::Sqlite).await;
        let mut command = deployment.command(&["demo", "--output", "json"]);
        command.env("TMPDIR", folder).env("TENANT_GATEWAY__LOG__FORMAT", "text");
        // The filter of the demo itself.
        command.env_remove("RUST_LOG");
        Self::start(command, folder)
    }

    fn start(mut command: Command, folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let log = notes::folder().join(format!("it-demo-{name}.log"));
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut process = command.spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = process.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let made: Value = serde_json::from_str(&line).expect("one JSON object");
        notes::note(made["clientSecret"].as_str().expect("a secret"));
        Self { process, made, log }
    }

    fn text(&self, name: &str) -> &str {
        self.made[name].as_str().expect("text")
    }

    async fn post(&self, body: String) -> (StatusCode, String) {
        let url = format!("{}{}", self.text("url"), playground::SIGN_IN_PATH);
        let request = reqwest::Client::new().post(url).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.send().await.unwrap();
        assert!(
            response.status() != StatusCode::OK
                || response.headers()["cache-control"] == "no-store"
        );
        (response.status(), response.text().await.unwrap())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A folder with an `xdg-open` that notes its arguments.
fn desktop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("xdg-open");
    let opened = folder.path().join("opened");
    fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$*\" > {}\n", opened.display()))
        .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn opened_browser_gets_a_private_file_whose_code_works_once() {
    if !playground::is_built() {
        return demo_without_playground_refuses_to_open_it().await;
    }
    let desktop = desktop();
    let demo = Demo::open(desktop.path()).await;
    let opened = eventually(30, "an opened file", async || {
        fs::read_to_string(desktop.path().join("opened")).ok().filter(|text| text.ends_with('\n'))
    })
    .await;
    let file = Path::new(opened.trim());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(file), mode(file.parent().unwrap())), (0o600, 0o700));

    let page = fs::read_to_string(file).unwrap();
    let (client_id, secret) = (demo.text("clientID"), demo.text("clientSecret"));
    assert!(!page.contains(secret) && !opened.contains("tgw_"));
    let code = page.split('"').find(|part| part.starts_with("tgw_")).expect("a code");
    notes::note(code);

    let refused = demo.post("code=tgw_wrong".to_owned()).await;
    let (status, signed_in) = demo.post(format!("code={code}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(signed_in.contains(client_id) && signed_in.contains(secret));
    let again = demo.post(format!("code={code}")).await;
    for (status, body) in [refused, again, demo.post("x".repeat(2000)).await] {
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(body.contains("used before or has expired") && !body.contains(secret));
    }
}

#[tokio::test]
async fn demo_says_so_where_nothing_opens_a_browser() {
    if !playground::is_built() {
        return demo_without_playground_refuses_to_open_it().await;
    }
    let empty = tempfile::tempdir().unwrap();
    let demo = Demo::open(empty.path()).await;
    let told = eventually(30, "a sentence about the browser", async || {
        let log = fs::read_to_string(&demo.log).ok()?;
        Some(log.lines().find(|line| line.contains("No browser could be opened"))?.to_owned())
    })
    .await;
    assert!(told.contains(demo.text("playgroundURL")), "{told}");
    let health = format!("{}/health/ready", demo.text("url"));
    assert_eq!(reqwest::get(health).await.unwrap().status(), StatusCode::OK);
}

async fn demo_without_playground_refuses_to_open_it() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let output = deployment.run(&["demo", "--open"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("TENANT_GATEWAY_BUILD_PLAYGROUND=on"));
}

#[tokio::test]
async fn demo_logs_one_short_line_a_request_and_leaves_nothing_behind_when_hung_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::watched(folder.path()).await;
    let log = || fs::read_to_string(&demo.log).unwrap();
    assert_eq!(log(), "", "nothing comes before the first request");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let http = reqwest::Client::new();
    let request = http.post(demo.text("graphqlURL"));
    let body = serde_json::json!({ "query": "{ __typename }" });
    request.bearer_auth("rubbish-in-place-of-a-token").json(&body).send().await.unwrap();
    let lines = eventually(30, "the line of the request", async || {
        Some(log()).filter(|lines| lines.contains(" ms"))
    })
    .await;
    let lines: Vec<_> = lines.lines().collect();
    let [reason, request] = lines[..] else { panic!("{lines:?}") };
    assert_eq!(reason, "INFO access token refused POST /graphql reason=token_malformed");
    assert!(request.starts_with("POST /graphql 401 ") && request.ends_with(" ms"), "{request}");

    let id = demo.process.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    let ended = eventually(30, "the end", async || demo.process.try_wait().unwrap()).await;
    assert!(ended.success(), "{ended}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
