//! Leases on tasks follow the database's clock, whatever the clocks of the nodes say.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::clock::ManualClock;
use tenant_gateway::ids::UpstreamId;
use tenant_gateway::integration_server::tasks::model::{Intent, NewTask, Purpose};
use tenant_gateway::integration_server::tasks::{self, TaskFigures};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::integration_server::{Fate, TaskKind};

use super::{House, begin, ended, only};
use crate::support::{both_databases, eventually};

/// The environment of another node whose clock runs two minutes ahead.
async fn ahead(house: &House) -> Core {
    let clock = Arc::new(ManualClock::at(house.app.now().plus(Duration::from_mins(2))));
    let environment = Environment { clock, ..house.app.environment() };
    Core::open(&house.app.database.config(), environment).await.unwrap()
}

fn report(upstream: &Value, remote: &str) -> NewTask {
    NewTask {
        upstream: UpstreamId(upstream.as_str().unwrap().parse().unwrap()),
        purpose: Purpose::Report,
        remote_tenant: Some(remote.to_owned()),
        link: None,
        intent: Intent::default(),
    }
}

both_databases! {
    async fn task_is_counted_by_its_state_until_it_ends(house: House) {
        let database = house.app.operator.database.clone();
        let figures = async || tasks::figures(&database).await.unwrap();
        let done = begin(&house.north, "deactivateIntegrationServerTenant").await;
        ended(&house.north, &only(done)["id"]).await;
        assert_eq!(figures().await, TaskFigures::default());
        house.server.order_task(TaskKind::ChangeTenantActivation, Fate::NeverEnds, 1);
        begin(&house.south, "deactivateIntegrationServerTenant").await.data();
        assert_eq!(figures().await, TaskFigures { known: 1, ..TaskFigures::default() });
    }

    async fn node_with_clock_ahead_takes_over_no_task(house: House) {
        house.server.order_task(TaskKind::ChangeTenantActivation, Fate::NeverEnds, 1);
        begin(&house.north, "deactivateIntegrationServerTenant").await.data();
        let core = ahead(&house).await;
        for _ in 0..20 {
            assert!(core.integration_server.tasks().claim_available().await.unwrap().is_empty());
        }
    }

    async fn task_of_dead_node_with_clock_ahead_is_taken_over_soon(house: House) {
        let core = ahead(&house).await;
        let north = house.server.tenant("North").id.clone();
        let new = report(&house.upstream, &north);
        drop(
            core.integration_server
                .tasks()
                .begin(&core.operator(house.app.world.north), new)
                .await
                .unwrap(),
        );
        drop(core);
        let looks = Calls::to("GET", "/tasks");
        eventually(15, "the poll of the other node", async || {
            (house.server.count(&looks) > 0).then_some(())
        })
        .await;
    }
}
