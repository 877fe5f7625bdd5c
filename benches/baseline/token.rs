//! A token from the real gateway over HTTP, compared with the baseline: CPU time per request.

use crate::bare;
use crate::gateway::Server;
use crate::load::{ask, authorization, token_request};
use crate::report::Report;
use crate::support::fixture::client_id;
use crate::support::{Engine, Fixture};

const AIM: f64 = 1.15;
const ROUNDS: u32 = 11;
/// About a hundred ticks of CPU time per round.
const REQUESTS: u32 = 12_000;
const CLIENTS: u32 = 100_000;

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for engine in Engine::ALL {
        let fixture = runtime.block_on(Fixture::with_clients(engine, CLIENTS));
        let header = |client_id: &str| authorization(client_id, &fixture.secret);
        let same = of_administrator(&fixture);
        let baseline =
            bare::start(&header(&fixture.administrator.client_id), &fixture.administrator);
        let gateway = Server::gateway(&fixture.config, &fixture.folder().join("gateway.log"), &[]);
        // Two gateways do not serve from one folder.
        let another = runtime.block_on(Fixture::with_clients(engine, CLIENTS));
        let same_of_another = of_administrator(&another);
        let quiet = Server::gateway(
            &another.config,
            &another.folder().join("gateway.log"),
            &["--set=log.filter=info,tenant_gateway::http=warn"],
        );
        let mut logged = Vec::new();
        let mut unlogged = Vec::new();
        let mut first = Vec::new();
        ask(baseline.address, &same);
        ask(gateway.address, &same);
        ask(quiet.address, &same_of_another);
        for _ in 0..ROUNDS {
            let bottom = cost(&baseline, &same);
            logged.push(cost(&gateway, &same) / bottom);
            unlogged.push(cost(&quiet, &same_of_another) / bottom);
        }
        // Afterwards: the gateway writes in the background when each client was used.
        for round in 0..ROUNDS {
            let each = |number: u32| {
                token_request(&header(&client_id(round * REQUESTS / 2 % CLIENTS + number)))
            };
            let others: Vec<_> = (1..=REQUESTS / 2).map(each).collect();
            first.push(cost(&gateway, &others) / cost(&baseline, &same));
        }
        let name = engine.name();
        report.ratio(&format!("token over HTTP, {name}: CPU, × bare handler"), logged, Some(AIM));
        report.ratio(&format!("  without a log line for each request, {name}"), unlogged, None);
        report.ratio(&format!("  for clients not seen for a while, {name}"), first, None);
    }
}

/// The requests for tokens of the administrator.
fn of_administrator(fixture: &Fixture) -> Vec<Vec<u8>> {
    let header = authorization(&fixture.administrator.client_id, &fixture.secret);
    vec![token_request(&header); REQUESTS as usize]
}

/// The server's CPU time per request, in seconds.
fn cost(server: &Server, requests: &[Vec<u8>]) -> f64 {
    let before = server.cpu();
    ask(server.address, requests);
    server.cpu().saturating_sub(before).as_secs_f64() / requests.len() as f64
}
