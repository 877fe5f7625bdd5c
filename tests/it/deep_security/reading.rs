//! Queries, including those of the vendor's own examples.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::{Dialect, Product, Simulator};

use super::rig::{Rig, ask, link, register, see, seeds};
use crate::support::both_databases;

fn names(nodes: &Value) -> Vec<&str> {
    nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["hostName"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn role_is_found_by_its_name(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let found =
            see(&reader, r#"roles(name: "Auditor") { nodes { remoteID name immutable rights } }"#)
                .await;
        let role = &found["roles"]["nodes"][0];
        assert_eq!(
            (&role["remoteID"], &role["name"], &role["immutable"]),
            (&json!("2"), &json!("Auditor"), &json!(true))
        );
        assert_eq!(
            role["rights"]["platformRights"]["computerRights"]["canEditComputerProperties"],
            false
        );
        let sent = rig.manager.seen(&Calls::to("POST", "/roles/search").of(1));
        let body: Value = serde_json::from_str(&sent[0].body).unwrap();
        assert_eq!(body["searchCriteria"][0]["stringWildcards"], false);
    }

    async fn customers_with_equal_ids_are_never_mixed(rig: Rig) {
        let fields = "computers { nodes { remoteID hostName intrusionPrevention { state stateText }
            policy { description } } }
            tenant { id name tenantState tenantStateText lastSignIn }";
        let north = rig.reader(rig.world.north).await;
        let south = rig.writer(rig.world.south).await;
        for (caller, name, count, state) in
            [(north, "North", 7, "DETECT"), (south, "South", 5, "PREVENT")]
        {
            let seen = see(&caller, fields).await;
            let computers = seen["computers"]["nodes"].as_array().unwrap();
            assert_eq!(computers.len(), count);
            for (number, computer) in (1..).zip(computers) {
                assert_eq!(computer["remoteID"], number.to_string());
                assert_eq!(
                    computer["hostName"],
                    format!("host-{number}.{}.example", name.to_lowercase())
                );
                assert_eq!(
                    computer["intrusionPrevention"],
                    json!({ "state": state, "stateText": state.to_lowercase() })
                );
                assert!(computer["policy"]["description"].as_str().unwrap().ends_with(name));
            }
            assert_eq!(seen["tenant"]["name"], name);
            assert_eq!(seen["tenant"]["tenantState"], "ACTIVE");
        }
    }

    async fn computer_has_every_field(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let fields = "computer(id: 1) { id hostName displayName description platform lastIPUsed
            groupID policyID agentVersion
            lastAgentCommunication computerStatus { agentStatus agentStatusMessages }
            antiMalware { state moduleStatus { agentStatus agentStatusMessage }
            realTimeScanConfigurationID }
            webReputation { state } activityMonitoring { state } firewall { state ruleIDs }
            intrusionPrevention { state ruleIDs }
            integrityMonitoring { state } logInspection { state } applicationControl { state } sap {
            state } }";
        let computer = see(&reader, fields).await["computer"].clone();
        assert_eq!(computer["groupID"], "0");
        assert_eq!(computer["policyID"], "1");
        assert_eq!(computer["antiMalware"]["state"], "ON");
        assert_eq!(computer["antiMalware"]["moduleStatus"]["agentStatus"], "ACTIVE");
        assert_eq!(computer["intrusionPrevention"]["ruleIDs"][0], "10001");
        assert_eq!(computer["lastAgentCommunication"], "2029-12-31T23:59:00.000Z");
        assert_eq!(computer["sap"]["state"], "OFF");
    }

    async fn each_field_of_a_computer_is_equal_alone_and_among_all(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        let whole = r#"mutation { updateDeepSecurityComputer(id: 1, input: {
            displayName: "Front", description: "Web", assetImportanceID: 3, relayListID: 2
        }) { id } }"#;
        writer.ask(whole, json!({})).await.field("updateDeepSecurityComputer");
        let types = r#"{ __type(name: "DeepSecurityComputer") { fields { name type { kind } } } }"#;
        let types = reader.ask(types, json!({})).await.body["data"]["__type"]["fields"].clone();
        let field = |field: &Value| {
            let name = field["name"].as_str().unwrap();
            let below = match (name, field["type"]["kind"].as_str()) {
                ("policy", _) => " { id name }",
                ("computerStatus", _) => " { agentStatusText }",
                (_, Some("OBJECT")) => " { stateText }",
                _ => "",
            };
            (name.to_owned(), format!("{name}{below}"))
        };
        let fields: Vec<_> = types.as_array().unwrap().iter().map(field).collect();
        assert!(fields.len() > 20, "{fields:?}");
        let all: Vec<_> = fields.iter().map(|(_, selected)| selected.as_str()).collect();
        let all =
            see(&reader, &format!("computer(id: 1) {{ {} }}", all.join(" "))).await["computer"]
                .clone();
        for (name, selected) in &fields {
            assert!(!all[name].is_null(), "nothing to compare: {name}");
            let alone = format!(
                "one: computer(id: 1) {{ {selected} }} nodes: computers(first: 1) {{ nodes {{
                {selected} }} }}
                edges: computers(first: 1) {{ edges {{ node {{ ... on DeepSecurityComputer {{
                {selected} }} }} }} }}"
            );
            let alone = see(&reader, &alone).await;
            assert_eq!(alone["one"][name], all[name], "{name}");
            assert_eq!(alone["nodes"]["nodes"][0][name], all[name], "{name}");
            assert_eq!(alone["edges"]["edges"][0]["node"][name], all[name], "{name}");
        }
    }

    async fn only_selected_parts_are_requested(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let expanded = async |fields: &str| {
            rig.manager.forget_calls();
            see(&reader, fields).await;
            let seen = rig.manager.seen(&Calls::to("*", "/computers/*"));
            assert_eq!(seen.len(), 1);
            seen[0].query.clone()
        };
        assert_eq!(expanded("computers { nodes { id hostName } }").await, "expand=none");
        assert_eq!(
            expanded(
                "computers { edges { node { sap { state } ... { firewall { state } } \
                computerStatus { agentStatus } } } }"
            )
            .await,
            "expand=SAP&expand=computerStatus&expand=firewall"
        );
        assert_eq!(
            expanded("computer(id: 2) { ips: intrusionPrevention { state } }").await,
            "expand=intrusionPrevention"
        );
        assert_eq!(expanded("computers { pageInfo { hasNextPage } }").await, "expand=none");
    }

    async fn operation_reads_each_policy_once(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, "computers(first: 1) { nodes { id } }").await;
        rig.manager.forget_calls();
        let fields = "computers { nodes { policy { name parent { name } } } } more: computers { \
            nodes { policy { name } } }";
        see(&reader, fields).await;
        // Two fields with the same list share one call.
        assert_eq!(rig.manager.count(&Calls::to("POST", "/computers/search")), 1);
        assert_eq!(rig.manager.count(&Calls::to("GET", "/policies/*")), 3);
        assert_eq!(rig.manager.count(&Calls::all()), 4);
    }

    async fn reader_uses_a_read_only_key(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.north).await;
        see(&reader, "computers { nodes { id } }").await;
        see(&writer, "computers { nodes { id } }").await;
        let north = rig.world.north;
        assert_eq!(
            rig.minted("North"),
            [
                format!("tenant-gateway gateway {north} READ"),
                format!("tenant-gateway gateway {north} FULL")
            ]
        );
        let keys = rig.manager.api_keys(1);
        let minted: Vec<_> = keys.iter().filter(|key| key["serviceAccount"] == true).collect();
        assert_eq!((&minted[0]["roleID"], &minted[1]["roleID"]), (&json!(2), &json!(1)));
        assert!(
            minted.iter().all(|key| key["expiryDate"] == rig.now().millis() + 24 * 3600 * 1000)
        );
    }

    async fn missing_object_and_malformed_id_are_not_found(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        for (field, id) in [("computer", "99"), ("policy", "99"), ("role", "99"), ("apiKey", "99")]
        {
            let answer = ask(&reader, &format!("{field}(id: \"{id}\") {{ id }}")).await;
            assert_eq!(answer.code(), "NOT_FOUND");
            let error = &answer.body["errors"][0];
            assert_eq!(
                error["extensions"]["upstream"],
                json!({ "system": "DEEP_SECURITY", "status": 404, "code": null })
            );
            assert_eq!(error["path"], json!(["deepSecurity", field]));
        }
        rig.manager.forget_calls();
        for id in [
            "1/../2",
            "..",
            "1\\r\\nx: y",
            "1\\u0000",
            "-1",
            "+1",
            "9223372036854775808",
            "1?expand=all",
            "",
        ] {
            for field in ["computer", "policy", "role", "apiKey"] {
                assert_eq!(
                    ask(&reader, &format!("{field}(id: \"{id}\") {{ id }}")).await.code(),
                    "NOT_FOUND"
                );
            }
        }
        assert_eq!(rig.manager.count(&Calls::all()), 0);
    }

    async fn tenant_without_a_manager_is_upstream_not_linked(rig: Rig) {
        let stranger = rig.reader(rig.world.stranger).await;
        assert_eq!(
            ask(&stranger, "computers { nodes { id } }").await.code(),
            "UPSTREAM_NOT_LINKED"
        );
    }

    async fn tenants_are_listed_for_the_owner_only(rig: Rig) {
        let owned = see(
            &rig.partner,
            "tenants { nodes { id name guid locale modulesVisible } pageInfo { hasNextPage } }",
        )
        .await;
        let tenants = owned["tenants"]["nodes"].as_array().unwrap();
        assert_eq!(
            tenants.iter().map(|tenant| &tenant["name"]).collect::<Vec<_>>(),
            ["North", "South"]
        );
        assert_eq!(
            (&tenants[0]["locale"], &tenants[0]["modulesVisible"]),
            (&json!("EN_US"), &json!(["ALL"]))
        );
        assert_eq!(
            ask(&rig.partner, "computers { nodes { id } }").await.code(),
            "UPSTREAM_NOT_LINKED"
        );
        let north = rig.app.administrator(rig.world.north).await;
        assert_eq!(ask(&north, "tenants { nodes { id } }").await.code(), "FORBIDDEN");
        let other = format!("tenants(upstreamID: \"{}\") {{ nodes {{ id }} }}", rig.upstream);
        assert_eq!(ask(&north, &other).await.code(), "NOT_FOUND");
        let introspected = rig
            .partner
            .ask("{ __type(name: \"DeepSecurityTenant\") { fields { name } } }", json!({}))
            .await;
        assert!(!introspected.body.to_string().contains("assword"));
    }

    async fn cloud_one_account_is_read_with_its_own_credential(engine: Engine) {
        let rig = Rig::on(engine).await;
        let hosted = Simulator::start(seeds().product(Product::CloudOne)).await.unwrap();
        let credential = json!({ "cloudOneApiKey": hosted.primary().secret_key });
        let stranger = rig.app.administrator(rig.world.stranger).await;
        let upstream = register(&stranger, &hosted.base_url, credential).await;
        link(&stranger, rig.world.stranger, &upstream, None).await.data();
        let seen = see(
            &stranger,
            "tenant { id } computers { nodes { hostName } } policies { nodes { name } }",
        )
        .await;
        assert_eq!(seen["tenant"], Value::Null);
        assert!(names(&seen["computers"]).is_empty());
        assert_eq!(seen["policies"]["nodes"].as_array().unwrap().len(), 3);
        let sent = hosted.seen(&Calls::all());
        assert!(sent.iter().all(|call| call.header("authorization").is_some()
            && call.header("api-version") == Some("v1")));
        assert!(sent.iter().all(|call| !call.path.starts_with("/tenants")));
    }

    async fn other_dialect_of_the_reference_is_handled(engine: Engine) {
        let rig = Rig::with(engine, |config| config.dialect(Dialect::other())).await;
        let reader = rig.reader(rig.world.north).await;
        let writer = rig.writer(rig.world.south).await;
        let fields = "computers { nodes { hostName policy { name } } } roles { nodes { name } } \
            tenant { name }";
        assert_eq!(names(&see(&reader, fields).await["computers"]).len(), 7);
        assert_eq!(names(&see(&writer, fields).await["computers"]).len(), 5);
        // In this dialect a deleted key is refused with 403.
        for key in rig.manager.api_keys(rig.manager.customer("North").id) {
            let north = rig.manager.customer("North").id;
            let id = key["ID"].as_i64().unwrap();
            rig.manager.delete_api_key(north, i32::try_from(id).unwrap());
        }
        assert_eq!(names(&see(&reader, fields).await["computers"]).len(), 7);
        assert_eq!(rig.mints_for("North"), 2);
    }

    async fn no_caller_data_goes_upstream(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, "computers { nodes { policy { name } } }").await;
        for call in rig.manager.seen(&Calls::all()) {
            let names: BTreeSet<&str> =
                call.headers.iter().map(|(name, _)| name.as_str()).collect();
            let known = [
                "accept",
                "accept-encoding",
                "api-secret-key",
                "api-version",
                "content-length",
                "content-type",
                "host",
                "traceparent",
                "user-agent",
                "x-request-id",
            ];
            assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
            assert_eq!(call.header("api-version"), Some("v1"));
            assert!(!format!("{call:?}").contains(&reader.token));
        }
    }
}
