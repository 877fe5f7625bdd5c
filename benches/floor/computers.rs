//! Computers of a tenant through the graph of the real gateway, compared with the floor before the
//! same manager: CPU time a request, calls of the manager, memory.

use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};

use crate::far_side::{SETTINGS, link, token};
use crate::gateway::Server;
use crate::load::{ask_over, graphql_request};
use crate::report::Report;
use crate::resolver;
use crate::support::{Engine, House};

/// Many, since a round takes half a second and the machine changes its mind in between.
const ROUNDS: usize = 21;
/// On one connection every request costs calls of its own; on several, identical reads in flight
/// share one.
const CONNECTIONS: [usize; 3] = [1, 8, 16];
const CUSTOMER: &str = "Customer";
const COMPUTERS: usize = 100;
const POLICIES: usize = 10;

/// What is asked of the gateway, what of the floor, how often a round, and how much dearer the
/// gateway may be.
struct Question {
    name: &'static str,
    gateway: &'static str,
    floor: &'static str,
    requests: usize,
    aim: f64,
}

const QUESTIONS: [Question; 2] = [
    Question {
        name: "100 computers, 4 fields",
        gateway: "{ deepSecurity { computers(first: 100) { nodes { id hostName platform lastIPUsed } } } }",
        floor: "{ computers(first: 100) { nodes { id hostName platform lastIPUsed } } }",
        requests: 600,
        aim: 1.0,
    },
    Question {
        name: "one computer, 6 fields",
        gateway: "{ deepSecurity { computer(id: 7) { id hostName displayName description platform lastIPUsed } } }",
        floor: "{ computer(id: 7) { id hostName displayName description platform lastIPUsed } }",
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
    let house = runtime.block_on(House::with_clients(Engine::Sqlite, 1));
    runtime.block_on(link(&house, house.customer, &manager, CUSTOMER));
    let gateway = Server::gateway(&house.config, &house.folder().join("gateway.log"), &SETTINGS);
    let floor = resolver::start(&manager.base_url, &manager.customer(CUSTOMER).secret_key);
    let token = token(&house, &gateway);
    let tenant = house.customer.to_string();
    report.note(
        "the manager's list of 100 computers, bytes",
        &runtime.block_on(size(&manager)).to_string(),
    );
    for connections in CONNECTIONS {
        for question in &QUESTIONS {
            let to_gateway =
                vec![graphql_request(question.gateway, Some((&token, &tenant))); question.requests];
            let to_floor = vec![graphql_request(question.floor, None); question.requests];
            let cost = |server: &Server, requests: &[Vec<u8>]| {
                let before = server.cpu();
                ask_over(server.address, requests, connections);
                (server.cpu() - before).as_secs_f64() / requests.len() as f64
            };
            cost(&gateway, &to_gateway);
            cost(&floor, &to_floor);
            let (mut ratios, mut micros) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let (own, bottom) = (cost(&gateway, &to_gateway), cost(&floor, &to_floor));
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

/// The bytes of the list that both ask for.
async fn size(manager: &Simulator) -> usize {
    let call =
        reqwest::Client::new().post(format!("{}/computers/search?expand=none", manager.base_url));
    let call = call
        .header("api-version", "v1")
        .header("api-secret-key", &manager.customer(CUSTOMER).secret_key);
    let call = call.json(&serde_json::json!({ "maxItems": COMPUTERS, "sortByObjectID": true }));
    call.send().await.expect("it answers").bytes().await.expect("it answers in full").len()
}

/// How often the manager is asked when everybody wants the names of all policies. Operations that
/// run at the same moment may share an answer, so that there are never more calls than this, and on
/// one connection exactly as many.
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
