//! Tasks of the reference, section 9.

use super::xml;
use crate::integration_server::model::{Task, TaskKind, TaskOutcome, TaskState, VendorCode};

fn task(result_or_error: &str) -> Task {
    xml(&format!("<task id='t'><state>Completed</state>{result_or_error}</task>")).task().unwrap()
}

#[test]
fn running_task_has_no_outcome() {
    let running = r#"<task id="t" created="2024-03-01T09:15:00" stateChanged="2024-03-01T09:15:01" changed="2024-03-01T09:15:04"><state> Running </state><type>CreateTenant</type><stage>Creating folder</stage><progress>41.5</progress><result/><error/></task>"#;
    let task = xml(running).task().unwrap();
    assert_eq!(
        (task.state, task.kind, task.progress),
        (TaskState::Running, Some(TaskKind::CreateTenant), Some(41))
    );
    assert_eq!((task.stage.as_deref(), task.outcome), (Some("Creating folder"), None));
    let date = |date: Option<crate::integration_server::model::Moment>| {
        date.unwrap().at().unwrap().to_string()
    };
    assert_eq!(date(task.created), "2024-03-01T09:15:00.000Z");
    assert_eq!(date(task.state_changed), "2024-03-01T09:15:01.000Z");
    assert_eq!(date(task.changed), "2024-03-01T09:15:04.000Z");
}

#[test]
fn words_that_nobody_knows_are_cut() {
    let long = "x".repeat(1000);
    let found = xml(&format!("<task id='t'><state>{long}</state><type>{long}</type></task>"))
        .task()
        .unwrap();
    let cut = "x".repeat(100);
    assert_eq!(
        (found.state, found.kind),
        (TaskState::Unknown(cut.clone()), Some(TaskKind::Other(cut.clone())))
    );
    let found =
        xml(&format!("<tenant id='t'><status>{long}</status><type>é{long}</type></tenant>"))
            .tenant()
            .unwrap();
    assert_eq!(found.status.unwrap().as_str(), cut);
    assert_eq!(found.kind.unwrap().as_str(), format!("é{}", &cut[1..]));
}

#[test]
fn tenant_in_a_result_is_found_in_every_wrapping() {
    let inside = r#"<task id="t"><state>Completed</state><result><tenant id="3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb" created="2024-03-01T09:15:02"><name>A &amp; B</name></tenant></result></task>"#;
    let escaped = r#"<task id="t"><state>Completed</state><type>DeleteTenant</type><result>&lt;tenant id="3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb"&gt;&lt;name&gt;A &amp;amp; B&lt;/name&gt;&lt;/tenant&gt;</result></task>"#;
    let cdata = r#"<task id="t"><state>Completed</state><result> <![CDATA[<?xml version="1.0" encoding="utf-16"?><tenant id="3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb"><name>A &amp; B</name></tenant>]]> </result></task>"#;
    let deeper = r#"<task id="t"><state>Completed</state><result><value><tenant id="3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb"><name>A &amp; B</name></tenant></value></result></task>"#;
    for document in [inside, escaped, cdata, deeper] {
        let Some(TaskOutcome::Tenant(tenant)) = xml(document).task().unwrap().outcome else {
            panic!("{document}")
        };
        assert_eq!(
            (tenant.id.as_str(), tenant.name.as_str()),
            ("3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb", "A & B")
        );
    }
}

#[test]
fn other_results_are_identifiers_confirmations_or_nothing() {
    let id = "3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb";
    for wrapped in
        [format!("<result> {id}\n</result>"), format!("<result>\n<id>{id}</id></result>")]
    {
        assert!(
            matches!(task(&wrapped).outcome, Some(TaskOutcome::Id(found)) if found.as_str() == id)
        );
    }
    assert_eq!(task("<result> True </result>").outcome, Some(TaskOutcome::Confirmed));
    assert_eq!(task("<result> \n <!-- --></result>").outcome, None);
    for odd in ["<result>&lt;tenant</result>", "<result>a/b</result>", "<result><tenant/></result>"]
    {
        assert_eq!(task(odd).outcome, Some(TaskOutcome::Unreadable), "{odd}");
    }
    let bomb = "<result>&lt;!DOCTYPE a [&lt;!ENTITY x 'y'>]>&lt;tenant id='1'>&amp;x;&lt;/tenant></result>";
    assert_eq!(task(bomb).outcome, Some(TaskOutcome::Unreadable));
}

#[test]
fn codes_of_failed_tasks_are_found_wherever_they_stand() {
    let tasks = r#"<tasks>
  <task id="1"><state>Failed</state><type>CreateTenant</type><error>VIRMT_PasswordNotComplyPolicy: too simple</error></task>
  <task id="2"><state>Failed</state><type>CreateTenant</type><error><code>KSC_ServiceNotConfigured</code><message>no connection</message></error></task>
  <task id="3"><state>Failed</state><type>DeleteTenant</type><error code="VIRMT_TenantWithSpecifiedIdNotFound"/></task>
  <task id="4"><state>Cancelled</state><type>CreateTenantReport</type><progress>37%</progress><error>canceled by user</error></task>
</tasks>"#;
    let tasks = xml(tasks).tasks().unwrap();
    let errors: Vec<_> = tasks
        .iter()
        .map(|task| match &task.outcome {
            Some(TaskOutcome::Error(error)) => (error.code.clone(), error.message.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        errors,
        [
            (
                Some(VendorCode::PasswordNotComplyPolicy),
                "VIRMT_PasswordNotComplyPolicy: too simple"
            ),
            (Some(VendorCode::ServiceNotConfigured), "KSC_ServiceNotConfigured no connection"),
            (
                Some(VendorCode::TenantWithSpecifiedIdNotFound),
                "VIRMT_TenantWithSpecifiedIdNotFound"
            ),
            (None, "canceled by user"),
        ]
    );
    assert_eq!((&tasks[3].state, tasks[3].progress), (&TaskState::Canceled, Some(37)));
}

#[test]
fn nil_error_is_ignored_and_error_takes_precedence_over_result() {
    let nil = "<error xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/><result>true</result>";
    assert_eq!(task(nil).outcome, Some(TaskOutcome::Confirmed));
    assert!(matches!(
        task("<result>true</result><error>no</error>").outcome,
        Some(TaskOutcome::Error(_))
    ));
}

#[test]
fn unknown_state_is_kept_but_missing_state_is_malformed() {
    let paused = "<task id='1'><state>Paused</state></task>";
    let tasks = |more: &str| xml(&format!("<x>{paused}{more}</x>")).tasks();
    assert_eq!(tasks("").unwrap()[0].state, TaskState::Unknown("Paused".into()));
    for unusable in ["<task id='2'/>", "<task><state>Failed</state></task>"] {
        assert!(tasks(unusable).is_err(), "{unusable}");
    }
}

#[test]
fn long_server_texts_are_cut() {
    let words = "é".repeat(100_000);
    let task =
        task(&format!("<stage>{words}</stage><error>{words} VIRMT_InvalidTenantType</error>"));
    assert_eq!(task.stage.unwrap().chars().count(), 500);
    let Some(TaskOutcome::Error(error)) = task.outcome else { panic!("an error") };
    assert_eq!(
        (error.message.chars().count(), error.code),
        (500, Some(VendorCode::InvalidTenantType))
    );
}
