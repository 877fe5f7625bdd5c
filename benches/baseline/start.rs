//! The time until the gateway's first response, and its memory while idle.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::tempdir;
use tenant_gateway::config::Config;

use crate::gateway::Server;
use crate::load::read_answer;
use crate::report::Report;

const ROUNDS: usize = 11;

pub fn run(report: &mut Report) {
    let folder = tempdir().expect("a temp folder");
    let mut config = Config::default();
    let mut fresh = Vec::new();
    let mut again = Vec::new();
    let mut resident = 0;
    for round in 0..ROUNDS {
        config.data.dir = folder.path().join(round.to_string());
        std::fs::create_dir(&config.data.dir).expect("a folder");
        for times in [&mut fresh, &mut again] {
            let started = Instant::now();
            let server = Server::gateway(&config, &folder.path().join("gateway.log"), &[]);
            let mut connection = TcpStream::connect(server.address).expect("it listens");
            connection
                .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .expect("it reads");
            read_answer(&mut connection, &mut [0; 4096]);
            times.push(started.elapsed().as_secs_f64() * 1e3);
            if round == 0 {
                thread::sleep(Duration::from_secs(2));
                resident = server.resident();
            }
        }
    }
    report.ratio("first answer on a new SQLite, ms", fresh, Some(100.0));
    report.ratio("first answer on an SQLite that is there, ms", again, Some(30.0));
    report.ratio("memory of an idle gateway, MiB", vec![resident as f64 / 1024.0], Some(20.0));
}
