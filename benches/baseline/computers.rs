//! Computers of a tenant through the real gateway, compared with the baseline in front of the same
//! manager: CPU time per request, calls of the manager, memory.

use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};

use crate::gateway::Server;
use crate::load::{ask_over, graphql_request};
use crate::report::Report;
use crate::resolver;
use crate::support::{Engine, Fixture};
use crate::upstream::{SETTINGS, link, token};

/// Many rounds, since the speed of the machine varies between them.
const ROUNDS: usize = 21;
/// On one connection every request makes its own calls; on several, identical reads in flight share
/// one.
const CONNECTIONS: [usize; 3] = [1, 8, 16];
const CUSTOMER: &str = "Customer";
const COMPUTERS: usize = 100;
const POLICIES: usize = 10;

/// The queries to the gateway and to the baseline, their number per round, and the permitted ratio.
struct Question {
    name: &'static str,
    gateway: &'static str,
    baseline: &'static str,
    requests: usize,
    aim: f64,
}

const QUESTIONS: [Question; 2] = [
    Question {
        name: "100 computers, 4 fields",
        gateway: "{ deepSecurity { computers(first: 100) { nodes { id hostName platform lastIPUsed \
            } } } }",
        baseline: "{ computers(first: 100) { nodes { id hostName platform lastIPUsed } } }",
        requests: 600,
        aim: 1.0,
    },
    Question {
        name: "one computer, 6 fields",
        gateway: "{ deepSecurity { computer(id: 7) { id hostName displayName description platform \
            lastIPUsed } } }",
        baseline: "{ computer(id: 7) { id hostName displayName description platform lastIPUsed } }",
        requests: 3_000,
        aim: 1.2,
    },
];

const WITH_POLICIES: &str =
    "{ deepSecurity { computers(first: 100) { nodes { hostName policy { name } } } } }";

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seed = TenantSeed::named(CUSTOMER).computers(COMPUTERS).policies(POLICIES);
    let manager = Config::default().limits(Limits::NONE).tenant(seed);
    let manager = runtime.block_on(Simulator::start(manager)).expect("a free port");
    let fixture = runtime.block_on(Fixture::with_clients(Engine::Sqlite, 1));
    runtime.block_on(link(&fixture, fixture.customer, &manager, CUSTOMER));
    let gateway =
        Server::gateway(&fixture.config, &fixture.folder().join("gateway.log"), &SETTINGS);
    let baseline = resolver::start(&manager.base_url, &manager.customer(CUSTOMER).secret_key);
    let token = token(&fixture, &gateway);
    let tenant = fixture.customer.to_string();
    report.note(
        "the manager's list of 100 computers, bytes",
        &runtime.block_on(size(&manager)).to_string(),
    );
    for connections in CONNECTIONS {
        for question in &QUESTIONS {
            let to_gateway =
                vec![graphql_request(question.gateway, Some((&token, &tenant))); question.requests];
            let to_baseline = vec![graphql_request(question.baseline, None); question.requests];
            let cost = |server: &Server, requests: &[Vec<u8>]| {
                let before = server.cpu();
                ask_over(server.address, requests, connections);
                server.cpu().saturating_sub(before).as_secs_f64() / requests.len() as f64
            };
            cost(&gateway, &to_gateway);
            cost(&baseline, &to_baseline);
            let mut ratios = Vec::new();
            let mut micros = Vec::new();
            for _ in 0..ROUNDS {
                let own = cost(&gateway, &to_gateway);
                let bottom = cost(&baseline, &to_baseline);
                micros.push(own * 1e6);
                ratios.push(own / bottom);
            }
            let what =
                format!("{}, {connections} connections: CPU, × bare resolver", question.name);
            report.ratio(&what, ratios, Some(question.aim));
            report.ratio("  CPU, µs", micros, None);
        }
        calls(
            report,
            &manager,
            &gateway,
            &graphql_request(WITH_POLICIES, Some((&token, &tenant))),
            connections,
        );
    }
    report.ratio(
        "memory of a gateway under this load, MiB",
        vec![gateway.resident() as f64 / 1024.0],
        Some(64.0),
    );
}

/// The size of the list that both request.
async fn size(manager: &Simulator) -> usize {
    let call =
        reqwest::Client::new().post(format!("{}/computers/search?expand=none", manager.base_url));
    let call = call
        .header("api-version", "v1")
        .header("api-secret-key", &manager.customer(CUSTOMER).secret_key);
    let call = call.json(&serde_json::json!({ "maxItems": COMPUTERS, "sortByObjectID": true }));
    call.send().await.expect("it answers").bytes().await.expect("it answers in full").len()
}

/// Counts the calls of the manager when every caller selects the names of all policies. Concurrent
/// operations may share a response: one connection makes exactly this many calls, several make
/// fewer.
fn calls(
    report: &mut Report,
    manager: &Simulator,
    gateway: &Server,
    request: &[u8],
    connections: usize,
) {
    const REQUESTS: usize = 64;
    let per_operation = |requests: usize, connections: usize| {
        manager.forget_calls();
        ask_over(gateway.address, &vec![request.to_vec(); requests], connections);
        manager.count(&Calls::all()) as f64 / requests as f64
    };
    let expected = (1 + POLICIES) as f64;
    assert_eq!(per_operation(1, 1), expected, "one for the list and one for each distinct policy");
    let figure = per_operation(REQUESTS, connections);
    let what = format!("calls for 100 computers with their policies, {connections} connections");
    report.ratio(&what, vec![figure], Some(expected));
}
