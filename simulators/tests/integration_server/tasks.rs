use std::time::Duration;

use tenant_gateway_simulators::integration_server::{
    Config, Dialect, Fate, Simulator, TaskKind, TaskTiming,
};

use crate::support::*;

async fn state(client: &Client, task: &str) -> String {
    text(&client.read(&format!("/tasks/{task}")).await, "state")
}

/// A simulator with the given order, and a task that creates a Complete tenant in it.
async fn creating(config: Config, fate: Option<Fate>) -> (Simulator, Client, String) {
    let simulator = start(config).await;
    if let Some(fate) = fate {
        simulator.order_task(TaskKind::CreateTenant, fate, 1);
    }
    let client = Client::new(&simulator);
    let task = client.start("POST", "/tenants", COMPLETE).await;
    (simulator, client, task)
}

async fn cancel(client: &Client, task: &str) -> u16 {
    client.post(&format!("/tasks/{task}/cancel"), "").await.0
}

#[tokio::test]
async fn task_goes_through_its_states_by_the_clock() {
    let (simulator, client, task) = creating(config(), None).await;
    let mut seen = Vec::new();
    let mut progress = Vec::new();
    while seen.last().is_none_or(|state| state != "Completed") {
        let task = client.read(&format!("/tasks/{task}")).await;
        seen.push(text(&task, "state"));
        progress.push(text(&task, "progress").parse::<u8>().unwrap());
        assert_eq!(has(&task, "stage"), seen.len() > 3);
        simulator.advance(STEP);
    }
    assert_eq!(
        seen,
        [
            "Created",
            "Queued",
            "Starting",
            "Running",
            "Running",
            "Running",
            "Running",
            "Running",
            "Running",
            "Completed"
        ]
    );
    assert_eq!(progress, [0, 0, 0, 0, 17, 33, 50, 67, 83, 100]);
    assert_eq!(simulator.polls(&task), 10);
}

#[tokio::test]
async fn dates_of_a_task_tell_when_it_changed() {
    let (simulator, client, task) = creating(config(), None).await;
    simulator.advance(STEP * 5);
    let task = client.read(&format!("/tasks/{task}")).await;
    let dates = ["created", "stateChanged", "changed"].map(|name| attribute(&task, name));
    assert_eq!(
        dates,
        ["2024-03-01T09:15:00", "2024-03-01T09:15:30", "2024-03-01T09:15:50"].map(str::to_owned)
    );
}

#[tokio::test]
async fn progress_moves_within_a_stage() {
    let dialect = Dialect {
        progress: tenant_gateway_simulators::integration_server::Progress::Fraction,
        ..Dialect::DOCUMENTED
    };
    let (simulator, client, task) = creating(config().dialect(dialect), None).await;
    simulator.advance(STEP * 5 + STEP / 2);
    assert_eq!(text(&client.read(&format!("/tasks/{task}")).await, "progress"), "41.7");
}

#[tokio::test]
async fn task_in_real_time_ends_by_itself() {
    let config = Config::default().task_timing(TaskTiming::of(Duration::from_millis(2)));
    let (simulator, client, task) = creating(config, None).await;
    while state(&client, &task).await != "Completed" {
        assert!(simulator.polls(&task) < 10_000);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(simulator.found_tenant("Northwind & Söhne").is_some());
}

#[tokio::test]
async fn unknown_task_is_not_found() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    assert_eq!(client.get("/tasks/nothing").await.0, 404);
    assert_eq!(cancel(&client, "nothing").await, 404);
}

#[tokio::test]
async fn waiting_task_is_canceled_at_once() {
    let (simulator, client, task) = creating(config(), None).await;
    assert_eq!(cancel(&client, &task).await, 200);
    let shown = client.read(&format!("/tasks/{task}")).await;
    assert_eq!(
        (text(&shown, "state").as_str(), has(&shown, "error"), has(&shown, "result")),
        ("Canceled", true, false)
    );
    assert_eq!(cancel(&client, &task).await, 409);
    simulator.advance(LONG);
    assert!(simulator.found_tenant("Northwind & Söhne").is_none());
}

#[tokio::test]
async fn running_task_stops_first_and_may_undo_what_it_did() {
    for cancel_undoes in [true, false] {
        let dialect = Dialect { cancel_undoes, ..Dialect::DOCUMENTED };
        let (simulator, client, task) = creating(config().dialect(dialect), None).await;
        simulator.advance(STEP * 7);
        assert_eq!(cancel(&client, &task).await, 202);
        assert_eq!(state(&client, &task).await, "Stopping");
        assert_eq!(cancel(&client, &task).await, 202);
        simulator.advance(STEP);
        assert_eq!(state(&client, &task).await, "Canceled");
        assert_eq!(simulator.administrators().len(), if cancel_undoes { 1 } else { 2 });
        assert_eq!(names(&client.read("/tenants").await).len(), if cancel_undoes { 2 } else { 3 });
    }
}

#[tokio::test]
async fn ended_task_cannot_be_canceled() {
    for fate in [None, Some(Fate::fails("KSC_ServiceNotConfigured")), Some(Fate::Ended)] {
        let (simulator, client, task) = creating(config(), fate).await;
        simulator.advance(LONG);
        assert!(simulator.found_tasks()[0].has_ended());
        assert_eq!(cancel(&client, &task).await, 409);
    }
}

#[tokio::test]
async fn child_task_continues_when_its_parent_is_canceled() {
    let (simulator, client, task) = creating(config(), Some(Fate::Child)).await;
    assert_eq!(cancel(&client, &task).await, 405);
    simulator.advance(LONG);
    assert_eq!(state(&client, &task).await, "Completed");
}

#[tokio::test]
async fn task_that_never_ends_can_be_canceled() {
    let (simulator, client, task) = creating(config(), Some(Fate::NeverEnds)).await;
    simulator.advance(LONG * 1000);
    assert_eq!(state(&client, &task).await, "Running");
    assert_eq!(cancel(&client, &task).await, 202);
    simulator.advance(STEP);
    assert_eq!(state(&client, &task).await, "Canceled");
}

#[tokio::test]
async fn task_may_complete_after_a_cancel() {
    let (simulator, client, task) = creating(config(), Some(Fate::OutrunsCancel)).await;
    assert_eq!(cancel(&client, &task).await, 202);
    simulator.advance(STEP);
    assert_eq!(state(&client, &task).await, "Completed");
    assert!(simulator.found_tenant("Northwind & Söhne").unwrap().administrator.is_some());
}

#[tokio::test]
async fn system_may_end_a_task_and_keep_its_work() {
    let simulator = simulator().await;
    simulator.order_task(TaskKind::CreateTenant, Fate::Ended, 1);
    let (state, error) =
        Client::new(&simulator).outcome(&simulator, "POST", "/tenants", SIMPLE).await;
    assert_eq!((state.as_str(), error.is_empty()), ("Canceled", false));
    assert!(simulator.found_tenant("Labs").is_some());
}

#[tokio::test]
async fn state_may_have_an_undocumented_name() {
    let (simulator, client, task) =
        creating(config(), Some(Fate::InState { name: "Paused".to_owned() })).await;
    simulator.advance(STEP * 4);
    assert_eq!(state(&client, &task).await, "Paused");
    assert_eq!(simulator.found_tasks()[0].state, "Running");
}

#[tokio::test]
async fn list_is_filtered_by_time_state_and_type() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let stranger = simulator.add_task("DeployScanServer");
    simulator.advance(LONG);
    let made = client.start("POST", "/tenants", SIMPLE).await;
    let list = async |query: &str| ids(&client.read(&format!("/tasks{query}")).await);
    assert_eq!(list("").await, [stranger.clone(), made.clone()]);
    assert_eq!(list("?type=CreateTenant").await, std::slice::from_ref(&made));
    assert_eq!(list("?state=Completed").await, [stranger]);
    assert_eq!(
        list("?createdFrom=2024-03-01T10:15:00&state=Created&type=CreateTenant").await,
        [made]
    );
    assert!(list("?createdFrom=2024-03-01T10:15:01").await.is_empty());
    assert!(list("?state=Unheard").await.is_empty());
    assert_eq!(client.get("/tasks?createdFrom=yesterday").await.0, 400);
}

#[tokio::test]
async fn ended_tasks_may_be_forgotten() {
    let (simulator, client, task) =
        creating(Config { tasks_kept: Some(LONG), ..config() }, None).await;
    simulator.advance(STEP * 9);
    assert_eq!(state(&client, &task).await, "Completed");
    simulator.advance(LONG);
    assert_eq!(client.get(&format!("/tasks/{task}")).await.0, 404);
}
