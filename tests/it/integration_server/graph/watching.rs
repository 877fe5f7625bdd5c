use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::app::Core;
use tenant_gateway::budget::Account;
use tenant_gateway_simulators::integration_server::{Fate, TaskKind, TaskTiming};

use super::{House, TASK, begin, ended, only, settings, task as find};
use crate::support::{Caller, both_databases, eventually};

/// The events of a subscription over SSE, up to its `complete`.
pub async fn watch(caller: &Caller, tenant: &str, id: &Value) -> Vec<Value> {
    let document = format!("subscription($id: ID!) {{ integrationServerTask(id: $id) {TASK} }}");
    let request =
        caller.gateway.graphql(&document, &json!({ "id": id })).bearer_auth(&caller.token);
    let request = request.header("accept", "text/event-stream").header("X-Tenant-Context", tenant);
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("event: complete"), "{text}");
    let data = text
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(str::trim)
        .filter(|data| !data.is_empty());
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

pub fn states(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["data"]["integrationServerTask"]["state"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn subscriber_sees_every_change_and_the_last_state_again(engine: Engine) {
        let house = House::with(engine, House::slow).await;
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let events = watch(&house.partner, &house.app.world.north.to_string(), &task["id"]).await;
        let seen = states(&events);
        assert_eq!(seen[seen.len() - 2..], ["COMPLETED", "COMPLETED"]);
        assert!(seen.contains(&"RUNNING"), "{seen:?}");
        let last = &events[events.len() - 1]["data"]["integrationServerTask"];
        assert_eq!(
            last["result"],
            json!({ "__typename": "IntegrationServerConfirmation", "confirmed": true })
        );
        // A later subscriber gets the current state at once.
        let again = watch(&house.partner, &house.app.world.north.to_string(), &task["id"]).await;
        assert_eq!(states(&again), ["COMPLETED", "COMPLETED"]);
    }

    async fn many_subscribers_cost_one_poll_and_each_sees_every_change(engine: Engine) {
        let task_timing = TaskTiming::of(Duration::from_millis(400));
        let house = House::with(engine, |config| config.task_timing(task_timing)).await;
        let tenant = house.app.world.north.to_string();
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let id = task["remoteID"].as_str().unwrap().to_owned();
        let watchers = (0..500).map(|_| {
            let caller = house.partner.clone();
            let tenant = tenant.clone();
            let id = task["id"].clone();
            tokio::spawn(async move { watch(&caller, &tenant, &id).await })
        });
        let mut all = Vec::new();
        for watcher in watchers.collect::<Vec<_>>() {
            all.push(watcher.await.unwrap());
        }
        // The later subscriber has seen the end of the first one's events.
        let longest = all.iter().max_by_key(|events| events.len()).unwrap().clone();
        for events in &all {
            assert_eq!(longest[longest.len() - events.len()..], events[..]);
        }
        assert_eq!(house.server.peak().requests, 1, "one poll at a time");
        let lasted = 400 * 6;
        assert!(house.server.polls(&id) < lasted / 20 + 10, "{} polls", house.server.polls(&id));
    }

    async fn subscriber_on_another_node_sees_the_changes(engine: Engine) {
        let house = House::with(engine, House::slow).await;
        let other = house.app.another_node_with(settings).await;
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let caller = house.partner.at(&other.gateway);
        let events = watch(&caller, &house.app.world.north.to_string(), &task["id"]).await;
        assert_eq!(states(&events)[states(&events).len() - 2..], ["COMPLETED", "COMPLETED"]);
        let lone = events
            .iter()
            .filter(|event| event["data"]["integrationServerTask"]["state"] == "COMPLETED")
            .count();
        assert_eq!(lone, 2);
    }

    async fn task_is_followed_to_its_end_when_nobody_watches(engine: Engine) {
        let house = House::with(engine, House::slow).await;
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let id = task["remoteID"].as_str().unwrap().to_owned();
        eventually(20, "the end at the server", async || {
            house.server.found_tasks().iter().any(|found| found.has_ended()).then_some(())
        })
        .await;
        assert_eq!(ended(&house.north, &task["id"]).await["state"], "COMPLETED");
        let polls = house.server.polls(&id);
        // No longer polled.
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await.ok();
        assert_eq!(house.server.polls(&id), polls);
    }

    async fn event_waits_for_the_permit_of_an_operation(house: House) {
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let pool = &house.app.budgets.operations;
        let nobody = Account::alone(uuid::Uuid::nil());
        let everything = pool.figures().limit;
        let all =
            eventually(10, "all permits", async || pool.try_take_unshared(nobody, everything).ok())
                .await;
        let watching = {
            let caller = house.partner.clone();
            let tenant = house.app.world.north.to_string();
            let id = task["id"].clone();
            tokio::spawn(async move { watch(&caller, &tenant, &id).await })
        };
        eventually(10, "an event that waits", async || (pool.figures().waiting > 0).then_some(()))
            .await;
        assert!(!watching.is_finished());
        drop(all);
        let events = watching.await.unwrap();
        assert_eq!(states(&events)[states(&events).len() - 2..], ["COMPLETED", "COMPLETED"]);
        eventually(10, "the permits again", async || (pool.figures().in_use == 0).then_some(()))
            .await;
    }

    async fn event_over_budget_is_refused_and_stream_continues(engine: Engine) {
        let patient = |config: &mut tenant_gateway::config::Config| {
            config.budget.patience = Duration::from_millis(50);
        };
        let house = House::with_settings(engine, House::slow, patient).await;
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let pool = &house.app.budgets.operations;
        let nobody = Account::alone(uuid::Uuid::nil());
        let everything = pool.figures().limit;
        let all =
            eventually(10, "all permits", async || pool.try_take_unshared(nobody, everything).ok())
                .await;
        let refused = pool.figures().refused;
        let watching = {
            let caller = house.partner.clone();
            let tenant = house.app.world.north.to_string();
            let id = task["id"].clone();
            tokio::spawn(async move { watch(&caller, &tenant, &id).await })
        };
        eventually(10, "an event that is refused", async || {
            (pool.figures().refused > refused).then_some(())
        })
        .await;
        drop(all);
        let events = watching.await.unwrap();
        assert_eq!(events[0]["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{events:?}");
        assert_eq!(events[events.len() - 1]["data"]["integrationServerTask"]["state"], "COMPLETED");
    }

    async fn foreign_task_cannot_be_watched(house: House) {
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let document = "subscription($id: ID!) { integrationServerTask(id: $id) { id } }";
        for id in [task["id"].clone(), json!("78fce85d-2c37-4118-93d4-f844f23be6fd")] {
            let request =
                house.app.graphql(document, &json!({ "id": id })).bearer_auth(&house.partner.token);
            let request = request
                .header("accept", "text/event-stream")
                .header("X-Tenant-Context", house.app.world.south.to_string());
            let text = request.send().await.unwrap().text().await.unwrap();
            assert!(text.contains("\"NOT_FOUND\"") && text.contains("no such task"), "{text}");
        }
    }

    async fn task_is_left_as_it_is_at_the_deadline(house: House) {
        house.server.order_task(TaskKind::ChangeTenantActivation, Fate::NeverEnds, 1);
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        house.app.advance(24 * 60 * 60 + 1);
        let partner = house.partner.again().await;
        let events = watch(&partner, &house.app.world.north.to_string(), &task["id"]).await;
        let seen = states(&events);
        assert!(seen.len() >= 2 && seen[seen.len() - 1] == seen[seen.len() - 2], "{seen:?}");
        assert!(!["COMPLETED", "FAILED", "CANCELED"].contains(&seen[seen.len() - 1]), "{seen:?}");
    }

    async fn histories_and_tasks_are_forgotten_in_time(house: House) {
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        ended(&house.north, &task["id"]).await;
        let config = house.app.database.config();
        let environment = house.app.environment();
        let tasks =
            Core::open(&config, environment).await.unwrap().integration_server.tasks().clone();
        house.app.advance(25 * 60 * 60);
        tasks.delete_expired().await.unwrap();
        let partner = house.partner.again().await;
        let events = watch(&partner, &house.app.world.north.to_string(), &task["id"]).await;
        assert_eq!(states(&events), ["COMPLETED", "COMPLETED"]);
        house.app.advance(90 * 24 * 60 * 60);
        tasks.delete_expired().await.unwrap();
        let north = partner.again().await.within(house.app.world.north);
        assert_eq!(find(&north, &task["id"]).await.code(), "NOT_FOUND");
    }
}
