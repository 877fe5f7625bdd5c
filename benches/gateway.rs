//! Durations of the expensive paths: `cargo bench --bench gateway`. Compare them only with runs on
//! the same machine.

#[allow(dead_code, reason = "each benchmark uses its part")]
mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use support::{Engine, Fixture};
use tenant_gateway::config::TokenAlgorithm;
use tenant_gateway::tokens::{Issuer, KeyRing, Verifier};
use tokio::runtime::Runtime;

const ISSUER: &str = "http://127.0.0.1:8080";
const AUDIENCE: &str = "tenant-gateway";
const HOUR: Duration = Duration::from_hours(1);
const ALGORITHMS: [(TokenAlgorithm, &str); 3] = [
    (TokenAlgorithm::EdDsa, "EdDSA"),
    (TokenAlgorithm::Es256, "ES256"),
    (TokenAlgorithm::Rs256, "RS256"),
];

fn tokens(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let fixture = runtime.block_on(Fixture::with_clients(Engine::Sqlite, 1));
    let time = fixture.core.time.clone();
    let entropy = fixture.core.environment.entropy.clone();
    for (algorithm, name) in ALGORITHMS {
        let mut config = fixture.config.clone();
        config.tokens.algorithm = algorithm;
        let keys = KeyRing::open(fixture.core.rotation(&config), config.auth.access_cache_ttl);
        let keys = Arc::new(runtime.block_on(keys).expect("a key can be made"));
        let issuer = ISSUER.to_owned();
        let audience = AUDIENCE.to_owned();
        let issue =
            Issuer::new(keys.clone(), time.clone(), entropy.clone(), issuer, audience, HOUR);
        criterion.bench_function(&format!("token/issue/{name}"), |bencher| {
            let issue = async || {
                issue.issue(black_box(&fixture.administrator)).await.expect("there is a key")
            };
            bencher.to_async(&runtime).iter(issue);
        });
        let token =
            runtime.block_on(issue.issue(&fixture.administrator)).expect("there is a key").token;
        let verifier = |capacity| {
            Verifier::new(
                keys.clone(),
                time.clone(),
                Some(ISSUER.to_owned()),
                AUDIENCE.to_owned(),
                capacity,
            )
        };
        // Without a cache.
        let cold = verifier(0);
        criterion.bench_function(&format!("token/verify/cold/{name}"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(async || cold.verify(black_box(&token)).await.expect("it is ours"));
        });
        let cached = verifier(10_000);
        criterion.bench_function(&format!("token/verify/cached/{name}"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(async || cached.verify(black_box(&token)).await.expect("it is ours"));
        });
    }
}

fn clients(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    for engine in Engine::ALL {
        let fixture = runtime.block_on(Fixture::with_clients(engine, 100_000));
        let context = runtime.block_on(fixture.context(false));
        let mut search = |what: &str, pattern: &str, per_page: i32| {
            criterion.bench_function(&format!("clients/{}/{what}", engine.name()), |bencher| {
                bencher
                    .to_async(&runtime)
                    .iter(async || fixture.search(&context, black_box(pattern), per_page).await);
            });
        };
        // About 150 of the 100,000 names contain these three characters.
        search("name %abc% of 100,000", "%abc%", 50);
        search("page of 100", "%", 100);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = tokens, clients
}
criterion_main!(benches);
