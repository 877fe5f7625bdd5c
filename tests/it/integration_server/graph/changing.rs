use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server::{Config, Dialect, Fate, TaskKind, TaskTiming};

use super::{House, begin, ended, link, only, task};
use crate::support::{both_databases, eventually, notes};

const BIOS_ID: &str = "345ae5d6-eeb7-4635-884a-01ac1781deeb";

async fn register(house: &House, input: Value) -> crate::support::Answer {
    let document = "mutation($input: RegisterVirtualMachineInput!) { registerVirtualMachine(input: \
        $input) { id biosID name userData } }";
    house.north.ask(document, json!({ "input": input })).await
}

async fn unregister(house: &House, arguments: Value) -> crate::support::Answer {
    let document = "mutation($id: ID, $biosID: ID) { unregisterVirtualMachine(id: $id, biosID: \
        $biosID) { id biosID name } }";
    house.north.ask(document, arguments).await
}

fn complete(name: &str) -> Value {
    // Security Center limits it to sixteen characters.
    let password = "Good-Pass1-Admin";
    notes::note(password);
    let administrator = json!({ "name": format!("{name}-admin"), "password": password });
    json!({
        "name": name,
        "type": "COMPLETE",
        "description": "retail",
        "userData": "crm=42",
        "preferredServerAddress": "192.0.2.9",
        "administrator": administrator,
    })
}

both_databases! {
    async fn tenant_is_created_and_linked(house: House) {
        let fresh = house.app.operator.tenant(house.app.world.organization, "Fresh", false).await;
        let mut input = complete("Fresh");
        input["linkTenantID"] = json!(fresh);
        let made = house.create_with(input).await.field("createIntegrationServerTenant");
        assert_eq!(made["type"], "CreateTenant");
        let document = "query($id: ID!) { integrationServer { task(id: $id) { type typeText } } }";
        let kind = house
            .partner
            .ask(document, json!({ "id": made["id"] }))
            .await
            .field("integrationServer");
        assert_eq!(kind["task"], json!({ "type": "CreateTenant", "typeText": "CreateTenant" }));
        let ended = ended(&house.partner, &made["id"]).await;
        assert_eq!(
            (&ended["state"], &ended["error"], &ended["progress"]),
            (&json!("COMPLETED"), &Value::Null, &json!(100))
        );
        let there = house.server.found_tenant("Fresh").unwrap();
        assert_eq!(
            (there.description.as_deref(), there.user_data.as_deref()),
            (Some("retail"), Some("crm=42"))
        );
        assert_eq!(there.preferred_address.as_deref(), Some("192.0.2.9"));
        let result = &ended["result"];
        assert_eq!(
            (&result["remoteID"], &result["name"], &result["type"]),
            (&json!(there.id), &json!("Fresh"), &json!("COMPLETE"))
        );
        let own = house.partner.within(fresh);
        let seen = own
            .ask(
                "{ integrationServer { tenant { name administrationServer { administrator } } } }",
                json!({}),
            )
            .await;
        assert_eq!(
            seen.field("integrationServer")["tenant"]["administrationServer"]["administrator"],
            "Fresh-admin"
        );
        assert_eq!(
            task(&own, &made["id"]).await.field("integrationServer")["task"]["id"],
            made["id"],
            "the task names the new tenant"
        );
        let again = house
            .create_with(json!({ "name": "More", "type": "SIMPLE", "linkTenantID": fresh }))
            .await;
        assert_eq!(again.code(), "CONFLICT");
        assert!(house.server.found_tenant("More").is_none(), "nothing was sent");
    }

    async fn administrator_account_is_refused_to_a_caller_whose_role_expires(house: House) {
        let administrator = &house.partner;
        let client = administrator.create("on call", &[&Role::Auditor.id().to_string()]).await;
        let document = "mutation($id: ID!, $role: ID!, $end: String) {
            appendClientRoles(id: $id, roles: [{ roleID: $role, expiresAt: $end }]) { id } }";
        let end = house.app.in_seconds(1800);
        let variables = json!({ "id": client.id, "role": Role::Responder.id(), "end": end });
        administrator.ask(document, variables).await.data();
        let limited = house.app.log_in(client).await;
        let create = async |mut input: Value| {
            input["upstreamID"] = house.upstream.clone();
            let document = "mutation($input: CreateIntegrationServerTenantInput!) { \
                createIntegrationServerTenant(input: $input) { id } }";
            limited.ask(document, json!({ "input": input })).await
        };
        let refused = create(complete("Lasting")).await;
        assert_eq!(refused.code(), "FORBIDDEN", "{}", refused.body);
        assert!(house.server.found_tenant("Lasting").is_none(), "nothing was sent");
        let made = create(json!({ "name": "Plain", "type": "SIMPLE" }))
            .await
            .field("createIntegrationServerTenant");
        assert_eq!(ended(&house.partner, &made["id"]).await["state"], "COMPLETED");
    }

    async fn tenant_is_deactivated_activated_and_removed(house: House) {
        let north = || house.server.found_tenant("North");
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        assert_eq!(
            (&task["type"], ended(&house.north, &task["id"]).await["state"].as_str()),
            (&json!("ChangeTenantActivation"), Some("COMPLETED"))
        );
        assert!(!north().unwrap().active);
        let task = only(begin(&house.north, "activateIntegrationServerTenant").await);
        assert_eq!(ended(&house.north, &task["id"]).await["result"]["confirmed"], true);
        assert!(north().unwrap().active);
        let task =
            only(begin(&house.north, "deleteIntegrationServerTenant(removeArtifacts: true)").await);
        let ended = ended(&house.north, &task["id"]).await;
        assert_eq!(
            (&ended["type"], &ended["result"]["name"]),
            (&json!("DeleteTenant"), &json!("North"))
        );
        assert!(north().is_none() && !house.server.folders().contains(&"North".to_owned()));
        let sent = house.server.seen(&Calls::to("DELETE", "/tenants/*"));
        assert_eq!(sent[0].query, "removeTenantArtifacts=true");
        // The server would accept it again.
        assert_eq!(
            begin(&house.north, "deleteIntegrationServerTenant(removeArtifacts: false)")
                .await
                .code(),
            "NOT_FOUND"
        );
        assert_eq!(
            begin(&house.north, "activateIntegrationServerTenant").await.code(),
            "NOT_FOUND"
        );
        assert_eq!(house.server.count(&Calls::to("DELETE", "/tenants/*")), 1);
    }

    async fn machines_are_registered_and_unregistered(house: House) {
        let made = register(
            &house,
            json!({ "biosID": BIOS_ID.to_uppercase(), "name": "web-99", "userData": "]]>" }),
        )
        .await;
        let made = made.field("registerVirtualMachine");
        assert_eq!(
            (&made["biosID"], &made["name"], &made["userData"]),
            (&json!(BIOS_ID), &json!("web-99"), &json!("]]>"))
        );
        let taken = register(&house, json!({ "biosID": BIOS_ID })).await;
        assert_eq!(
            (taken.code(), taken.message()),
            ("CONFLICT", "no machine can be registered under this BIOS identifier")
        );
        assert_eq!(
            taken.body["errors"][0]["extensions"]["upstream"]["code"],
            "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"
        );
        let gone = unregister(&house, json!({ "biosID": BIOS_ID }))
            .await
            .field("unregisterVirtualMachine");
        assert_eq!(gone["id"], made["id"]);
        assert_eq!(unregister(&house, json!({ "id": made["id"] })).await.code(), "NOT_FOUND");
        assert_eq!(house.server.count(&Calls::to("POST", "/tenants/*/vms/unregister")), 1);
    }

    async fn report_is_made_and_read(house: House) {
        let task = only(begin(&house.north, "createIntegrationServerReport").await);
        let ended = ended(&house.north, &task["id"]).await;
        let periods = ended["result"]["periods"].as_array().unwrap();
        assert!(
            !periods.is_empty()
                && periods.iter().all(|period| period["virtualMachineName"]
                    .as_str()
                    .unwrap()
                    .starts_with("web-"))
        );
        let document = "query($id: ID!) { integrationServer { report(id: $id) { id periods { \
            virtualMachineName } } } }";
        let report = house
            .north
            .ask(document, json!({ "id": ended["result"]["id"] }))
            .await
            .field("integrationServer");
        assert_eq!(report["report"]["periods"].as_array().unwrap().len(), periods.len());
        let sent = &house.server.seen(&Calls::to("POST", "/reports/tenants"))[0];
        assert!(
            sent.query.contains(&format!("tenantId={}", house.server.tenant("North").id)),
            "{}",
            sent.query
        );
    }

    async fn every_dialect_ends_tasks_alike(engine: Engine) {
        let house = House::on(engine).await;
        let mut all: Vec<(&str, Value)> = Vec::new();
        for dialect in Dialect::ALL {
            house.server.set_dialect(dialect);
            let made = house
                .create_with(complete(&format!("new-{}", dialect.name)))
                .await
                .field("createIntegrationServerTenant");
            let created = ended(&house.partner, &made["id"]).await;
            let activated = only(begin(&house.south, "deactivateIntegrationServerTenant").await);
            let deactivated = ended(&house.south, &activated["id"]).await;
            let activated = only(begin(&house.south, "activateIntegrationServerTenant").await);
            let activated = ended(&house.south, &activated["id"]).await;
            let reported = only(begin(&house.north, "createIntegrationServerReport").await);
            let reported = ended(&house.north, &reported["id"]).await;
            house.server.order_task(
                TaskKind::ChangeTenantActivation,
                Fate::fails("KSC_ServiceNotConfigured"),
                1,
            );
            let failing = begin(&house.north, "deactivateIntegrationServerTenant").await;
            // Where the server does not return its task's id, a task that failed without effect
            // cannot be told from a task of another client.
            let failed = if dialect.name == "silent" {
                assert_eq!(failing.body["errors"][0]["extensions"]["outcome"], "UNKNOWN");
                all[0].1[11].clone()
            } else {
                ended(&house.north, &only(failing)["id"]).await["error"].clone()
            };
            let told = json!([
                created["result"]["name"].as_str().unwrap().replace(dialect.name, ""),
                created["result"]["type"],
                created["result"]["userData"],
                created["result"]["description"],
                created["type"],
                created["state"],
                created["progress"],
                deactivated["result"],
                deactivated["state"],
                activated["result"],
                reported["result"]["periods"],
                failed,
            ]);
            all.push((dialect.name, told));
        }
        for (name, told) in &all {
            assert_eq!(told, &all[0].1, "{name}");
        }
    }

    async fn task_is_canceled(house: House) {
        house.server.order_task(TaskKind::CreateTenant, Fate::NeverEnds, 1);
        let made = house.create("Endless").await.field("createIntegrationServerTenant");
        let cancel = "mutation($id: ID!) { cancelIntegrationServerTask(id: $id) { id state } }";
        let canceled = house
            .partner
            .ask(cancel, json!({ "id": made["id"] }))
            .await
            .field("cancelIntegrationServerTask");
        assert_eq!(canceled["id"], made["id"]);
        let ended = ended(&house.partner, &made["id"]).await;
        assert_eq!(
            (&ended["state"], &ended["error"]["message"]),
            (&json!("CANCELED"), &json!("the task was canceled"))
        );
        assert_eq!(house.partner.ask(cancel, json!({ "id": made["id"] })).await.code(), "CONFLICT");
        house.server.order_task(TaskKind::CreateTenant, Fate::Child, 1);
        let child = house.create("Child").await;
        let child = child.field("createIntegrationServerTenant");
        assert_eq!(
            house.partner.ask(cancel, json!({ "id": child["id"] })).await.code(),
            "CONFLICT"
        );
    }

    async fn task_with_lost_answer_is_reconciled_without_a_second_call(house: House) {
        let posts = [
            ("/tenants", "POST"),
            ("/tenants/*/deactivate", "POST"),
            ("/reports/tenants", "POST"),
            ("/tenants/*", "DELETE"),
        ];
        for (path, method) in posts {
            house.server.order(Calls::to(method, path), Fault::LoseAnswer, 1);
        }
        let made = house.create("Lost").await.field("createIntegrationServerTenant");
        assert_eq!(
            (&made["state"], &made["result"]["name"]),
            (&json!("COMPLETED"), &json!("Lost"))
        );
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        assert_eq!(ended(&house.north, &task["id"]).await["state"], "COMPLETED");
        let task = only(begin(&house.north, "createIntegrationServerReport").await);
        assert!(ended(&house.north, &task["id"]).await["result"]["periods"].is_array());
        let task =
            only(begin(&house.north, "deleteIntegrationServerTenant(removeArtifacts: true)").await);
        assert_eq!(ended(&house.north, &task["id"]).await["result"]["name"], "North");
        for (path, method) in posts {
            assert_eq!(house.server.count(&Calls::to(method, path)), 1, "{method} {path}");
        }
    }

    async fn task_is_reconciled_after_a_503_of_a_proxy(house: House) {
        let writes = [
            ("/tenants", "POST"),
            ("/tenants/*/deactivate", "POST"),
            ("/tenants/*/vms/register", "POST"),
        ];
        for (path, method) in writes {
            house.server.order(Calls::to(method, path), Fault::Proxy { status: 503 }, 1);
        }
        let made = house.create("Begun").await.field("createIntegrationServerTenant");
        assert_eq!(
            (&made["state"], &made["result"]["name"]),
            (&json!("COMPLETED"), &json!("Begun"))
        );
        let task = only(begin(&house.north, "deactivateIntegrationServerTenant").await);
        assert_eq!(ended(&house.north, &task["id"]).await["state"], "COMPLETED");
        let machine = register(&house, json!({ "biosID": BIOS_ID, "name": "web-99" })).await;
        assert_eq!(machine.field("registerVirtualMachine")["name"], "web-99");
        for (path, method) in writes {
            assert_eq!(house.server.count(&Calls::to(method, path)), 1, "{method} {path}");
        }
    }

    async fn error_after_a_sent_call_has_unknown_outcome_if_the_database_fails(house: House) {
        let deactivation = Calls::to("POST", "/tenants/*/deactivate");
        house.server.order(deactivation.clone(), Fault::Delay { millis: 1_000 }, 1);
        let north = house.north.clone();
        let asked =
            tokio::spawn(async move { begin(&north, "deactivateIntegrationServerTenant").await });
        eventually(10, "the change", async || {
            (house.server.count(&deactivation) == 1).then_some(())
        })
        .await;
        house
            .app
            .operator
            .execute("ALTER TABLE integration_server_tasks RENAME TO tasks_gone")
            .await;
        let answer = asked.await.unwrap();
        let told = &answer.body["errors"][0]["extensions"];
        assert_eq!(
            (answer.code(), &told["outcome"], &told["retryable"]),
            ("INTERNAL_SERVER_ERROR", &json!("UNKNOWN"), &json!(false))
        );
    }

    async fn unavailable_server_leaves_outcome_unknown(house: House) {
        house.server.order(
            Calls::to("POST", "/tenants/*/vms/register"),
            Fault::Status { status: 503, retry_after: None },
            1,
        );
        let lost = register(&house, json!({ "biosID": BIOS_ID })).await;
        let extensions = &lost.body["errors"][0]["extensions"];
        assert_eq!(
            (lost.code(), &extensions["outcome"], &extensions["retryable"]),
            ("UPSTREAM_UNAVAILABLE", &json!("UNKNOWN"), &json!(false))
        );
    }

    async fn machine_with_lost_answer_is_found_in_the_list(house: House) {
        house.server.order(Calls::to("POST", "/tenants/*/vms/*"), Fault::LoseAnswer, 2);
        let made = register(&house, json!({ "biosID": BIOS_ID, "name": "web-99" }))
            .await
            .field("registerVirtualMachine");
        assert_eq!(made["name"], "web-99");
        let gone =
            unregister(&house, json!({ "id": made["id"] })).await.field("unregisterVirtualMachine");
        assert_eq!(gone["id"], made["id"]);
        assert_eq!(house.server.count(&Calls::to("POST", "/tenants/*/vms/*")), 2);
    }

    async fn task_that_is_not_matched_at_once_is_matched_later(engine: Engine) {
        let house = House::with(engine, |config| {
            config.task_timing(TaskTiming::of(Duration::from_millis(2500)))
        })
        .await;
        house.server.order(Calls::to("POST", "/tenants"), Fault::LoseAnswer, 1);
        let lost = house.create("Later").await;
        let extensions = &lost.body["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["outcome"], &extensions["retryable"]),
            (&json!("UNKNOWN"), &json!(false)),
            "{extensions}"
        );
        let document = "{ integrationServer { tasks { nodes { id state result { ... on \
            IntegrationServerTenant { name } } } } } }";
        let found = eventually(30, "the task among the others", async || {
            let seen = house.partner.ask(document, json!({})).await.field("integrationServer");
            let tasks = seen["tasks"]["nodes"].clone();
            tasks.get(0).cloned()
        });
        let found = found.await;
        assert_eq!(
            (&found["state"], &found["result"]["name"]),
            (&json!("COMPLETED"), &json!("Later"))
        );
        assert_eq!(house.server.count(&Calls::to("POST", "/tenants")), 1);
    }

    async fn task_unknown_to_the_server_completes_when_its_effect_is_found(engine: Engine) {
        let house = House::with(engine, |config| {
            let task_timing = TaskTiming {
                waiting: Duration::from_millis(100),
                ..TaskTiming::of(Duration::from_millis(200))
            };
            let config = config.task_timing(task_timing);
            Config { tasks_kept: Some(Duration::ZERO), ..config }
        })
        .await;
        let fresh = house.app.operator.tenant(house.app.world.organization, "Fresh", false).await;
        let made = house
            .create_with(json!({ "name": "Fresh", "type": "SIMPLE", "linkTenantID": fresh }))
            .await;
        let made = made.field("createIntegrationServerTenant");
        let ended = ended(&house.partner, &made["id"]).await;
        assert_eq!(
            (&ended["state"], &ended["result"]["name"]),
            (&json!("COMPLETED"), &json!("Fresh"))
        );
        let own = house
            .partner
            .within(fresh)
            .ask("{ integrationServer { tenant { name } } }", json!({}))
            .await;
        assert_eq!(own.field("integrationServer")["tenant"]["name"], "Fresh");
    }

    async fn tenant_that_cannot_be_linked_remains_and_its_task_has_an_error(engine: Engine) {
        let house = House::with(engine, House::slow).await;
        let fresh = house.app.operator.tenant(house.app.world.organization, "Fresh", false).await;
        let made = house
            .create_with(json!({ "name": "Fresh", "type": "SIMPLE", "linkTenantID": fresh }))
            .await;
        let made = made.field("createIntegrationServerTenant");
        link(&house.partner, &house.upstream, fresh, &house.server.tenant("Other").id).await;
        let ended = ended(&house.partner, &made["id"]).await;
        assert_eq!(
            (&ended["state"], &ended["error"]["code"], &ended["result"]["name"]),
            (&json!("COMPLETED"), &Value::Null, &json!("Fresh"))
        );
        assert!(
            ended["error"]["message"].as_str().unwrap().contains("could not be linked"),
            "{ended}"
        );
        assert!(house.server.found_tenant("Fresh").is_some());
        let seen = house
            .partner
            .within(fresh)
            .ask("{ integrationServer { tenant { name } } }", json!({}))
            .await;
        assert_eq!(seen.field("integrationServer")["tenant"]["name"], "Other");
    }

    async fn machine_of_another_tenant_cannot_be_registered(house: House) {
        let south = house.server.found_tenant("South").unwrap();
        let taken = register(&house, json!({ "biosID": south.machines[0].bios_id })).await;
        assert_eq!(
            (taken.code(), taken.message()),
            ("CONFLICT", "no machine can be registered under this BIOS identifier")
        );
        assert!(!taken.body.to_string().contains("South"));
    }
}
