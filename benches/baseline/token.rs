//! A token from the real gateway over HTTP, compared with the baseline: CPU time per request.

use crate::bare;
use crate::gateway::Server;
use crate::load::{ask, authorization, token_request};
use crate::report::Report;
use crate::support::fixture::client_id;
use crate::support::{Engine, Fixture};

const AIM: f64 = 1.3;
const ROUNDS: u32 = 11;
/// About a hundred ticks of CPU time per round.
const REQUESTS: u32 = 12_000;
const CLIENTS: u32 = 100_000;

pub fn run(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for engine in Engine::ALL {
        let fixture = runtime.block_on(Fixture::with_clients(engine, CLIENTS));
        let header = |client_id: &str| authorization(client_id, &fixture.secret);
        let one = token_request(&header(&fixture.administrator.client_id));
        let same = vec![one; REQUESTS as usize];
        let baseline =
            bare::start(&header(&fixture.administrator.client_id), &fixture.administrator);
        let gateway = Server::gateway(&fixture.config, &fixture.folder().join("gateway.log"), &[]);
        let quiet = Server::gateway(
            &fixture.config,
            &fixture.folder().join("quiet.log"),
            &["--set=log.filter=info,tenant_gateway::http=warn"],
        );
        let mut logged = Vec::new();
        let mut unlogged = Vec::new();
        let mut first = Vec::new();
        for server in [&baseline, &gateway, &quiet] {
            ask(server.address, &same);
        }
        for round in 0..ROUNDS {
            let each = |number: u32| {
                token_request(&header(&client_id(round * REQUESTS / 2 % CLIENTS + number)))
            };
            let others: Vec<_> = (1..=REQUESTS / 2).map(each).collect();
            let bottom = cost(&baseline, &same);
            logged.push(cost(&gateway, &same) / bottom);
            unlogged.push(cost(&quiet, &same) / bottom);
            first.push(cost(&gateway, &others) / bottom);
        }
        let name = engine.name();
        report.ratio(&format!("token over HTTP, {name}: CPU, × bare handler"), logged, Some(AIM));
        report.ratio(&format!("  without a log line for each request, {name}"), unlogged, None);
        report.ratio(&format!("  for clients not seen for a while, {name}"), first, None);
    }
}

/// The server's CPU time per request, in seconds.
fn cost(server: &Server, requests: &[Vec<u8>]) -> f64 {
    let before = server.cpu();
    ask(server.address, requests);
    server.cpu().saturating_sub(before).as_secs_f64() / requests.len() as f64
}
