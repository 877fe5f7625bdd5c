//! Mutations.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;

use super::rig::{Rig, ask, see};
use crate::support::{Caller, both_databases, eventually, notes};

async fn change(caller: &Caller, field: &str, input: Value) -> crate::support::Answer {
    let (name, rest) = field.split_once(' ').unwrap();
    let kind = match name {
        "createDeepSecurityApiKey" | "generateDeepSecurityTenantApiKey" => {
            "CreateDeepSecurityApiKeyInput"
        }
        "updateDeepSecurityApiKey" => "UpdateDeepSecurityApiKeyInput",
        "createDeepSecurityPolicy" | "updateDeepSecurityPolicy" => "DeepSecurityPolicyInput",
        _ => "UpdateDeepSecurityComputerInput",
    };
    let (id, rest) = rest.split_once("| ").map_or(("", rest), |(id, rest)| (id, rest));
    let document = format!("mutation($input: {kind}!) {{ {name}({id} input: $input) {rest} }}");
    caller.ask(&document, json!({ "input": input })).await
}

/// A client that may change legacy resources of north for so many seconds.
async fn limited_writer(rig: &Rig, seconds: u64) -> Caller {
    let administrator = rig.partner.within(rig.world.north);
    let client = administrator.create("on call", &[&Role::Auditor.id().to_string()]).await;
    let document = "mutation($id: ID!, $role: ID!, $end: String) {
        appendClientRoles(id: $id, roles: [{ roleID: $role, expiresAt: $end }]) { id } }";
    let end = rig.in_seconds(seconds);
    let variables = json!({ "id": client.id, "role": Role::Responder.id(), "end": end });
    administrator.ask(document, variables).await.data();
    rig.log_in(client).await
}

fn north_keys(rig: &Rig) -> usize {
    rig.manager.api_keys(rig.manager.customer("North").id).len()
}

both_databases! {
    async fn api_key_is_created_with_every_field_and_its_secret_is_shown_once(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let seen = see(&writer, "roles(name: \"Auditor\") { nodes { id } }").await;
        let role = seen["roles"]["nodes"][0]["id"].clone();
        let two_weeks = rig.in_seconds(14 * 24 * 3600);
        let input = json!({
            "keyName": "Report",
            "roleID": role,
            "description": "Read-only access",
            "locale": "EN_US",
            "timeZone": "Asia/Tokyo",
            "expiryDate": two_weeks,
        });
        let selection =
            "{ secretKey apiKey { id keyName description locale localeText roleID role {
            name } timeZone active created
            lastSignIn unlockTime unsuccessfulSignInAttempts expiryDate serviceAccount } }";
        let made = change(&writer, &format!("createDeepSecurityApiKey {selection}"), input)
            .await
            .field("createDeepSecurityApiKey");
        let secret = made["secretKey"].as_str().unwrap();
        let key = &made["apiKey"];
        notes::note(secret);
        let expected = json!({
            "id": key["id"],
            "keyName": "Report",
            "description": "Read-only access",
            "locale": "EN_US",
            "localeText": "en-US",
            "roleID": "2",
            "role": { "name": "Auditor" },
            "timeZone": "Asia/Tokyo",
            "active": true,
            "created": rig.in_seconds(0),
            "lastSignIn": null,
            "unlockTime": null,
            "unsuccessfulSignInAttempts": 0,
            "expiryDate": two_weeks,
            "serviceAccount": false,
        });
        assert_eq!(*key, expected);
        let current = format!("{}/apikeys/current", rig.manager.base_url);
        let works = async |secret: &str| {
            let get = reqwest::Client::new()
                .get(&current)
                .header("api-version", "v1")
                .header("api-secret-key", secret);
            get.send().await.unwrap().status().is_success()
        };
        assert!(works(secret).await);
        let again = see(&writer, &format!("apiKey(id: {}) {{ keyName }}", key["id"])).await;
        assert_eq!(again["apiKey"], json!({ "keyName": "Report" }));
        let rotate = "mutation($id: ID!) { rotateDeepSecurityApiKeySecret(id: $id) { secretKey \
            apiKey { id } } }";
        let rotated = writer
            .ask(rotate, json!({ "id": key["id"] }))
            .await
            .field("rotateDeepSecurityApiKeySecret");
        let new = rotated["secretKey"].as_str().unwrap();
        notes::note(new);
        assert!(works(new).await && !works(secret).await);
        let field = format!("updateDeepSecurityApiKey id: {},| {{ active keyName }}", key["id"]);
        let locked = change(&writer, &field, json!({ "active": false })).await;
        assert_eq!(
            locked.field("updateDeepSecurityApiKey"),
            json!({ "active": false, "keyName": "Report" })
        );
        assert!(!works(new).await);
        let delete = "mutation($id: ID!) { deleteDeepSecurityApiKey(id: $id) }";
        assert_eq!(
            writer.ask(delete, json!({ "id": key["id"] })).await.field("deleteDeepSecurityApiKey"),
            key["id"]
        );
        assert_eq!(writer.ask(delete, json!({ "id": key["id"] })).await.code(), "NOT_FOUND");
    }

    async fn expiry_is_accepted_under_its_present_and_its_deprecated_name(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let end = rig.in_seconds(3600);
        let field = "createDeepSecurityApiKey { secretKey apiKey { expiresAt expiryDate createdAt \
            created } }";
        for name in ["expiresAt", "expiryDate"] {
            let made =
                change(&writer, field, json!({ "keyName": name, "roleID": "2", name: end })).await;
            let made = made.field("createDeepSecurityApiKey");
            notes::note(made["secretKey"].as_str().unwrap());
            let now = rig.in_seconds(0);
            let expected =
                json!({ "expiresAt": end, "expiryDate": end, "createdAt": now, "created": now });
            assert_eq!(made["apiKey"], expected);
        }
        let both = json!({ "keyName": "both", "roleID": "2", "expiresAt": end, "expiryDate": end });
        assert_eq!(change(&writer, field, both).await.code(), "BAD_USER_INPUT");
    }

    async fn secret_is_shown_although_sibling_mutation_fails(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let document = r#"mutation {
            made: createDeepSecurityApiKey(input: { keyName: "Report", roleID: "2" }) { secretKey }
            failed: updateDeepSecurityApiKey(id: "4711", input: { active: false }) { id }
        }"#;
        let answer = writer.ask(document, json!({})).await;
        notes::note(
            answer.body["data"]["made"]["secretKey"].as_str().expect("the secret is shown"),
        );
        assert_eq!(answer.body["data"]["failed"], Value::Null);
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["path"]),
            ("NOT_FOUND", &json!(["failed"]))
        );
    }

    async fn tenant_key_is_created_by_the_primary_and_always_expires(rig: Rig) {
        let writer = rig.writer(rig.world.south).await;
        let input = json!({
            "keyName": "Temporary Key",
            "roleID": "1",
            "locale": "EN_US",
            "timeZone": "Asia/Tokyo",
        });
        let field = "generateDeepSecurityTenantApiKey { secretKey apiKey { keyName serviceAccount \
            expiryDate role { name } } }";
        let made = change(&writer, field, input).await.field("generateDeepSecurityTenantApiKey");
        notes::note(made["secretKey"].as_str().unwrap());
        let expected = json!({
            "keyName": "Temporary Key",
            "serviceAccount": true,
            "expiryDate": rig.in_seconds(6 * 3600),
            "role": { "name": "Full Access" },
        });
        assert_eq!(made["apiKey"], expected);
        let south = rig.manager.customer("South").id;
        let sent = rig.manager.seen(&Calls::to("POST", &format!("/tenants/{south}/apikeys")).of(0));
        assert!(sent.last().unwrap().body.contains("expiryDate"));
    }

    async fn api_key_does_not_outlive_the_role_of_its_creator(rig: Rig) {
        let limited = limited_writer(&rig, 1800).await;
        let end = rig.in_seconds(1800);
        for field in ["createDeepSecurityApiKey", "generateDeepSecurityTenantApiKey"] {
            let selection = format!("{field} {{ secretKey apiKey {{ expiresAt }} }}");
            for (wished, given) in [
                (Value::Null, &end),
                (json!(rig.in_seconds(600)), &rig.in_seconds(600)),
                (json!(end), &end),
            ] {
                let input = json!({ "keyName": "Report", "roleID": "1", "expiresAt": wished });
                let made = change(&limited, &selection, input).await.field(field);
                notes::note(made["secretKey"].as_str().unwrap());
                assert_eq!(made["apiKey"]["expiresAt"], json!(given), "{field} until {wished}");
            }
            let asked = rig.manager.count(&Calls::all());
            let keys = north_keys(&rig);
            let input =
                json!({ "keyName": "Report", "roleID": "1", "expiresAt": rig.in_seconds(1801) });
            let refused = change(&limited, &selection, input).await;
            assert_eq!(refused.code(), "FORBIDDEN", "{field}: {}", refused.body);
            assert_eq!(
                (rig.manager.count(&Calls::all()), north_keys(&rig)),
                (asked, keys),
                "nothing was sent"
            );
        }
    }

    async fn api_key_that_outlives_the_callers_role_is_neither_taken_over_nor_strengthened(
        rig: Rig,
    ) {
        let writer = rig.writer(rig.world.north).await;
        let limited = limited_writer(&rig, 1800).await;
        let input = json!({ "keyName": "Endless", "roleID": "2" });
        let made = change(&writer, "createDeepSecurityApiKey { secretKey apiKey { id } }", input)
            .await
            .field("createDeepSecurityApiKey");
        notes::note(made["secretKey"].as_str().unwrap());
        let id = &made["apiKey"]["id"];
        let rotate = "mutation($id: ID!) { rotateDeepSecurityApiKeySecret(id: $id) { secretKey } }";
        let update = format!("updateDeepSecurityApiKey id: {id},| {{ active }}");
        let changed = Calls::to("POST", "/apikeys/*");
        let before = rig.manager.count(&changed);
        assert_eq!(limited.ask(rotate, json!({ "id": id })).await.code(), "FORBIDDEN");
        for input in [
            json!({ "active": true }),
            json!({ "roleID": "1" }),
            json!({ "expiresAt": rig.in_seconds(1801) }),
        ] {
            assert_eq!(
                change(&limited, &update, input.clone()).await.code(),
                "FORBIDDEN",
                "{input}"
            );
        }
        assert_eq!(rig.manager.count(&changed), before, "nothing was sent");
        for input in [
            json!({ "active": false }),
            json!({ "description": "locked" }),
            json!({ "expiresAt": rig.in_seconds(900) }),
        ] {
            change(&limited, &update, input).await.data();
        }
        let rotated =
            limited.ask(rotate, json!({ "id": id })).await.field("rotateDeepSecurityApiKeySecret");
        notes::note(rotated["secretKey"].as_str().unwrap());
    }

    async fn policy_is_created_changed_and_deleted(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let selection = "{ id remoteID name description parentID parent { name } autoRequiresUpdate
            recommendationScanMode
            intrusionPrevention { state ruleIDs moduleStatus { status } } firewall { state } }";
        let input = json!({
            "name": "Web",
            "parentID": "1",
            "description": "made",
            "autoRequiresUpdate": "ON",
            "intrusionPrevention": { "state": "PREVENT", "ruleIDs": ["1", "2"] },
            "firewall": { "state": "ON" },
        });
        let made = change(&writer, &format!("createDeepSecurityPolicy {selection}"), input)
            .await
            .field("createDeepSecurityPolicy");
        let expected = json!({
            "id": made["id"],
            "remoteID": "4",
            "name": "Web",
            "description": "made",
            "parentID": "1",
            "parent": { "name": "Base Policy" },
            "autoRequiresUpdate": "ON",
            "recommendationScanMode": made["recommendationScanMode"],
            "intrusionPrevention": {
                "state": "PREVENT",
                "ruleIDs": ["1", "2"],
                "moduleStatus": { "status": "ACTIVE" },
            },
            "firewall": { "state": "ON" },
        });
        assert_eq!(made, expected);
        let input = json!({
            "name": "Web",
            "parentID": null,
            "intrusionPrevention": { "state": "INHERITED" },
        });
        let field = format!("updateDeepSecurityPolicy id: 4,| {selection}");
        let changed = change(&writer, &field, input).await.field("updateDeepSecurityPolicy");
        assert_eq!(
            (&changed["parentID"], &changed["intrusionPrevention"]["state"]),
            (&Value::Null, &json!("OFF"))
        );
        assert_eq!(
            writer
                .ask("mutation { deleteDeepSecurityPolicy(id: 4) }", json!({}))
                .await
                .field("deleteDeepSecurityPolicy"),
            made["id"]
        );
        let used = writer.ask("mutation { deleteDeepSecurityPolicy(id: 1) }", json!({})).await;
        assert_eq!(used.code(), "UPSTREAM_REJECTED");
        let south = see(&rig.reader(rig.world.south).await, "policies { nodes { name } }").await;
        assert_eq!(south["policies"]["nodes"].as_array().unwrap().len(), 3);
    }

    async fn computer_is_changed_and_deleted(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let field = "updateDeepSecurityComputer id: 3,| { policyID policy { name } displayName \
            firewall { state } }";
        let input = json!({ "policyID": "2", "displayName": "Front" });
        let changed = change(&writer, field, input).await.field("updateDeepSecurityComputer");
        assert_eq!(
            (&changed["policyID"], &changed["policy"]["name"]),
            (&json!("2"), &json!("Windows Server"))
        );
        assert_eq!(
            (&changed["displayName"], &changed["firewall"]["state"]),
            (&json!("Front"), &json!("ON"))
        );
        let removed = change(&writer, field, json!({ "policyID": null }))
            .await
            .field("updateDeepSecurityComputer");
        assert_eq!(
            (&removed["policyID"], &removed["displayName"]),
            (&Value::Null, &json!("Front"))
        );
        let id = see(&writer, "computer(id: 3) { id }").await["computer"]["id"].clone();
        let delete = "mutation { deleteDeepSecurityComputer(id: 3) }";
        assert_eq!(writer.ask(delete, json!({})).await.field("deleteDeepSecurityComputer"), id);
        assert_eq!(ask(&writer, "computer(id: 3) { id }").await.code(), "NOT_FOUND");
    }

    async fn invalid_input_is_refused_before_a_call(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let past = rig.in_seconds(0);
        for (field, input) in [
            ("createDeepSecurityApiKey { secretKey }", json!({ "keyName": "", "roleID": "1" })),
            ("createDeepSecurityApiKey { secretKey }", json!({ "keyName": "a\nb", "roleID": "1" })),
            (
                "createDeepSecurityApiKey { secretKey }",
                json!({ "keyName": "x".repeat(255), "roleID": "1" }),
            ),
            ("createDeepSecurityApiKey { secretKey }", json!({ "keyName": "a", "roleID": "../1" })),
            (
                "createDeepSecurityApiKey { secretKey }",
                json!({ "keyName": "a", "roleID": "1", "timeZone": "Mars/Base" }),
            ),
            (
                "createDeepSecurityApiKey { secretKey }",
                json!({ "keyName": "a", "roleID": "1", "expiryDate": past }),
            ),
            (
                "createDeepSecurityApiKey { secretKey }",
                json!({ "keyName": "a", "roleID": "1", "locale": "UNKNOWN" }),
            ),
            ("createDeepSecurityPolicy { id }", json!({ "name": " " })),
            (
                "createDeepSecurityPolicy { id }",
                json!({ "name": "a", "intrusionPrevention": { "state": "ON" } }),
            ),
            (
                "createDeepSecurityPolicy { id }",
                json!({ "name": "a", "firewall": { "state": "PREVENT" } }),
            ),
            (
                "createDeepSecurityPolicy { id }",
                json!({ "name": "a", "firewall": { "ruleIDs": ["x"] } }),
            ),
            ("createDeepSecurityPolicy { id }", json!({ "name": "a", "parentID": "-1" })),
            ("createDeepSecurityPolicy { id }", json!({ "name": "x".repeat(255) })),
            (
                "createDeepSecurityPolicy { id }",
                json!({ "name": "a", "description": "x".repeat(1001) }),
            ),
            (
                "createDeepSecurityPolicy { id }",
                json!({ "name": "a", "firewall": { "ruleIDs": vec!["1"; 10_001] } }),
            ),
            ("updateDeepSecurityApiKey id: 1,| { id }", json!({})),
            ("updateDeepSecurityComputer id: 1,| { id }", json!({})),
            ("updateDeepSecurityComputer id: 1,| { id }", json!({ "policyID": "1/2" })),
        ] {
            assert_eq!(
                change(&writer, field, input.clone()).await.code(),
                "BAD_USER_INPUT",
                "{field} {input}"
            );
        }
        for field in
            ["deleteDeepSecurityApiKey", "deleteDeepSecurityPolicy", "deleteDeepSecurityComputer"]
        {
            let answer =
                writer.ask(&format!("mutation {{ {field}(id: \"1/../2\") }}"), json!({})).await;
            assert_eq!(answer.code(), "NOT_FOUND");
        }
        assert_eq!(rig.manager.count(&Calls::all()), 0);
    }

    async fn unrecorded_change_is_not_retryable(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        see(&writer, "policies { nodes { id } }").await;
        let created = Calls::to("POST", "/policies");
        rig.manager.order(created.clone(), Fault::Delay { millis: 1_000 }, 1);
        let asked = tokio::spawn(async move {
            change(&writer, "createDeepSecurityPolicy { id }", json!({ "name": "made" })).await
        });
        eventually(10, "the change", async || (rig.manager.count(&created) == 1).then_some(()))
            .await;
        rig.operator.execute("ALTER TABLE audit_log RENAME TO audit_gone").await;
        let answer = asked.await.unwrap();
        let told = &answer.body["errors"][0]["extensions"];
        assert_eq!(
            (answer.code(), &told["outcome"], &told["retryable"]),
            ("INTERNAL_SERVER_ERROR", &json!("UNKNOWN"), &json!(false))
        );
    }

    async fn reader_cannot_change_anything(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let answer = reader.ask("mutation { deleteDeepSecurityComputer(id: 1) }", json!({})).await;
        assert_eq!(answer.code(), "FORBIDDEN");
        assert_eq!(rig.manager.count(&Calls::all()), 0);
    }

    async fn audit_log_finds_an_object_by_its_global_id_within_its_tenant_only(rig: Rig) {
        let north = rig.app.administrator(rig.world.north).await;
        let south = rig.app.administrator(rig.world.south).await;
        for caller in [&north, &south] {
            for part in [
                "updateDeepSecurityComputer id: 1,| { id }",
                "updateDeepSecurityPolicy id: 1,| { id }",
            ] {
                let input = if part.contains("Policy") {
                    json!({ "name": "Renamed" })
                } else {
                    json!({ "displayName": "Front" })
                };
                change(caller, part, input).await.data();
            }
        }
        let document =
            "{ deepSecurity { computer(id: 1) { id } policy(id: 1) { id } role(id: 1) { id } } }";
        let ids = north.ask(document, json!({})).await.field("deepSecurity");
        let found = async |caller: &Caller, id: &Value| {
            let document = "query($id: String!) { auditLog(subject: $id) { totalCount nodes { \
                operation subject tenantID outcome } } }";
            caller.ask(document, json!({ "id": id })).await.field("auditLog")
        };
        let record = |operation: &str, outcome: &str| {
            json!({
                "operation": operation,
                "subject": "1",
                "tenantID": rig.world.north,
                "outcome": outcome,
            })
        };
        for caller in [&north, &rig.partner] {
            for (kind, operation) in
                [("computer", "updateDeepSecurityComputer"), ("policy", "updateDeepSecurityPolicy")]
            {
                let expected = json!({
                    "totalCount": 2,
                    "nodes": [record(operation, "SUCCEEDED"), record(operation, "BEGUN")],
                });
                assert_eq!(found(caller, &ids[kind]["id"]).await, expected);
            }
        }
        let nothing = found(&south, &json!("unknown")).await;
        assert_eq!(nothing, json!({ "totalCount": 0, "nodes": [] }));
        assert_eq!(found(&south, &ids["computer"]["id"]).await, nothing, "foreign");
        assert_eq!(found(&north, &ids["role"]["id"]).await, nothing, "never changed");
    }

    async fn change_is_audited_before_and_after(rig: Rig) {
        let administrator = rig.app.administrator(rig.world.north).await;
        let input = json!({ "displayName": "Front" });
        change(&administrator, "updateDeepSecurityComputer id: 3,| { id }", input).await.data();
        let log = "{ auditLog(operation: \"updateDeepSecurityComputer\") { nodes { subject outcome \
            before after tenantID } } }";
        let log = administrator.ask(log, json!({})).await.field("auditLog");
        let records = log["nodes"].as_array().unwrap();
        assert_eq!(
            records.iter().map(|record| &record["outcome"]).collect::<Vec<_>>(),
            ["SUCCEEDED", "BEGUN"]
        );
        assert!(
            records
                .iter()
                .all(|record| record["subject"] == "3"
                    && record["tenantID"] == json!(rig.world.north))
        );
        assert_eq!(
            (&records[0]["before"]["displayName"], &records[0]["after"]["displayName"]),
            (&json!(""), &json!("Front"))
        );
        let made = change(
            &administrator,
            "createDeepSecurityApiKey { secretKey }",
            json!({ "keyName": "k", "roleID": "2" }),
        )
        .await;
        let secret =
            made.field("createDeepSecurityApiKey")["secretKey"].as_str().unwrap().to_owned();
        notes::note(&secret);
        let all = administrator.ask("{ auditLog { nodes { before after } } }", json!({})).await;
        assert!(!all.body.to_string().contains(&secret));
    }
}
