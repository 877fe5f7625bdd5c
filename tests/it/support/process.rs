//! The real program as an operator runs it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::caller::Gateway;
use super::{Caller, Credentials, Engine, OnEngine, TestDatabase, eventually, notes};

/// A database and the settings of processes that use it.
pub struct Deployment {
    pub database: Arc<TestDatabase>,
}

impl OnEngine for Deployment {
    async fn on(engine: Engine) -> Self {
        Self { database: TestDatabase::empty(engine).await }
    }
}

impl Deployment {
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-gateway"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("RUST_LOG", "debug").env("TENANT_GATEWAY__LOG__FORMAT", "json");
        command
            .env("TENANT_GATEWAY__SERVER__LISTEN", "127.0.0.1:0")
            .env("TENANT_GATEWAY__ADMIN__LISTEN", "off");
        for limit in ["CLIENT", "ADDRESS"] {
            command.env(format!("TENANT_GATEWAY__AUTH__FAILURES_PER_{limit}"), "1000000");
        }
        command.env("TENANT_GATEWAY__DATA__DIR", self.database.folder.path());
        if let Some(url) = &self.database.url {
            command.env("TENANT_GATEWAY__DATABASE__URL", url);
            command.env("TENANT_GATEWAY__SEAL__MASTER_KEY", &self.database.master_key);
        }
        command
    }

    /// Runs a command until it exits.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Migrates the database and creates the first administrator.
    pub fn init(&self) -> Credentials {
        if self.database.engine == Engine::Postgres {
            assert!(self.run(&["migrate", "up"]).status.success());
        }
        let made = self.run(&["init", "--output", "json"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout).expect("one JSON object");
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        let credentials = Credentials {
            id: text("clientID"),
            client_id: text("clientID"),
            secret: text("clientSecret"),
        };
        notes::note(&credentials.secret);
        credentials
    }

    /// Starts a gateway and waits until it serves.
    pub async fn serve(&self) -> Process {
        self.serve_with(&[]).await
    }

    /// The same with further variables.
    pub async fn serve_with(&self, variables: &[(&str, &str)]) -> Process {
        static NUMBERS: AtomicUsize = AtomicUsize::new(1);
        // The tests may run several times before their logs are searched for secrets.
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let log = notes::folder().join(format!("it-process-{}-{number}.log", std::process::id()));
        let file = File::create(&log).expect("the log opens");
        let child = self
            .command(&["serve"])
            .envs(variables.iter().copied())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn();
        let mut process = Process { child: child.expect("the program starts"), log, gateway: None };
        let listen = eventually(30, "the address in the log", async || {
            assert!(
                process.child.try_wait().unwrap().is_none(),
                "the gateway ended: see {}",
                process.log.display()
            );
            process.address()
        });
        let gateway = Gateway::at(&format!("http://{}", listen.await), None);
        let ready = format!("{}/health/ready", gateway.url);
        eventually(30, "readiness", async || {
            gateway.http.get(&ready).send().await.ok().filter(|answer| answer.status() == 200)
        })
        .await;
        process.gateway = Some(gateway);
        process
    }
}

/// A running gateway process.
pub struct Process {
    child: Child,
    pub log: PathBuf,
    gateway: Option<Gateway>,
}

impl Process {
    pub fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("it serves")
    }

    pub async fn log_in(&self, credentials: Credentials) -> Caller {
        self.gateway().log_in(credentials).await
    }

    /// The status and the body of the readiness check.
    pub async fn readiness(&self) -> (u16, Value) {
        let url = format!("{}/health/ready", self.gateway().url);
        let answer = self.gateway().http.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines of its log.
    pub fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The address in its log, in either format.
    fn address(&self) -> Option<String> {
        let of_json =
            self.records().iter().find_map(|record| Some(record["listen"].as_str()?.to_owned()));
        of_json.or_else(|| {
            let text = fs::read_to_string(&self.log).ok()?;
            let (_, address) = text.split_once("listening listen=")?;
            address.split_once(' ').map(|(address, _)| address.to_owned())
        })
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    pub fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("there is a kill").success());
    }

    /// Waits until it exits by itself; returns its status.
    pub async fn ended(&mut self) -> Option<i32> {
        eventually(30, "the end of the process", async || self.child.try_wait().unwrap())
            .await
            .code()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have exited already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
