//! Computers of a tenant through the real gateway, compared with the baseline in front of the same
//! recorded manager: CPU time per request, calls of the manager, memory.

use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};
use tenant_gateway_simulators::integration_server::{
    Config as MachinesConfig, Simulator as Machines, TenantSeed as MachinesSeed,
};

use crate::gateway::Server;
use crate::load::{ask_over, graphql_request};
use crate::recorded::RecordedSystem;
use crate::report::Report;
use crate::resolver;
use crate::support::{Engine, Fixture};
use crate::upstream::{SETTINGS, link_each, link_server, token};

/// Many rounds, since the speed of the machine varies between them.
const ROUNDS: usize = 21;
const COMPUTERS: usize = 100;
const POLICIES: usize = 10;

/// The callers of a round.
struct Load {
    name: &'static str,
    connections: usize,
    /// Whether each connection asks for a tenant of its own, so that no read can be shared.
    has_own_tenants: bool,
}

const LOADS: [Load; 3] = [
    Load { name: "1 connection", connections: 1, has_own_tenants: false },
    Load { name: "16 connections", connections: 16, has_own_tenants: false },
    Load { name: "16 connections, 16 tenants", connections: 16, has_own_tenants: true },
];

/// The queries to the gateway and to the baseline, their number per round, and the permitted ratio
/// for each load.
struct Question {
    name: &'static str,
    gateway: &'static str,
    baseline: &'static str,
    requests: usize,
    aims: [f64; LOADS.len()],
}

const QUESTIONS: [Question; 3] = [
    Question {
        name: "100 computers, 4 fields",
        gateway: "{ deepSecurity { computers(first: 100) { nodes { id hostName platform lastIPUsed \
            } } } }",
        baseline: "{ computers(first: 100) { nodes { id hostName platform lastIPUsed } } }",
        requests: 608,
        aims: [0.6, 0.25, 0.6],
    },
    Question {
        name: "one computer, 6 fields",
        gateway: "{ deepSecurity { computer(id: 7) { id hostName displayName description platform \
            lastIPUsed } } }",
        baseline: "{ computer(id: 7) { id hostName displayName description platform lastIPUsed } }",
        requests: 3_008,
        aims: [0.8, 0.35, 0.8],
    },
    Question {
        name: "100 computers with the names of their policies",
        gateway: WITH_POLICIES,
        baseline: "{ computers(first: 100) { nodes { hostName policy { name } } } }",
        requests: 304,
        aims: [0.6, 0.2, 0.6],
    },
];

const WITH_POLICIES: &str =
    "{ deepSecurity { computers(first: 100) { nodes { hostName policy { name } } } } }";

/// The least query, and one about the caller.
const LEAST: [&str; 2] = ["{ __typename }", "{ currentSubject { id } }"];
const LEAST_REQUESTS: usize = 6_000;
const SUBJECT_AIM: f64 = 2.0;

/// Machines of an Integration Server, whose answers are XML.
const MACHINES: &str =
    "{ integrationServer { virtualMachines(first: 100) { nodes { id biosID name createdAt } } } }";
const MACHINES_AIM: f64 = 1.4;

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let names: Vec<String> = (1..=16).map(|number| format!("Customer {number}")).collect();
    let manager = names.iter().fold(Config::default().limits(Limits::NONE), |manager, name| {
        manager.tenant(TenantSeed::named(name).computers(COMPUTERS).policies(POLICIES))
    });
    let manager = runtime.block_on(Simulator::start(manager)).expect("a free port");
    let fixture = runtime.block_on(Fixture::with_clients(Engine::Sqlite, 1));
    let links = fixture.customers.iter().copied().zip(names.iter().map(String::as_str));
    let recorded = runtime.block_on(RecordedSystem::start(&manager.base_url));
    runtime.block_on(link_each(&fixture, &manager, &recorded.base_url, links));
    let server = runtime.block_on(integration_server(&fixture));
    let gateway =
        Server::gateway(&fixture.config, &fixture.folder().join("gateway.log"), &SETTINGS);
    let baseline = resolver::start(&recorded.base_url, &manager.customer(&names[0]).secret_key);
    let token = token(&fixture, &gateway);
    let tenants: Vec<String> = fixture.customers.iter().map(ToString::to_string).collect();
    let ask = |document: &str, tenant: &str| graphql_request(document, Some((&token, tenant)));
    report.note(
        "the manager's list of 100 computers, bytes",
        &runtime.block_on(size(&manager, &names[0])).to_string(),
    );
    for (number, load) in LOADS.iter().enumerate() {
        let tenants = &tenants[..if load.has_own_tenants { load.connections } else { 1 }];
        for question in &QUESTIONS {
            let per_tenant = question.requests / tenants.len();
            let to_gateway: Vec<_> = tenants
                .iter()
                .flat_map(|tenant| vec![ask(question.gateway, tenant); per_tenant])
                .collect();
            let to_baseline = vec![graphql_request(question.baseline, None); question.requests];
            let name = format!("{}, {}", question.name, load.name);
            compare(
                report,
                &format!("{name}: CPU, × bare resolver"),
                (&gateway, &to_gateway),
                (&baseline, &to_baseline),
                load.connections,
                question.aims[number],
            );
        }
        if !load.has_own_tenants {
            let request = ask(WITH_POLICIES, &tenants[0]);
            calls(report, &recorded, &gateway, &request, load.connections);
        }
    }
    let [least, subject] = LEAST.map(|document| vec![ask(document, &tenants[0]); LEAST_REQUESTS]);
    let what = "currentSubject, 1 connection: CPU, × __typename";
    compare(report, what, (&gateway, &subject), (&gateway, &least), 1, SUBJECT_AIM);
    let list = vec![ask(QUESTIONS[0].gateway, &tenants[0]); QUESTIONS[0].requests];
    let machines = vec![ask(MACHINES, &tenants[0]); QUESTIONS[0].requests];
    let what = "100 machines in XML, 4 fields, 1 connection: CPU, × computers";
    compare(report, what, (&gateway, &machines), (&gateway, &list), 1, MACHINES_AIM);
    drop(server);
    report.ratio(
        "memory of a gateway under this load, MiB",
        vec![gateway.resident() as f64 / 1024.0],
        Some(40.0),
    );
}

/// Starts an Integration Server with the machines of the first customer, and links them.
async fn integration_server(fixture: &Fixture) -> (Machines, RecordedSystem) {
    const NAME: &str = "Customer";
    let config = MachinesConfig::default().tenant(MachinesSeed::simple(NAME).machines(COMPUTERS));
    let server = Machines::start(config).await.expect("a free port");
    let recorded = RecordedSystem::start(&server.base_url).await;
    link_server(fixture, &server, &recorded.base_url, (fixture.customers[0], NAME)).await;
    (server, recorded)
}

/// Compares the CPU time that one server needs for its requests with what another one needs for
/// the same number.
fn compare(
    report: &mut Report,
    what: &str,
    own: (&Server, &[Vec<u8>]),
    other: (&Server, &[Vec<u8>]),
    connections: usize,
    aim: f64,
) {
    let cost = |(server, requests): (&Server, &[Vec<u8>])| {
        let before = server.cpu();
        ask_over(server.address, requests, connections);
        server.cpu().saturating_sub(before).as_secs_f64() / requests.len() as f64
    };
    cost(own);
    cost(other);
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (cost(own), cost(other))).collect();
    report.ratio(what, rounds.iter().map(|(own, other)| own / other).collect(), Some(aim));
    report.ratio("  CPU, µs", rounds.iter().map(|(own, _)| own * 1e6).collect(), None);
    report.ratio("  the other's, µs", rounds.iter().map(|(_, other)| other * 1e6).collect(), None);
}

/// The size of the list that both request.
async fn size(manager: &Simulator, customer: &str) -> usize {
    let call =
        reqwest::Client::new().post(format!("{}/computers/search?expand=none", manager.base_url));
    let call = call
        .header("api-version", "v1")
        .header("api-secret-key", &manager.customer(customer).secret_key);
    let call = call.json(&serde_json::json!({ "maxItems": COMPUTERS, "sortByObjectID": true }));
    call.send().await.expect("it answers").bytes().await.expect("it answers in full").len()
}

/// Counts the calls of the manager when every caller selects the names of all policies. Concurrent
/// operations may share a response: one connection makes exactly this many calls, several make
/// fewer.
fn calls(
    report: &mut Report,
    manager: &RecordedSystem,
    gateway: &Server,
    request: &[u8],
    connections: usize,
) {
    const REQUESTS: usize = 64;
    let per_operation = |requests: usize, connections: usize| {
        manager.take_calls();
        ask_over(gateway.address, &vec![request.to_vec(); requests], connections);
        manager.take_calls() as f64 / requests as f64
    };
    let expected = (1 + POLICIES) as f64;
    assert_eq!(per_operation(1, 1), expected, "one for the list and one for each distinct policy");
    let figure = per_operation(REQUESTS, connections);
    let what = format!("calls for 100 computers with their policies, {connections} connections");
    report.ratio(&what, vec![figure], Some(expected));
}
