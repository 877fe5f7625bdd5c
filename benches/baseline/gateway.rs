//! Servers in their own processes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tenant_gateway::config::Config;

use crate::process;

/// A running server, killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the gateway itself, as `tenant-gateway serve`, with these settings; its log goes to a
    /// file.
    pub fn gateway(config: &Config, log: &Path, extra: &[&str]) -> Self {
        let file = File::create(log).expect("the log opens");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-gateway"));
        command
            .args(["serve", "--set=server.listen=127.0.0.1:0", "--set=admin.listen=off"])
            .args(extra);
        command.env("TENANT_GATEWAY__DATA__DIR", &config.data.dir);
        if let Some(key) = &config.seal.master_key {
            command.env("TENANT_GATEWAY__SEAL__MASTER_KEY", key.expose());
        }
        if let Some(url) = &config.database.url {
            command.env("TENANT_GATEWAY__DATABASE__URL", url.expose());
        }
        command.env_remove("RUST_LOG").stdout(Stdio::null()).stderr(file);
        let child = command.spawn().expect("the gateway starts");
        Self { child, address: listening(log) }
    }

    /// Starts a program that prints its address.
    pub fn spawn_and_read(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it was asked for");
        BufReader::new(output).read_line(&mut line).expect("it prints its address");
        Self { child, address: line.trim().parse().expect("an address") }
    }

    pub fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    pub fn resident(&self) -> u64 {
        process::resident(self.child.id())
    }

    pub fn peak(&self) -> u64 {
        process::peak(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

/// Returns the address from the first line of the log.
fn listening(log: &Path) -> SocketAddr {
    for _ in 0..10_000 {
        let text = fs::read_to_string(log).expect("the log can be read");
        if let Some((line, _)) = text.split_once('\n') {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            return line["listen"]
                .as_str()
                .expect("the address comes first")
                .parse()
                .expect("an address");
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the gateway did not start within 10 s");
}
