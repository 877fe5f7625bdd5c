//! The peak memory of a gateway while it reads a list of a hundred megabytes.

use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};

use crate::gateway::Server;
use crate::load::{ask_once, graphql_request};
use crate::report::Report;
use crate::support::{Engine, Fixture};
use crate::upstream::{SETTINGS, link, token};

const CUSTOMER: &str = "Customer";
const COMPUTERS: usize = 5_000;
/// They add 20 kB to each computer.
const RULES: usize = 3_000;
/// Generous, since memory is measured and not time.
const PATIENCE: [&str; 3] =
    ["--set=limits.execution=10m", "--set=limits.tenant_deadline=10m", "--set=upstream.timeout=5m"];
const QUERY: &str =
    "{ deepSecurity { computers(first: 5000) { nodes { id intrusionPrevention { state } } } } }";

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seed = TenantSeed::named(CUSTOMER).computers(COMPUTERS).rules(RULES);
    let manager = Config::default().limits(Limits::NONE).tenant(seed);
    let manager = runtime.block_on(Simulator::start(manager)).expect("a free port");
    let fixture = runtime.block_on(Fixture::with_clients(Engine::Sqlite, 1));
    runtime.block_on(link(&fixture, fixture.customer, &manager, CUSTOMER));
    let settings = [&SETTINGS[..], &PATIENCE[..]].concat();
    let gateway =
        Server::gateway(&fixture.config, &fixture.folder().join("gateway.log"), &settings);
    let token = token(&fixture, &gateway);
    let answer = ask_once(
        gateway.address,
        &graphql_request(QUERY, Some((&token, &fixture.customer.to_string()))),
    );
    let states = answer.windows(7).filter(|seven| seven == b"\"state\"").count();
    let start = String::from_utf8_lossy(&answer[..answer.len().min(500)]);
    assert_eq!(states, COMPUTERS, "each computer has its part: {start}");
    let peak = gateway.peak() as f64 / 1024.0;
    report.ratio("memory at most, 5,000 computers of 20 kB, MiB", vec![peak], Some(150.0));
}
