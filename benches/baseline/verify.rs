//! The verification of a token that was verified before.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use tenant_gateway::tokens::{Issuer, KeyRing, Verifier};

use crate::process::cpu;
use crate::report::Report;
use crate::support::{Engine, Fixture};

const AIM_MICROSECONDS: f64 = 5.0;
const ROUNDS: usize = 11;

pub fn run(report: &mut Report) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let fixture = Fixture::with_clients(Engine::Sqlite, 1).await;
        let time = fixture.core.time.clone();
        let entropy = fixture.core.environment.entropy.clone();
        let keys = KeyRing::open(
            fixture.core.rotation(&fixture.config),
            fixture.config.auth.access_cache_ttl,
        )
        .await;
        let keys = Arc::new(keys.expect("a key can be made"));
        let issuer = "http://127.0.0.1:8080".to_owned();
        let audience = "tenant-gateway".to_owned();
        let lifetime = Duration::from_hours(1);
        let issue = Issuer::new(
            keys.clone(),
            time.clone(),
            entropy,
            issuer.clone(),
            audience.clone(),
            lifetime,
        );
        let token = issue.issue(&fixture.administrator).await.expect("there is a key").token;
        let verifier = |capacity| {
            Verifier::new(
                keys.clone(),
                time.clone(),
                Some(issuer.clone()),
                audience.clone(),
                capacity,
            )
        };
        // The first has no cache.
        let cold = verifier(0);
        let cached = verifier(10_000);
        let mut micros = Vec::new();
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let slow = cost(&cold, &token, 5_000).await;
            let fast = cost(&cached, &token, 300_000).await;
            micros.push(fast * 1e6);
            ratios.push(slow / fast);
        }
        report.ratio("a token verified before: CPU, µs", micros, Some(AIM_MICROSECONDS));
        report.ratio("  a token never seen: CPU, × the same", ratios, None);
    });
}

/// The CPU time of one verification, in seconds.
async fn cost(verifier: &Verifier, token: &str, times: u32) -> f64 {
    let before = cpu(std::process::id());
    for _ in 0..times {
        black_box(verifier.verify(black_box(token)).await.expect("it is ours"));
    }
    cpu(std::process::id()).saturating_sub(before).as_secs_f64() / f64::from(times)
}
