//! All fourteen methods against the simulator, in every dialect of its documents.

use std::time::Duration;

use tenant_gateway::clock::{Clock, SystemClock};
use tenant_gateway::error::{Error, ErrorCode};
use tenant_gateway::integration_server::client::{CallErrorKind, Client};
use tenant_gateway::integration_server::model::{
    BiosId, MachineKey, NewVirtualMachine, RemoteId, ReportRange, Started, Task, TaskFilter,
    TaskKind, TaskOutcome, TaskState, TenantStatus, VendorCode, WireText,
};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server::{
    self as simulated, Config, Dialect, Simulator, TenantSeed,
};
use tokio::time::{Instant, sleep};

use super::{complete, id, operation};

const NAME: &str = "Büro & <Söhne>; \"A\"";
const BIOS: &str = "345ae5d6-eeb7-4635-884a-01ac1781deeb";

/// A server with two tenants, and a client of it.
async fn installation(dialect: Dialect) -> (Simulator, Client) {
    let first = TenantSeed::complete(NAME)
        .description("retail")
        .user_data("{\"note\":\"a]]>b\"}")
        .machines(3);
    let config = Config::default()
        .dialect(dialect)
        .tenant(first)
        .tenant(TenantSeed::simple("Other").machines(2));
    let simulator = Simulator::start(config).await.unwrap();
    let client = super::client(&simulator.base_url, &simulator.password());
    (simulator, client)
}

/// Waits for the end of a started task; without an id, of the newest task of its kind.
async fn ended(client: &Client, started: Started, kind: TaskKind) -> Task {
    let deadline = Instant::now() + Duration::from_secs(10);
    let task = match started {
        Started::Task(id) => id,
        Started::Unnamed => {
            let filter = TaskFilter { kind: Some(kind), ..TaskFilter::default() };
            let tasks = client.tasks(&operation(), &filter).await.unwrap();
            tasks
                .into_iter()
                .max_by_key(|task| task.created.clone().and_then(|created| created.at()))
                .unwrap()
                .id
        }
    };
    loop {
        let task = client.task(&operation(), &task).await.unwrap();
        if task.state.has_ended() {
            return task;
        }
        assert!(Instant::now() < deadline, "{task:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The id of the tenant that a task created or removed.
fn made(task: &Task) -> RemoteId {
    assert_eq!(task.state, TaskState::Completed, "{task:?}");
    match task.outcome.as_ref() {
        Some(TaskOutcome::Tenant(tenant)) => tenant.id.clone(),
        Some(TaskOutcome::Id(id)) => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tenants_and_machines_are_read_in_every_dialect() {
    for dialect in Dialect::ALL {
        let (simulator, client) = installation(dialect).await;
        let seeded = id(&simulator.tenants[0].id);
        let tenants = client.tenants(&operation()).await.unwrap();
        assert_eq!(tenants.len(), 2, "{}", dialect.name);
        let tenant = client.tenant(&operation(), &seeded).await.unwrap();
        assert!(tenants.contains(&tenant), "{}", dialect.name);
        assert_eq!(
            (tenant.name.as_str(), tenant.description.as_deref()),
            (NAME, Some("retail")),
            "{}",
            dialect.name
        );
        assert_eq!(tenant.user_data.as_deref(), Some("{\"note\":\"a]]>b\"}"), "{}", dialect.name);
        assert_eq!(tenant.status, Some(TenantStatus::Active));
        assert!(tenant.administration_server.is_some() && tenant.created.unwrap().at().is_some());
        assert_eq!(
            client.machines(&operation(), &seeded).await.unwrap().len(),
            3,
            "{}",
            dialect.name
        );
        let unknown = id("3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb");
        for fault in [
            client.tenant(&operation(), &unknown).await.map(drop).unwrap_err(),
            client.machines(&operation(), &unknown).await.map(drop).unwrap_err(),
        ] {
            assert_eq!(fault.kind(), CallErrorKind::TenantNotFound, "{}", dialect.name);
        }
    }
}

#[tokio::test]
async fn machines_come_and_go_in_every_dialect() {
    for dialect in Dialect::ALL {
        let (simulator, client) = installation(dialect).await;
        let tenant = id(&simulator.tenants[0].id);
        let other = id(&simulator.tenants[1].id);
        let bios_id = BiosId::read(BIOS).unwrap();
        let new = NewVirtualMachine {
            bios_id,
            name: Some(WireText::name("name", NAME).unwrap()),
            user_data: None,
        };
        client.register_machine(&operation(), &tenant, &new).await.unwrap();
        let machines = client.machines(&operation(), &tenant).await.unwrap();
        let machine = machines.iter().find(|machine| machine.bios_id == Some(bios_id)).unwrap();
        assert_eq!(machine.name.as_deref(), Some(NAME), "{}", dialect.name);
        let taken = client.register_machine(&operation(), &other, &new).await.unwrap_err();
        assert_eq!(taken.kind(), CallErrorKind::BiosIdTaken, "{}", dialect.name);
        client.unregister_machine(&operation(), &tenant, &MachineKey::Bios(bios_id)).await.unwrap();
        let seeded =
            machines.iter().find(|machine| machine.bios_id != Some(bios_id)).unwrap().id.clone();
        client.unregister_machine(&operation(), &tenant, &MachineKey::Id(seeded)).await.unwrap();
        assert_eq!(client.machines(&operation(), &tenant).await.unwrap().len(), 2);
        let gone = client
            .unregister_machine(&operation(), &tenant, &MachineKey::Bios(bios_id))
            .await
            .unwrap_err();
        assert_eq!(gone.kind(), CallErrorKind::MachineNotFound, "{}", dialect.name);
    }
}

#[tokio::test]
async fn tenant_lives_from_creation_to_removal_in_every_dialect() {
    for dialect in Dialect::ALL {
        let (simulator, client) = installation(dialect).await;
        let started =
            client.create_tenant(&operation(), &complete("Contoso & Söhne")).await.unwrap();
        let new = made(&ended(&client, started, TaskKind::CreateTenant).await);
        let tenant = client.tenant(&operation(), &new).await.unwrap();
        assert_eq!(
            (tenant.name.as_str(), tenant.user_data.as_deref()),
            ("Contoso & Söhne", Some("a]]>b <tenant/> & \r\n"))
        );
        assert_eq!(simulator.administrator_passwords(), ["Good-Pass1"]);
        for started in [
            client.activate_tenant(&operation(), &new).await,
            client.deactivate_tenant(&operation(), &new).await,
        ] {
            let task = ended(&client, started.unwrap(), TaskKind::ChangeTenantActivation).await;
            assert_eq!(task.outcome, Some(TaskOutcome::Confirmed), "{}", dialect.name);
        }
        let started = client.delete_tenant(&operation(), &new, true).await.unwrap();
        assert_eq!(
            made(&ended(&client, started, TaskKind::DeleteTenant).await),
            new,
            "{}",
            dialect.name
        );
        let gone = client.tenant(&operation(), &new).await.unwrap_err();
        assert_eq!(gone.kind(), CallErrorKind::TenantNotFound);
    }
}

#[tokio::test]
async fn failed_task_has_its_vendor_code_in_every_dialect() {
    for dialect in Dialect::ALL {
        let (_simulator, client) = installation(dialect).await;
        let started = client.create_tenant(&operation(), &complete(NAME)).await.unwrap();
        let task = ended(&client, started, TaskKind::CreateTenant).await;
        let Some(TaskOutcome::Error(error)) = task.outcome else { panic!("{}", dialect.name) };
        assert_eq!(
            error.code,
            Some(VendorCode::TenantWithSpecifiedNameAlreadyExists),
            "{}",
            dialect.name
        );
        let ended = client.cancel_task(&operation(), &task.id).await.unwrap_err();
        assert_eq!(ended.kind(), CallErrorKind::TaskEnded, "{}", dialect.name);
        let unknown = client.cancel_task(&operation(), &id(BIOS)).await.unwrap_err();
        assert_eq!(unknown.kind(), CallErrorKind::TaskNotFound, "{}", dialect.name);
    }
}

#[tokio::test]
async fn report_is_made_and_read_in_every_dialect() {
    for dialect in Dialect::ALL {
        let (simulator, client) = installation(dialect).await;
        let tenant = id(&simulator.tenants[0].id);
        let range = ReportRange::new(None, None, SystemClock.now()).unwrap();
        let started = client.create_report(&operation(), &tenant, &range).await.unwrap();
        let report = made(&ended(&client, started, TaskKind::CreateTenantReport).await);
        let own = client.report(&operation(), &report, &tenant).await.unwrap();
        assert!(own.periods.len() >= 3, "{}: {own:?}", dialect.name);
        assert!(
            own.unreadable_lines.is_empty() && own.foreign_lines == 0,
            "{}: {own:?}",
            dialect.name
        );
        assert!(
            own.periods.iter().all(|period| period.protected_from.as_ref().unwrap().at().is_some())
        );
        let other =
            client.report(&operation(), &report, &id(&simulator.tenants[1].id)).await.unwrap();
        assert!(other.periods.is_empty(), "{}", dialect.name);
        let unknown = client.report(&operation(), &id(BIOS), &tenant).await.unwrap_err();
        assert_eq!(unknown.kind(), CallErrorKind::ReportNotFound, "{}", dialect.name);
    }
}

#[tokio::test]
async fn hostile_answers_are_refused_and_nothing_is_fetched() {
    let (simulator, client) = installation(Dialect::DOCUMENTED).await;
    let bait = simulator.bait_url();
    for fault in [
        Fault::XmlBomb,
        Fault::ExternalEntity { url: bait.clone() },
        Fault::DeepNesting { depth: 100_000 },
        Fault::Huge { bytes: 20 * 1024 * 1024 },
        Fault::Html,
        Fault::Rubbish { text: "sorry".into() },
        Fault::UnquotedAttributes,
        Fault::Truncated,
        Fault::Redirect { location: bait },
    ] {
        let name = format!("{fault:?}");
        simulator.order(Calls::to("GET", "/tenants"), fault, 1);
        let refused = client.tenants(&operation()).await.map(drop).unwrap_err();
        assert_eq!(Error::from(refused).code(), ErrorCode::UpstreamMalformed, "{name}");
    }
    assert_eq!(simulator.bait_taken(), 0);
    assert_eq!(client.tenants(&operation()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn write_whose_answer_is_lost_is_not_repeated() {
    for fault in
        [Fault::LoseAnswer, Fault::HalfBody, Fault::Status { status: 500, retry_after: None }]
    {
        let (simulator, client) = installation(Dialect::DOCUMENTED).await;
        simulator.order(Calls::to("POST", "/tenants"), fault, 1);
        let lost = client.create_tenant(&operation(), &complete("Contoso")).await.unwrap_err();
        assert_eq!(lost.kind(), CallErrorKind::OutcomeUnknown);
        assert_eq!(simulator.count(&Calls::to("POST", "/tenants")), 1);
    }
}

/// Every fault after the server has received a request, and whether the request was then certainly
/// refused.
fn faults() -> Vec<(Fault, bool)> {
    let status = |status| Fault::Status { status, retry_after: None };
    let bytes = vec![0xff; 100];
    vec![
        (status(400), true),
        (status(500), false),
        (status(501), true),
        (status(502), false),
        (status(503), false),
        (status(504), false),
        (Fault::Proxy { status: 503 }, false),
        (Fault::Reset, false),
        (Fault::LoseAnswer, false),
        (Fault::HalfBody, false),
        (Fault::Html, false),
        (Fault::Rubbish { text: "<nonsense".into() }, false),
        (Fault::Huge { bytes: 50 * 1024 * 1024 }, false),
        (Fault::DeepNesting { depth: 100_000 }, false),
        (Fault::XmlBomb, false),
        (Fault::Truncated, false),
        (Fault::UnquotedAttributes, false),
        (Fault::Body { status: 200, content_type: "image/png".to_owned(), bytes }, false),
    ]
}

/// The kind of the error, and whether the outcome is unknown.
fn outcome<T>(
    sent: Result<T, tenant_gateway::integration_server::client::CallError>,
) -> Option<(bool, Error)> {
    sent.err().map(|fault| (fault.kind() == CallErrorKind::OutcomeUnknown, fault.into()))
}

#[tokio::test]
async fn faults_never_repeat_writes_or_leak_server_texts() {
    for (fault, refused) in faults() {
        let (simulator, client) = installation(Dialect::DOCUMENTED).await;
        let tenant = id(&simulator.tenants[0].id);
        let other = id(&simulator.tenants[1].id);
        let machine = client.machines(&operation(), &tenant).await.unwrap().remove(0);
        let range = ReportRange::new(None, None, SystemClock.now()).unwrap();
        simulator.order_task(
            simulated::TaskKind::CreateTenantReport,
            simulated::Fate::NeverEnds,
            1,
        );
        let report = client.create_report(&operation(), &tenant, &range).await.unwrap();
        let Started::Task(task) = report else { panic!("a named task") };
        let new = NewVirtualMachine {
            bios_id: BiosId::parse("", BIOS).unwrap(),
            name: None,
            user_data: None,
        };
        for write in 0..8 {
            simulator.forget_calls();
            // A separate client, so that no circuit opens.
            let client = super::client(&simulator.base_url, &simulator.password());
            for method in ["POST", "DELETE"] {
                simulator.order(Calls::to(method, "*"), fault.clone(), 5);
            }
            let operation = operation();
            let sent = match write {
                0 => outcome(client.create_tenant(&operation, &complete("Contoso")).await),
                1 => outcome(client.deactivate_tenant(&operation, &tenant).await),
                2 => outcome(client.activate_tenant(&operation, &tenant).await),
                3 => outcome(client.register_machine(&operation, &tenant, &new).await),
                4 => outcome(
                    client
                        .unregister_machine(
                            &operation,
                            &tenant,
                            &MachineKey::Id(machine.id.clone()),
                        )
                        .await,
                ),
                5 => outcome(client.create_report(&operation, &tenant, &range).await),
                6 => outcome(client.cancel_task(&operation, &task).await),
                _ => outcome(client.delete_tenant(&operation, &other, true).await),
            };
            simulator.clear_orders();
            let what = format!("{write} {fault:.40?}");
            assert_eq!(simulator.count(&Calls::to("*", "*")), 1, "{what}");
            let Some((unknown, error)) = sent else { continue };
            assert_eq!(unknown, !refused, "{what}: {error:?}");
            assert_eq!(error.is_outcome_unknown(), unknown, "{what}");
            for mark in ["internal", "NullReference", "html", "nonsense", "127.0.0.1"] {
                assert!(!error.message().contains(mark), "{what}: {}", error.message());
            }
        }
    }
}

#[tokio::test]
async fn wrong_password_of_installation_is_unauthorized() {
    for dialect in Dialect::ALL {
        let (simulator, client) = installation(dialect).await;
        simulator.set_password("another");
        let refused = client.tenants(&operation()).await.unwrap_err();
        assert_eq!(refused.kind(), CallErrorKind::Unauthorized, "{}", dialect.name);
    }
}
