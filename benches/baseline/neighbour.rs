//! The effect on a tenant when the manager of another tenant hangs: the 99th percentile of its own
//! requests.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};
use tenant_gateway_simulators::faults::Fault;

use crate::gateway::Server;
use crate::load::{graphql_request, read_answer, send};
use crate::report::Report;
use crate::support::{Engine, Fixture};
use crate::upstream::{SETTINGS, link, token};

const ROUNDS: usize = 7;
const AIM: f64 = 2.0;
const REQUESTS: usize = 2_000;
/// The connections of the tenant whose manager responds.
const WELL: usize = 4;
/// The callers of the tenant whose manager hangs, and the pause of each after a response.
const ILL: usize = 16;
const PAUSE: Duration = Duration::from_millis(50);
const QUERY: &str =
    "{ deepSecurity { computers(first: 10) { nodes { id hostName platform lastIPUsed } } } }";

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let manager = |name| {
        let seed = TenantSeed::named(name).computers(10);
        runtime
            .block_on(Simulator::start(Config::default().limits(Limits::NONE).tenant(seed)))
            .expect("a free port")
    };
    let well = manager("Well");
    let ill = manager("Ill");
    let fixture = runtime.block_on(Fixture::with_clients(Engine::Sqlite, 1));
    runtime.block_on(link(&fixture, fixture.customer, &well, "Well"));
    runtime.block_on(link(&fixture, fixture.administrator.tenant, &ill, "Ill"));
    let gateway =
        Server::gateway(&fixture.config, &fixture.folder().join("gateway.log"), &SETTINGS);
    let token = token(&fixture, &gateway);
    let of_well = graphql_request(QUERY, Some((&token, &fixture.customer.to_string())));
    let of_ill = graphql_request(QUERY, Some((&token, &fixture.administrator.tenant.to_string())));
    slowest(gateway.address, &of_well);
    let mut alone = Vec::new();
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let baseline = slowest(gateway.address, &of_well);
        ill.order_always(Calls::all(), Fault::Delay { millis: 60_000 });
        let beside = beside(gateway.address, &of_ill, || slowest(gateway.address, &of_well));
        ill.clear_orders();
        alone.push(baseline * 1e3);
        ratios.push(beside / baseline);
    }
    report.ratio("p99 of a tenant beside one whose manager hangs, × alone", ratios, Some(AIM));
    report.ratio("  alone, ms", alone, None);
}

/// The 99th percentile of the request times, in seconds.
fn slowest(address: SocketAddr, request: &[u8]) -> f64 {
    let mut times: Vec<f64> = thread::scope(|scope| {
        let asking: Vec<_> = (0..WELL).map(|_| scope.spawn(|| times(address, request))).collect();
        asking.into_iter().flat_map(|asking| asking.join().expect("it answers")).collect()
    });
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

fn times(address: SocketAddr, request: &[u8]) -> Vec<f64> {
    let mut connection = TcpStream::connect(address).expect("it listens");
    connection.set_nodelay(true).expect("it is open");
    let mut buffer = vec![0; 64 * 1024];
    let mut time = || {
        let asked = Instant::now();
        send(&mut connection, request);
        read_answer(&mut connection, &mut buffer);
        asked.elapsed().as_secs_f64()
    };
    (0..REQUESTS / WELL).map(|_| time()).collect()
}

/// Runs a function while callers of the other tenant send requests and wait.
fn beside<T>(address: SocketAddr, request: &[u8], work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        (0..ILL).for_each(|_| drop(scope.spawn(|| hang(address, request, &over))));
        let done = work();
        over.store(true, Ordering::Relaxed);
        done
    })
}

/// Sends a request, waits for its response, and repeats until stopped.
fn hang(address: SocketAddr, request: &[u8], over: &AtomicBool) {
    let mut connection = TcpStream::connect(address).expect("it listens");
    connection.set_read_timeout(Some(PAUSE)).expect("it is open");
    let mut buffer = [0; 1024];
    while !over.load(Ordering::Relaxed) {
        send(&mut connection, request);
        while !over.load(Ordering::Relaxed) && connection.peek(&mut buffer).is_err() {}
        if over.load(Ordering::Relaxed) {
            return;
        }
        read_answer(&mut connection, &mut buffer);
        thread::sleep(PAUSE);
    }
}
