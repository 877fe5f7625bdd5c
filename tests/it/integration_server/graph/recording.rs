//! Audit records of changes at the server: when they begin and how they end.

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server::{Fate, TaskKind};

use super::{House, begin, ended, only};
use crate::support::{Answer, both_databases, eventually};

const BIOS_ID: &str = "345ae5d6-eeb7-4635-884a-01ac1781deeb";

/// Outcome, code, reason and subject of the records of an operation, oldest first.
async fn told(house: &House, operation: &str) -> Vec<[Value; 4]> {
    let document = "query($operation: String) { auditLog(operation: $operation) {
        nodes { outcome code reason subject requestID } } }";
    let log =
        house.partner.ask(document, json!({ "operation": operation })).await.field("auditLog");
    let told =
        |node: &Value| ["outcome", "code", "reason", "subject"].map(|name| node[name].clone());
    log["nodes"].as_array().unwrap().iter().rev().map(told).collect()
}

/// The same, as soon as there are that many.
async fn told_of(house: &House, operation: &str, many: usize) -> Vec<[Value; 4]> {
    eventually(20, "the records", async || {
        Some(told(house, operation).await).filter(|told| told.len() == many)
    })
    .await
}

async fn register(house: &House) -> Answer {
    let input = json!({ "biosID": BIOS_ID, "name": "web-99" });
    let document = "mutation($input: RegisterVirtualMachineInput!) { registerVirtualMachine(input: \
        $input) { id remoteID } }";
    house.north.ask(document, json!({ "input": input })).await
}

fn records(subject: &Value, outcomes: &[(&str, Option<&str>, Option<&str>)]) -> Vec<[Value; 4]> {
    let record = |(outcome, code, reason): &(&str, Option<&str>, Option<&str>)| {
        [json!(outcome), json!(code), json!(reason), subject.clone()]
    };
    outcomes.iter().map(record).collect()
}

both_databases! {
    async fn machine_registration_is_recorded_when_it_begins_and_ends(house: House) {
        let machine = register(&house).await.field("registerVirtualMachine");
        let bios = json!(BIOS_ID);
        let succeeded = [("BEGUN", None, None), ("SUCCEEDED", None, None)];
        assert_eq!(told(&house, "registerVirtualMachine").await, records(&bios, &succeeded));
        let unregister = "mutation($id: ID) { unregisterVirtualMachine(id: $id) { id } }";
        house.north.ask(unregister, json!({ "id": machine["id"] })).await.data();
        assert_eq!(
            told(&house, "unregisterVirtualMachine").await,
            records(&machine["remoteID"], &succeeded)
        );
    }

    async fn machine_that_is_refused_is_recorded_once_as_refused(house: House) {
        house.server.order(
            Calls::to("POST", "/tenants/*/vms/register"),
            Fault::Status { status: 400, retry_after: None },
            1,
        );
        let refused = register(&house).await;
        let expected = [("BEGUN", None, None), ("REFUSED", Some(refused.code()), None)];
        assert_eq!(
            told(&house, "registerVirtualMachine").await,
            records(&json!(BIOS_ID), &expected)
        );
    }

    async fn machine_whose_answer_is_lost_is_recorded_as_unknown(house: House) {
        house.server.order(
            Calls::to("POST", "/tenants/*/vms/register"),
            Fault::Status { status: 503, retry_after: None },
            1,
        );
        let lost = register(&house).await;
        assert_eq!(lost.body["errors"][0]["extensions"]["outcome"], "UNKNOWN");
        let expected = [("BEGUN", None, None), ("UNKNOWN", Some("UPSTREAM_UNAVAILABLE"), None)];
        assert_eq!(
            told(&house, "registerVirtualMachine").await,
            records(&json!(BIOS_ID), &expected)
        );
    }

    async fn task_is_recorded_as_begun_and_as_it_ends(house: House) {
        let operation = "deactivateIntegrationServerTenant";
        let task = only(begin(&house.north, operation).await);
        ended(&house.north, &task["id"]).await;
        let done = told_of(&house, operation, 2).await;
        let subject = &done[0][3];
        assert_eq!(done, records(subject, &[("BEGUN", None, None), ("SUCCEEDED", None, None)]));
        assert!(subject.is_string());
        let log = "{ auditLog(operation: \"deactivateIntegrationServerTenant\") { nodes { \
            requestID } } }";
        let log = house.partner.ask(log, json!({})).await.field("auditLog");
        assert_eq!(
            log["nodes"][0]["requestID"], log["nodes"][1]["requestID"],
            "both have the same request id"
        );

        house.server.order_task(TaskKind::DeleteTenant, Fate::fails("KSC_ServiceNotConfigured"), 1);
        let task = only(
            begin(&house.south, "deleteIntegrationServerTenant(removeArtifacts: false)").await,
        );
        ended(&house.south, &task["id"]).await;
        let failed = told_of(&house, "deleteIntegrationServerTenant", 2).await;
        let expected = [("BEGUN", None, None), ("REFUSED", None, Some("task_failed"))];
        assert_eq!(failed, records(&failed[0][3], &expected));
    }

    async fn task_that_the_server_refuses_is_recorded_as_refused(house: House) {
        let code = "<error><code>VIRMT_InvalidTenantType</code></error>".as_bytes().to_vec();
        let fault =
            Fault::Body { status: 400, content_type: "application/xml".to_owned(), bytes: code };
        house.server.order(Calls::to("POST", "/tenants"), fault, 1);
        assert_eq!(house.create("Refused").await.code(), "BAD_USER_INPUT");
        let told = told(&house, "createIntegrationServerTenant").await;
        let expected = [("BEGUN", None, None), ("REFUSED", Some("BAD_USER_INPUT"), None)];
        assert_eq!(told, records(&told[0][3], &expected));
    }

    async fn canceled_task_and_its_canceling_are_recorded_with_their_outcomes(house: House) {
        house.server.order_task(TaskKind::CreateTenant, Fate::NeverEnds, 1);
        let made = house.create("Endless").await.field("createIntegrationServerTenant");
        let cancel = "mutation($id: ID!) { cancelIntegrationServerTask(id: $id) { id } }";
        house.partner.ask(cancel, json!({ "id": made["id"] })).await.data();
        ended(&house.partner, &made["id"]).await;
        let task = told_of(&house, "createIntegrationServerTenant", 2).await;
        let expected = [("BEGUN", None, None), ("REFUSED", None, Some("task_canceled"))];
        assert_eq!(task, records(&task[0][3], &expected));
        let canceling = told(&house, "cancelIntegrationServerTask").await;
        assert_eq!(
            canceling,
            records(&task[0][3], &[("BEGUN", None, None), ("SUCCEEDED", None, None)])
        );
    }

    async fn testing_an_upstream_is_recorded_with_its_outcome(house: House) {
        let test = async || {
            let document = "mutation($id: ID!) { testUpstream(id: $id) { lastErrorCode } }";
            house.partner.ask(document, json!({ "id": house.upstream })).await.field("testUpstream")
                ["lastErrorCode"]
                .clone()
        };
        assert_eq!(test().await, Value::Null);
        house.server.set_password("another password by far");
        assert_eq!(test().await, "UPSTREAM_UNAUTHORIZED");
        let expected = [
            ("BEGUN", None, None),
            ("SUCCEEDED", None, None),
            ("BEGUN", None, None),
            ("REFUSED", Some("UPSTREAM_UNAUTHORIZED"), None),
        ];
        assert_eq!(told(&house, "testUpstream").await, records(&house.upstream, &expected));
    }
}
