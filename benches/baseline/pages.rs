//! Pages of long lists at 20,000 tenants and 200,000 clients: one far down against one near the
//! start, and tenants with the caller's roles in each against tenants without.

use std::time::{Duration, Instant};

use async_graphql::{Variables, value};
use tenant_gateway::auth::RequestContext;
use tokio::runtime::Runtime;

use crate::report::Report;
use crate::support::{Engine, Fixture};

const TENANTS: u32 = 20_000;
const CLIENTS: u32 = 200_000;
const PER_PAGE: i32 = 50;

/// The pages of clients whose ratio is taken: 1,000 rows are before the one, 99,950 before the
/// other.
const PAGES: [i32; 2] = [21, 2_000];
const PAGES_AIM: f64 = 10.0;
const ROLES_AIM: f64 = 3.0;

/// The number of requests for a page, unless the time limit below is reached.
const REQUESTS: usize = 51;
const PATIENCE: Duration = Duration::from_secs(8);

const NAMES: &str = "query($query: TenantsQuery) {
    tenants(tenantsQuery: $query) { cursorPos tenants { id name } }
}";
const ROLES: &str = "query($query: TenantsQuery) {
    tenants(tenantsQuery: $query) {
        cursorPos tenants { id name effectiveRoles { via role { name } } }
    }
}";

pub fn run(report: &mut Report) {
    let runtime = Runtime::new().expect("a runtime");
    for engine in Engine::ALL {
        let filled = Fixture::with_tenants_and_clients(engine, TENANTS, CLIENTS);
        let fixture = runtime.block_on(filled);
        let context = runtime.block_on(fixture.context(false));
        runtime.block_on(clients(report, &fixture, &context, engine));
        runtime.block_on(tenants(report, &fixture, &context, engine));
    }
}

async fn clients(report: &mut Report, fixture: &Fixture, context: &RequestContext, engine: Engine) {
    for pattern in ["%", "%app%"] {
        let first = median(async || drop(fixture.page(context, pattern, 1, PER_PAGE).await)).await;
        report.note(&format!("page 1 of {pattern}, {}", engine.name()), &millis(first));
        let [near, far] = PAGES;
        let near =
            median(async || drop(fixture.page(context, pattern, near, PER_PAGE).await)).await;
        let far = median(async || drop(fixture.page(context, pattern, far, PER_PAGE).await)).await;
        let what = format!("pages {} and {} of {pattern}, {}", PAGES[0], PAGES[1], engine.name());
        report.note(&what, &format!("p50 {} and {}", millis(near), millis(far)));
        report.ratio("  the one far down × the one near", vec![far / near], Some(PAGES_AIM));
    }
}

async fn tenants(report: &mut Report, fixture: &Fixture, context: &RequestContext, engine: Engine) {
    let query = || Variables::from_value(value!({ "query": { "count": 500 } }));
    let without = median(async || drop(fixture.ask(context, NAMES, query()).await)).await;
    let with = median(async || drop(fixture.ask(context, ROLES, query()).await)).await;
    let what = format!("500 tenants, and with effectiveRoles, {}", engine.name());
    report.note(&what, &format!("p50 {} and {}", millis(without), millis(with)));
    report.ratio("  with × without", vec![with / without], Some(ROLES_AIM));
}

/// The median time of a request, in seconds.
async fn median(request: impl AsyncFn()) -> f64 {
    let mut times = Vec::new();
    let started = Instant::now();
    while times.len() < REQUESTS && (times.len() < 5 || started.elapsed() < PATIENCE) {
        let asked = Instant::now();
        request().await;
        times.push(asked.elapsed().as_secs_f64());
    }
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn millis(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}
