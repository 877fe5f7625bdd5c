use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::integration_server::{Fate, TaskKind, TenantSeed};

use super::{House, begin, ended, link, only, task};
use crate::support::both_databases;

/// The contents of the task tables as text.
pub async fn rows(house: &House) -> String {
    let reader = house.app.operator.database.reader();
    let mut found = String::new();
    for sql in [
        "SELECT intent || COALESCE(snapshot, '') AS text FROM integration_server_tasks",
        "SELECT snapshot AS text FROM integration_server_task_events",
    ] {
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        for row in reader.query_all_raw(statement).await.unwrap() {
            found.push_str(&row.try_get::<String>("", "text").unwrap());
        }
    }
    assert!(!found.is_empty());
    found
}

async fn tasks(caller: &crate::support::Caller, filter: &str) -> Vec<Value> {
    let document =
        format!("{{ integrationServer {{ tasks{filter} {{ nodes {{ id type state }} }} }} }}");
    caller.ask(&document, json!({})).await.field("integrationServer")["tasks"]["nodes"]
        .as_array()
        .unwrap()
        .clone()
}

both_databases! {
    async fn task_is_seen_by_its_tenant_and_those_above(house: House) {
        let begun = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        ended(&house.north, &begun["id"]).await;
        for caller in [house.north.clone(), house.partner.clone()] {
            assert_eq!(
                task(&caller, &begun["id"]).await.field("integrationServer")["task"]["id"],
                begun["id"]
            );
            assert_eq!(tasks(&caller, "").await.len(), 1);
        }
        let unknown = task(&house.south, &json!("78fce85d-2c37-4118-93d4-f844f23be6fd")).await;
        assert_eq!(task(&house.south, &begun["id"]).await.learnt(), unknown.learnt());
        assert_eq!(tasks(&house.south, "").await.len(), 0);
        let cancel = "mutation($id: ID!) { cancelIntegrationServerTask(id: $id) { id } }";
        assert_eq!(house.south.ask(cancel, json!({ "id": begun["id"] })).await.code(), "NOT_FOUND");
        assert_eq!(house.server.count(&Calls::to("POST", "/tasks/*")), 0);
    }

    async fn tasks_started_outside_the_gateway_are_hidden(house: House) {
        let stranger = house.server.add_task("DeployAppliance");
        assert_eq!(task(&house.partner, &json!(stranger)).await.code(), "NOT_FOUND");
        assert_eq!(tasks(&house.partner, "").await.len(), 0);
    }

    async fn tasks_are_filtered(house: House) {
        let one = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        ended(&house.north, &one["id"]).await;
        let two = only(begin(&house.north, "createIntegrationServerReport").await);
        let two = ended(&house.north, &two["id"]).await;
        assert_eq!(tasks(&house.north, "(type: \"CreateTenantReport\")").await[0]["id"], two["id"]);
        assert_eq!(tasks(&house.north, "(type: \"DeleteTenant\")").await.len(), 0);
        assert_eq!(tasks(&house.north, "(state: COMPLETED)").await.len(), 2);
        assert_eq!(tasks(&house.north, "(state: UNKNOWN)").await.len(), 0);
        let from = two["created"].as_str().unwrap();
        let since = tasks(&house.north, &format!("(createdFrom: \"{from}\")")).await;
        assert!(since.iter().any(|task| task["id"] == two["id"]), "{since:?}");
        assert_eq!(tasks(&house.north, "(createdFrom: \"2031-01-01T00:00:00Z\")").await.len(), 0);
    }

    async fn foreign_machine_cannot_be_unregistered(house: House) {
        let south = house.server.found_tenant("South").unwrap();
        let by_id = format!(
            "mutation {{ unregisterVirtualMachine(id: \"{}\") {{ id }} }}",
            south.machines[0].id
        );
        let by_bios = format!(
            "mutation {{ unregisterVirtualMachine(biosID: \"{}\") {{ id }} }}",
            south.machines[0].bios_id
        );
        for document in [by_id, by_bios] {
            assert_eq!(house.north.ask(&document, json!({})).await.code(), "NOT_FOUND");
        }
        assert_eq!(house.server.count(&Calls::to("POST", "/*")), 0);
    }

    async fn foreign_report_looks_like_unknown_one(house: House) {
        let begun = only(begin(&house.north, "createIntegrationServerReport").await);
        let report = ended(&house.north, &begun["id"]).await["result"]["id"].clone();
        let document = "query($id: ID!) { integrationServer { report(id: $id) { periods { \
            virtualMachineName } } } }";
        let unknown = house
            .south
            .ask(document, json!({ "id": "78fce85d-2c37-4118-93d4-f844f23be6fd" }))
            .await;
        assert_eq!(
            house.south.ask(document, json!({ "id": report })).await.learnt(),
            unknown.learnt()
        );
        assert_eq!(unknown.code(), "NOT_FOUND");
        assert!(
            house
                .north
                .ask(
                    document,
                    json!({
                        "id": report,
                    })
                )
                .await
                .field("integrationServer")["report"]["periods"]
                .is_array()
        );
    }

    async fn task_is_out_of_reach_after_unlinking(house: House) {
        let begun = only(begin(&house.north, "createIntegrationServerReport").await);
        let report = ended(&house.north, &begun["id"]).await["result"]["id"].clone();
        house.server.order_task(TaskKind::ChangeTenantActivation, Fate::NeverEnds, 1);
        let endless = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        let links = "query($id: ID!) { tenant(id: $id) { upstreamLinks { id } } }";
        let found =
            house.partner.ask(links, json!({ "id": house.app.world.north })).await.field("tenant");
        let end = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
        house.partner.ask(end, json!({ "id": found["upstreamLinks"][0]["id"] })).await.data();
        let cancel = "mutation($id: ID!) { cancelIntegrationServerTask(id: $id) { id } }";
        let read = "query($id: ID!) { integrationServer { report(id: $id) { periods { \
            virtualMachineName } } } }";
        // Nor if it now belongs to another tenant there or is at another server.
        let fresh = house.server.add_tenant(&TenantSeed::simple("Fresh"));
        for round in 0..2 {
            house.server.forget_calls();
            assert_eq!(
                house.north.ask(cancel, json!({ "id": endless["id"] })).await.code(),
                "UPSTREAM_NOT_LINKED",
                "{round}"
            );
            assert_eq!(
                house.north.ask(read, json!({ "id": report })).await.code(),
                "UPSTREAM_NOT_LINKED",
                "{round}"
            );
            assert_eq!(house.server.count(&Calls::to("POST", "/*")), 0);
            assert_eq!(house.server.count(&Calls::to("GET", "/reports/*")), 0);
            if round == 0 {
                link(&house.partner, &house.upstream, house.app.world.north, &fresh).await;
            }
        }
    }

    async fn only_the_owner_creates_tenants(house: House) {
        let input = json!({ "upstreamID": house.upstream, "name": "x", "type": "SIMPLE" });
        let document = "mutation($input: CreateIntegrationServerTenantInput!) { \
            createIntegrationServerTenant(input: $input) { id } }";
        let refused = house.north.ask(document, json!({ "input": input })).await;
        assert_eq!(refused.code(), "NOT_FOUND");
        let mut foreign = input.clone();
        foreign["linkTenantID"] = json!(house.app.world.stranger);
        let unknown = house.partner.ask(document, json!({ "input": foreign })).await;
        assert_eq!(unknown.code(), "NOT_FOUND");
        let responder =
            house.app.caller(house.app.world.partner, tenant_gateway::roles::Role::Responder).await;
        let mut linking = input;
        linking["linkTenantID"] = json!(house.app.world.organization);
        assert_eq!(responder.ask(document, json!({ "input": linking })).await.code(), "FORBIDDEN");
        assert_eq!(house.server.count(&Calls::to("POST", "/tenants")), 0);
    }
}
