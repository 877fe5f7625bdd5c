//! Global ids, and objects looked up by them through `node`.

use std::collections::HashSet;

use serde_json::{Value, json};
use tenant_gateway::global_id::{GlobalId, NodeKind};
use tenant_gateway::roles::Role;

use crate::deep_security::Rig;
use crate::integration_server::graph::{House, begin, only};
use crate::support::{Answer, Caller, both_databases};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

const DEEP_SECURITY: &str = "deepSecurity { id tenant { id } computers(first: 2) { nodes { id
    remoteID } }
    policies(first: 1) { nodes { id } } roles(first: 1) { nodes { id } } apiKeys(first: 1) { nodes {
    id } } }";

async fn node(caller: &Caller, id: &str) -> Answer {
    caller.ask("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": id })).await
}

/// The type and the id of every object that a caller sees in its own tenant.
async fn objects(caller: &Caller) -> Vec<(&'static str, String)> {
    let document = format!(
        "{{ {DEEP_SECURITY} requestTenantContext {{ tenantIDs }} currentSubject {{ id }}
            authzAssignableRoles {{ id }} auditLog(first: 1) {{ nodes {{ id }} }} }}"
    );
    let seen = caller.ask(&document, json!({})).await.data();
    let deep_security = &seen["deepSecurity"];
    let tenant = &seen["requestTenantContext"]["tenantIDs"][0];
    let links = "query($id: ID!) { tenant(id: $id) { upstreamLinks { id } } }";
    let link = caller.ask(links, json!({ "id": tenant })).await.field("tenant");
    let objects = [
        ("Tenant", tenant),
        ("Client", &seen["currentSubject"]["id"]),
        ("Role", &seen["authzAssignableRoles"][0]["id"]),
        ("UpstreamLink", &link["upstreamLinks"][0]["id"]),
        ("AuditRecord", &seen["auditLog"]["nodes"][0]["id"]),
        ("DeepSecurity", &deep_security["id"]),
        ("DeepSecurityTenant", &deep_security["tenant"]["id"]),
        ("DeepSecurityComputer", &deep_security["computers"]["nodes"][0]["id"]),
        ("DeepSecurityPolicy", &deep_security["policies"]["nodes"][0]["id"]),
        ("DeepSecurityRole", &deep_security["roles"]["nodes"][0]["id"]),
        ("DeepSecurityApiKey", &deep_security["apiKeys"]["nodes"][0]["id"]),
    ];
    objects
        .map(|(kind, id)| {
            (kind, id.as_str().unwrap_or_else(|| panic!("{kind} has no id")).to_owned())
        })
        .to_vec()
}

both_databases! {
    async fn ids_are_unique_over_tenants_while_remote_ids_are_not(rig: Rig) {
        let reader = rig.reader(rig.world.organization).await;
        let document =
            "{ tenants(tenantsQuery: { names: [\"North\", \"South\"] }) { tenants { deepSecurity {
            id computers { nodes { id remoteID } } policies { nodes { id remoteID } } } } } }";
        let seen = reader.ask(document, json!({})).await.field("tenants");
        let tenants = seen["tenants"].as_array().unwrap();
        let nodes = tenants.iter().flat_map(|tenant| {
            let lists = ["computers", "policies"]
                .map(|list| tenant["deepSecurity"][list]["nodes"].as_array().unwrap());
            lists.into_iter().flatten()
        });
        let (ids, remote): (Vec<_>, Vec<_>) =
            nodes.map(|node| (&node["id"], &node["remoteID"])).unzip();
        assert_eq!(ids.len(), 7 + 5 + 3 + 3);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert_eq!(remote.iter().collect::<HashSet<_>>().len(), 7);
        assert_ne!(tenants[0]["deepSecurity"]["id"], tenants[1]["deepSecurity"]["id"]);
    }

    async fn object_has_the_same_id_seen_from_its_tenant_and_from_above(rig: Rig) {
        let north = rig.reader(rig.world.north).await;
        let partner = rig.reader(rig.world.partner).await;
        let document = format!("query($id: ID!) {{ tenant(id: $id) {{ {DEEP_SECURITY} }} }}");
        let from_above =
            partner.ask(&document, json!({ "id": rig.world.north })).await.field("tenant");
        let own =
            north.ask(&format!("{{ {DEEP_SECURITY} }}"), json!({})).await.field("deepSecurity");
        assert_eq!(from_above["deepSecurity"], own);
        let listed = partner
            .ask("{ upstreams { id } deepSecurity { tenants { nodes { id } } } }", json!({}))
            .await;
        assert_eq!(listed.field("deepSecurity")["tenants"]["nodes"][0]["id"], own["tenant"]["id"]);
    }

    async fn node_finds_each_object_by_its_id_from_its_tenant_and_from_above(rig: Rig) {
        let north = rig.app.administrator(rig.world.north).await;
        let mut objects = objects(&north).await;
        for (kind, id) in &objects {
            let expected = json!({ "__typename": kind, "id": id });
            assert_eq!(node(&north, id).await.field("node"), expected, "{kind}");
            assert_eq!(node(&rig.partner, id).await.field("node"), expected, "{kind}");
        }
        objects.push(("Upstream", rig.upstream.clone()));
        let document = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
            ... on DeepSecurityComputer { hostName policy { name } } } }";
        let ids: Vec<_> = objects.iter().map(|(_, id)| id).collect();
        let found = rig.partner.ask(document, json!({ "ids": ids })).await.field("nodes");
        let found = found.as_array().unwrap();
        for ((kind, id), node) in objects.iter().zip(found) {
            assert_eq!((&node["__typename"], &node["id"]), (&json!(kind), &json!(id)));
        }
        assert_eq!(found[7]["hostName"], "host-1.north.example");
        assert_eq!(found[7]["policy"]["name"], "Base Policy");
    }

    async fn foreign_and_unknown_ids_look_alike(rig: Rig) {
        let north = rig.app.administrator(rig.world.north).await;
        let south = rig.app.administrator(rig.world.south).await;
        let stranger = rig.app.administrator(rig.world.stranger).await;
        let unknown = node(&south, UNKNOWN).await;
        assert_eq!(
            (unknown.code(), &unknown.body["data"]),
            ("NOT_FOUND", &json!({ "node": null }))
        );
        let place = UNKNOWN.parse().unwrap();
        let mut foreign: Vec<_> =
            NodeKind::ALL.iter().map(|kind| GlobalId::write(*kind, place, "1")).collect();
        foreign.extend(
            objects(&north).await.into_iter().filter(|(kind, _)| *kind != "Role").map(|(_, id)| id),
        );
        foreign.push(rig.upstream.clone());
        foreign.push(rig.world.organization.to_string());
        for id in &foreign {
            rig.manager.forget_calls();
            // The last caller has permissions in north, but not in this tenant context.
            for caller in [&south, &stranger, &rig.partner.within(rig.world.south)] {
                assert_eq!(node(caller, id).await.learnt(), unknown.learnt(), "{id}");
            }
            assert_eq!(
                rig.manager.count(&tenant_gateway_simulators::calls::Calls::all()),
                0,
                "no call is made for {id}"
            );
        }
        let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let own = rig.world.south.to_string();
        let mixed = south.ask(document, json!({ "ids": [own, foreign[12], UNKNOWN] })).await;
        assert_eq!(mixed.body["data"]["nodes"], json!([{ "id": own }, null, null]));
        let paths: Vec<_> = mixed.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["path"].clone())
            .collect();
        assert_eq!(paths, [json!(["nodes", 1]), json!(["nodes", 2])]);
    }

    async fn caller_without_permission_finds_nothing_by_node(rig: Rig) {
        let objects = objects(&rig.app.administrator(rig.world.north).await).await;
        let responder = rig.app.caller(rig.world.north, Role::Responder).await;
        for kind in ["Client", "AuditRecord"] {
            let (_, id) = objects.iter().find(|(known, _)| *known == kind).unwrap();
            assert_eq!(node(&responder, id).await.code(), "NOT_FOUND", "{kind}");
        }
    }

    async fn node_ends_with_the_link_of_the_tenant(rig: Rig) {
        let north = rig.app.administrator(rig.world.north).await;
        let objects = objects(&north).await;
        let id = |kind: &str| objects.iter().find(|(known, _)| *known == kind).unwrap().1.clone();
        let unlink = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
        rig.partner.ask(unlink, json!({ "id": id("UpstreamLink") })).await.data();
        rig.link(rig.world.north, Some("North")).await;
        // The new link may lead to another installation: the ids under the old link name other
        // objects.
        assert_eq!(node(&north, &id("DeepSecurityComputer")).await.code(), "NOT_FOUND");
        let delete = "mutation($id: ID!) { deleteDeepSecurityComputer(id: $id) }";
        assert_eq!(
            north.ask(delete, json!({ "id": id("DeepSecurityComputer") })).await.code(),
            "NOT_FOUND"
        );
    }

    async fn text_that_is_no_global_id_is_bad_input(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let id = objects(&rig.app.administrator(rig.world.north).await).await[7].1.clone();
        for text in [
            "",
            "7",
            "no id",
            "DeepSecurityComputer:7",
            &id[1..],
            &id[..id.len() - 1],
            &format!("{id}="),
            &"A".repeat(5000),
        ] {
            assert_eq!(node(&reader, text).await.code(), "BAD_USER_INPUT", "{text}");
        }
        let many = reader
            .ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": vec![id; 101] }))
            .await;
        assert_eq!((many.code(), &many.body["data"]["nodes"]), ("BAD_USER_INPUT", &Value::Null));
    }

    async fn arguments_take_the_global_id_and_the_remote_id(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let document = "{ deepSecurity { computer(id: 1) { id remoteID } policy(id: 2) { id \
            remoteID } role(id: 2) { id } } }";
        let seen = writer.ask(document, json!({})).await.field("deepSecurity");
        let south =
            rig.reader(rig.world.south).await.ask(document, json!({})).await.field("deepSecurity");
        let document =
            "mutation($computer: ID!, $policy: ID!) { updateDeepSecurityComputer(id: $computer,
            input: { policyID: $policy }) { id policyID policy { id remoteID } } }";
        for form in ["id", "remoteID"] {
            let variables =
                json!({ "computer": seen["computer"][form], "policy": seen["policy"][form] });
            let changed = writer.ask(document, variables).await.field("updateDeepSecurityComputer");
            let policy = json!({ "id": seen["policy"]["id"], "remoteID": "2" });
            assert_eq!(
                changed,
                json!({ "id": seen["computer"]["id"], "policyID": "2", "policy": policy })
            );
        }
        rig.manager.forget_calls();
        for (computer, policy) in [
            (&south["computer"]["id"], &seen["policy"]["id"]),
            (&seen["computer"]["id"], &south["policy"]["id"]),
            (&seen["computer"]["id"], &seen["role"]["id"]),
            (&seen["policy"]["id"], &seen["policy"]["id"]),
        ] {
            let answer =
                writer.ask(document, json!({ "computer": computer, "policy": policy })).await;
            assert_eq!(answer.code(), "NOT_FOUND");
        }
        assert_eq!(
            rig.manager.count(&tenant_gateway_simulators::calls::Calls::to("POST", "/computers/*")),
            0
        );
        let criteria = "query($id: ID) { deepSecurity { computers(where: [{ idValue: $id }]) { \
            nodes { remoteID } } } }";
        let found = writer
            .ask(criteria, json!({ "id": seen["computer"]["id"] }))
            .await
            .field("deepSecurity");
        assert_eq!(found["computers"]["nodes"], json!([{ "remoteID": "1" }]));
    }

    async fn objects_of_an_integration_server_are_found_by_their_ids(house: House) {
        let document =
            "{ integrationServer { id tenant { id remoteID administrationServer { id remoteID } }
            virtualMachines { totalCount nodes { id remoteID name } } } }";
        let seen = house.north.ask(document, json!({})).await.field("integrationServer");
        let machines = &seen["virtualMachines"];
        assert_eq!(machines["totalCount"], 3);
        let task = only(begin(&house.north, "createIntegrationServerReport").await);
        let objects = [
            ("IntegrationServer", &seen["id"]),
            ("IntegrationServerTenant", &seen["tenant"]["id"]),
            ("IntegrationServerVirtualMachine", &machines["nodes"][0]["id"]),
            ("IntegrationServerTask", &task["id"]),
        ];
        let unknown = node(&house.south, UNKNOWN).await;
        for (kind, id) in objects {
            let expected = json!({ "__typename": kind, "id": id });
            let id = id.as_str().unwrap();
            assert_eq!(node(&house.north, id).await.field("node"), expected);
            assert_eq!(node(&house.partner, id).await.field("node"), expected);
            assert_eq!(node(&house.south, id).await.learnt(), unknown.learnt(), "{kind}");
        }
        let listed =
            "{ integrationServer { tenants(name: \"North\") { totalCount nodes { id } } } }";
        let listed = house.partner.ask(listed, json!({})).await.field("integrationServer");
        assert_eq!(
            listed["tenants"],
            json!({ "totalCount": 1, "nodes": [{ "id": seen["tenant"]["id"] }] })
        );
        let other = "query($name: String) { integrationServer { tenants(name: $name) { nodes { id \
            remoteID } } } }";
        let other =
            house.partner.ask(other, json!({ "name": "Other" })).await.field("integrationServer");
        // No tenant is linked to it, so only its owner sees it.
        let id = other["tenants"]["nodes"][0]["id"].as_str().unwrap();
        assert_eq!(node(&house.partner, id).await.field("node")["id"], id);
        assert_eq!(node(&house.north, id).await.learnt(), unknown.learnt());
    }

    async fn many_integration_servers_are_read_by_node_without_waiting_for_each_other(
        engine: Engine,
    ) {
        let house = House::with_settings(
            engine,
            |config| config,
            |config| config.limits.tenants_at_once = 1,
        )
        .await;
        let ids = [&house.north, &house.south].map(async |caller| {
            caller
                    .ask("{ integrationServer { id } }", json!({}))
                    .await
                    .field("integrationServer")["id"]
                    .clone()
        });
        let [north, south] = ids;
        let document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IntegrationServer { tenant \
            { name } } } }";
        let found = house
            .partner
            .ask(document, json!({ "ids": [north.await, south.await] }))
            .await
            .field("nodes");
        assert_eq!(
            found,
            json!([{ "tenant": { "name": "North" } }, { "tenant": { "name": "South" } }])
        );
    }

    async fn virtual_machine_is_deleted_by_its_global_id_within_its_tenant_only(house: House) {
        let document = "{ integrationServer { virtualMachines { nodes { id remoteID } } } }";
        let machine = async |caller: &Caller| {
            let seen = caller.ask(document, json!({})).await.field("integrationServer");
            seen["virtualMachines"]["nodes"][0].clone()
        };
        let own = machine(&house.north).await;
        let foreign = machine(&house.south).await;
        let delete =
            "mutation($id: ID) { deleteIntegrationServerVirtualMachine(id: $id) { id remoteID } }";
        assert_eq!(
            house.north.ask(delete, json!({ "id": foreign["id"] })).await.code(),
            "NOT_FOUND"
        );
        let gone = house.north.ask(delete, json!({ "id": own["id"] })).await;
        assert_eq!(gone.field("deleteIntegrationServerVirtualMachine"), own);
        assert_eq!(
            house.north.ask(delete, json!({ "id": own["remoteID"] })).await.code(),
            "NOT_FOUND"
        );
    }
}
