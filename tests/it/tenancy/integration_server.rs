//! Expectations for the fields that lead to an Integration Server, checked against a simulated one.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::integration_server::{Fate, TaskKind, TenantSeed};

use super::table::{Row, at, row};
use crate::integration_server::graph::{House, begin, link, only, register};
use crate::support::{TestApp, both_databases};

const ANY: &[Role] = &Role::ALL;
const WRITERS: &[Role] = &[Role::Administrator, Role::Analyst, Role::Responder];

pub const QUERIES: &[Row] = &[row(
    "integrationServer",
    ANY,
    "query($task: ID!) { integrationServer { tenant { id } virtualMachines { nodes { id } } tasks \
    { nodes { id } } task(id: $task) { id } } }",
)];

pub const MUTATIONS: &[Row] = &[
    at(
        "upstream",
        row(
            "createIntegrationServerTenant",
            WRITERS,
            r#"mutation($upstream: ID!) { createIntegrationServerTenant(input: { upstreamID:
                $upstream, name: "made", type: SIMPLE }) { id } }"#,
        ),
    ),
    row(
        "activateIntegrationServerTenant",
        WRITERS,
        "mutation { activateIntegrationServerTenant { id } }",
    ),
    row(
        "deactivateIntegrationServerTenant",
        WRITERS,
        "mutation { deactivateIntegrationServerTenant { id } }",
    ),
    row(
        "deleteIntegrationServerTenant",
        WRITERS,
        "mutation { deleteIntegrationServerTenant(removeArtifacts: true) { id } }",
    ),
    row(
        "createIntegrationServerVirtualMachine",
        WRITERS,
        "mutation($bios: ID!) { createIntegrationServerVirtualMachine(input: { biosID: $bios }) { \
        id } }",
    ),
    at(
        "machine",
        row(
            "deleteIntegrationServerVirtualMachine",
            WRITERS,
            "mutation($machine: ID!) { deleteIntegrationServerVirtualMachine(id: $machine) { id } \
            }",
        ),
    ),
    row(
        "registerVirtualMachine",
        WRITERS,
        "mutation($bios: ID!) { registerVirtualMachine(input: { biosID: $bios }) { id } }",
    ),
    at(
        "machine",
        row(
            "unregisterVirtualMachine",
            WRITERS,
            "mutation($machine: ID!) { unregisterVirtualMachine(id: $machine) { id } }",
        ),
    ),
    at(
        "task",
        row(
            "cancelIntegrationServerTask",
            WRITERS,
            "mutation($task: ID!) { cancelIntegrationServerTask(id: $task) { id } }",
        ),
    ),
    row(
        "createIntegrationServerReport",
        WRITERS,
        "mutation { createIntegrationServerReport { id } }",
    ),
];

pub const SUBSCRIPTIONS: &[Row] = &[at(
    "task",
    row(
        "integrationServerTask",
        ANY,
        "subscription($task: ID!) { integrationServerTask(id: $task) { id state } }",
    ),
)];

fn rows() -> impl Iterator<Item = &'static Row> {
    QUERIES.iter().chain(MUTATIONS).chain(SUBSCRIPTIONS)
}

/// Links north to a new tenant of the server with a machine and a task that does not end.
async fn targets(house: &House, upstream: &Value, number: usize) -> Value {
    let links = "{ integrationServer { tenant { id } } tenant(id: $id) { upstreamLinks { id } } }";
    let north = house.app.world.north;
    let found = house.north.ask(&format!("query($id: ID!) {links}"), json!({ "id": north })).await;
    let old = found.body["data"]["tenant"]["upstreamLinks"][0]["id"].clone();
    house
        .north
        .ask("mutation($id: ID!) { unlinkTenant(id: $id) { id } }", json!({ "id": old }))
        .await
        .data();
    let remote =
        house.server.add_tenant(&TenantSeed::simple(&format!("North {number}")).machines(1));
    link(&house.partner, &house.upstream, north, &remote).await;
    house.server.order_task(TaskKind::ChangeTenantActivation, Fate::NeverEnds, 1);
    let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
    let machine =
        house.server.found_tenant(&format!("North {number}")).unwrap().machines[0].id.clone();
    let bios = format!("345ae5d6-eeb7-4635-884a-{number:012}");
    json!({ "upstream": upstream, "task": task["id"], "machine": machine, "bios": bios })
}

both_databases! {
    async fn unrelated_tenants_learn_nothing_of_an_integration_server(app: TestApp) {
        let id = "00000000-0000-4000-8000-000000000000";
        let variables = json!({ "upstream": id, "task": id, "machine": id, "bios": id });
        for row in rows() {
            let answer = app.send(app.graphql(row.document, &variables)).await;
            assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{}", row.field);
        }
    }

    async fn each_role_has_the_permissions_of_the_table_at_an_integration_server(house: House) {
        let own = register(&house.north, &house.server).await;
        for (place, role) in Role::ALL.into_iter().enumerate() {
            let caller = house.app.caller(house.app.world.north, role).await;
            for (at, row) in QUERIES.iter().chain(MUTATIONS).enumerate() {
                let variables = targets(&house, &own, place * 100 + at).await;
                let answer = caller.ask(row.document, variables).await;
                if row.allowed.contains(&role) {
                    assert!(!answer.field(row.field).is_null(), "{} as {role}", row.field);
                } else {
                    assert_eq!(
                        (answer.status, answer.code()),
                        (200, "FORBIDDEN"),
                        "{} as {role}",
                        row.field
                    );
                    assert_eq!(answer.body["errors"][0]["path"], json!([row.field]));
                }
            }
        }
    }

    async fn foreign_objects_of_an_integration_server_look_like_unknown_ones(house: House) {
        let own = register(&house.north, &house.server).await;
        let variables = targets(&house, &own, 1).await;
        let task = only(begin(&house.south, "activateIntegrationServerTenant").await)["id"].clone();
        let machine = house.server.found_tenant("South").unwrap().machines[0].id.clone();
        let foreign = json!({ "upstream": house.upstream, "task": task, "machine": machine });
        let north = house.app.administrator(house.app.world.north).await;
        for row in MUTATIONS {
            let Some(object) = row.object else { continue };
            let ask = |id: &Value| {
                let mut variables = variables.clone();
                variables[object] = id.clone();
                north.ask(row.document, variables)
            };
            let unknown = ask(&json!("00000000-0000-4000-8000-000000000000")).await;
            assert_eq!(unknown.code(), "NOT_FOUND", "{}", row.field);
            assert_eq!(ask(&foreign[object]).await.learnt(), unknown.learnt(), "{}", row.field);
        }
    }
}
