//! A fault of one tenant's manager does not affect other tenants.

use std::time::Duration;

use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;

use super::rig::{Rig, ask, see};
use crate::support::{both_databases, eventually};

/// Longer than the test runs.
const HOURS: Duration = Duration::from_hours(2);

both_databases! {
    async fn hanging_manager_delays_only_its_own_tenant(engine: Engine) {
        let rig = Rig::with_settings(
            engine,
            |config| config,
            |config| {
                config.limits.execution = HOURS;
                config.limits.tenant_deadline = HOURS;
                config.upstream.timeout = HOURS;
            },
        )
        .await;
        let north = rig.reader(rig.world.north).await;
        let south = rig.reader(rig.world.south).await;
        let query = "computers { nodes { hostName } }";
        // Mint every key before calls hang.
        see(&north, query).await;
        see(&south, query).await;
        rig.manager.forget_calls();
        let remote = rig.manager.customer("North").id;
        let of_north = || Calls::to("*", "/computers/*").of(remote);
        rig.manager.order_always(
            of_north(),
            Fault::Delay { millis: HOURS.as_millis().try_into().unwrap() },
        );
        // More than the concurrency limit, and all different, so that no call is shared.
        let waiting: Vec<_> = (1..=40)
            .map(|first| {
                let north = north.clone();
                tokio::spawn(async move {
                    ask(&north, &format!("computers(first: {first}) {{ nodes {{ hostName }} }}"))
                        .await
                })
            })
            .collect();
        eventually(30, "calls that hang, as many as may", async || {
            (rig.manager.count(&of_north()) >= 16).then_some(())
        })
        .await;
        for _ in 0..50 {
            let seen = see(&south, query).await;
            assert_eq!(seen["computers"]["nodes"].as_array().unwrap().len(), 5);
        }
        assert!(waiting.iter().all(|query| !query.is_finished()));
        for query in &waiting {
            query.abort();
        }
    }
}
