//! Computers of a tenant through the graph of the real gateway, compared with the floor before the same manager: CPU time a
//! request, calls of the manager, memory.

use serde_json::{Value, json};
use tenant_gateway::names::Name;
use tenant_gateway::outbound::BaseUrl;
use tenant_gateway::upstreams::{Credential, NewLink, NewUpstream, System};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};

use crate::gateway::Server;
use crate::load::{ask_once, ask_over, authorization, graphql_request, token_request};
use crate::report::Report;
use crate::resolver;
use crate::support::{Engine, House};

const ROUNDS: usize = 9;
const CUSTOMER: &str = "Customer";
const COMPUTERS: usize = 100;
const POLICIES: usize = 10;

/// The settings of a gateway that nobody limits: the floor has no limits either.
const SETTINGS: [&str; 5] = [
    "--set=upstream.allow_private_addresses=true",
    "--set=upstream.calls_per_minute=0",
    "--set=rate_limit.client_per_second=0",
    "--set=rate_limit.tenant_per_second=0",
    "--set=log.filter=info,tenant_gateway::http=warn",
];

/// What is asked of the gateway, what of the floor, how often a round, and how much dearer the gateway may be.
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

const WITH_POLICIES: &str = "{ deepSecurity { computers(first: 100) { nodes { hostName policy { name } } } } }";

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seed = TenantSeed::named(CUSTOMER).computers(COMPUTERS).policies(POLICIES);
    let manager = Config::default().limits(Limits::NONE).tenant(seed);
    let manager = runtime.block_on(Simulator::start(manager)).expect("a free port");
    let house = runtime.block_on(House::with_clients(Engine::Sqlite, 1));
    runtime.block_on(link(&house, &manager));
    let gateway = Server::gateway(&house.config, &house.folder().join("gateway.log"), &SETTINGS);
    let floor = resolver::start(&manager.base_url, &manager.customer(CUSTOMER).secret_key);
    let token = token(&house, &gateway);
    let tenant = house.customer.to_string();
    for connections in [8, 16] {
        for question in &QUESTIONS {
            let to_gateway = vec![graphql_request(question.gateway, Some((&token, &tenant))); question.requests];
            let to_floor = vec![graphql_request(question.floor, None); question.requests];
            let cost = |server: &Server, requests: &[Vec<u8>]| {
                let before = server.cpu();
                ask_over(server.address, requests, connections);
                (server.cpu() - before).as_secs_f64() / requests.len() as f64
            };
            cost(&gateway, &to_gateway);
            cost(&floor, &to_floor);
            let ratios = (0..ROUNDS).map(|_| cost(&gateway, &to_gateway) / cost(&floor, &to_floor)).collect();
            let what = format!("{}, {connections} connections: CPU, × bare resolver", question.name);
            report.ratio(&what, ratios, Some(question.aim));
        }
        calls(report, &manager, &gateway, &graphql_request(WITH_POLICIES, Some((&token, &tenant))), connections);
    }
    report.ratio("memory of a gateway under this load, MiB", vec![gateway.resident() as f64 / 1024.0], Some(64.0));
}

/// How often the manager is asked when everybody wants the names of all policies. Operations that run at the same moment may
/// share an answer, so that there are never more calls than this, and on one connection exactly as many.
fn calls(report: &mut Report, manager: &Simulator, gateway: &Server, request: &[u8], connections: usize) {
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

async fn link(house: &House, manager: &Simulator) {
    let (core, owner) = (&house.core, house.administrator.tenant);
    let policy = tenant_gateway::outbound::AddressPolicy { allow_private: true };
    let new = NewUpstream {
        name: Name::parse("name", "manager").expect("a valid name"),
        system: System::DeepSecurity,
        base_url: BaseUrl::parse("baseURL", &manager.base_url, policy).expect("loopback is allowed"),
        credential: Credential::SecretKey(manager.primary().secret_key.clone()),
        ca_certificate: None,
        time_zone: "UTC".to_owned(),
    };
    let upstream = core.upstreams.register(&core.operator(owner), new).await.expect("it can be registered");
    let remote_tenant_id = Some(manager.customer(CUSTOMER).id.to_string());
    let new = NewLink { tenant: house.customer, upstream: upstream.id, remote_tenant_id };
    core.upstreams.link(&core.operator(owner), new).await.expect("it can be linked");
}

fn token(house: &House, gateway: &Server) -> String {
    let request = token_request(&authorization(&house.administrator.client_id, &house.secret));
    let answer: Value = serde_json::from_slice(&ask_once(gateway.address, &request)).unwrap_or(json!(null));
    answer["access_token"].as_str().expect("a token").to_owned()
}
