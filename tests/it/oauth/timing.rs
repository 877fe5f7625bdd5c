//! The duration of a refusal does not tell known from unknown clients.

use std::time::Duration;

use tenant_gateway::roles::Role;
use tokio::time::Instant;

use crate::support::{Credentials, TestApp, both_databases};

/// Samples of each kind.
const TRIES: usize = 1000;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

both_databases! {
    /// Alternates between the kinds, so that other load on the machine affects both alike.
    async fn unknown_client_takes_as_long_as_wrong_secret(app: TestApp) {
        let known = app.credentials(app.world.north, Role::Auditor).await;
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let wrong = Credentials { secret: other.secret.clone(), ..known.clone() };
        let unknown = Credentials { client_id: known.client_id.chars().rev().collect(), ..other };
        assert!(app.works(&known).await, "it is cached, like a secret in use");
        let mut times = [Vec::new(), Vec::new()];
        for attempt in 0..TRIES + 100 {
            for (which, credentials) in [&wrong, &unknown].into_iter().enumerate() {
                let began = Instant::now();
                assert!(!app.works(credentials).await);
                if attempt >= 100 {
                    times[which].push(began.elapsed());
                }
            }
        }
        let [wrong, unknown] = times.map(median);
        let ratio = unknown / wrong;
        assert!(
            (0.8..1.25).contains(&ratio),
            "medians: wrong secret {wrong:.6} s, unknown client {unknown:.6} s"
        );
    }
}
