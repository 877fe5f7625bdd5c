//! The median time of a search by name among a million clients, compared with a thousand.

use std::time::{Duration, Instant};

use tenant_gateway::auth::RequestContext;
use tokio::runtime::Runtime;

use crate::report::Report;
use crate::support::{Engine, Fixture};

const AIM: f64 = 20.0;
const SMALL: u32 = 1_000;
const LARGE: u32 = 1_000_000;
/// The number of searches for a pattern, unless the time limit below is reached.
const SEARCHES: usize = 101;
const PATIENCE: Duration = Duration::from_secs(8);

/// The patterns, and the number of their matches.
const PATTERNS: [(&str, &str); 5] = [
    ("%needle%", "5 clients in both"),
    ("%abc%", "1 client in 700"),
    ("app-%abc%", "1 client in 700, and a start that all have"),
    ("%docs%", "1 client in 10"),
    ("%app%", "all clients"),
];

pub fn run(report: &mut Report) {
    let runtime = Runtime::new().expect("a runtime");
    for engine in Engine::ALL {
        let started = Instant::now();
        let small = runtime.block_on(Fixture::with_clients(engine, SMALL));
        let large = runtime.block_on(Fixture::with_clients(engine, LARGE));
        report.note(
            &format!("{}: filled, s", engine.name()),
            &started.elapsed().as_secs().to_string(),
        );
        for (customer, whose) in [(false, "of the partner"), (true, "of one of its 100 customers")]
        {
            let contexts = runtime
                .block_on(async { (small.context(customer).await, large.context(customer).await) });
            for (pattern, matches) in PATTERNS {
                let halves =
                    runtime.block_on(halves((&small, &contexts.0), (&large, &contexts.1), pattern));
                let what = format!("search {pattern} ({matches}) {whose}, {}", engine.name());
                report.note(
                    &what,
                    &format!("p50 {:.2} and {:.2} ms", halves.0 * 1e3, halves.1 * 1e3),
                );
                report.ratio("  1,000,000 × 1,000", vec![halves.1 / halves.0], Some(AIM));
            }
        }
    }
}

async fn halves(
    small: (&Fixture, &RequestContext),
    large: (&Fixture, &RequestContext),
    pattern: &str,
) -> (f64, f64) {
    let mut quick = Vec::new();
    let mut slow = Vec::new();
    let started = Instant::now();
    while quick.len() < SEARCHES && (quick.len() < 5 || started.elapsed() < PATIENCE) {
        for ((fixture, context), times) in [(small, &mut quick), (large, &mut slow)] {
            let asked = Instant::now();
            fixture.search(context, pattern, 50).await;
            times.push(asked.elapsed().as_secs_f64());
        }
    }
    for times in [&mut quick, &mut slow] {
        times.sort_unstable_by(f64::total_cmp);
    }
    (quick[quick.len() / 2], slow[slow.len() / 2])
}
