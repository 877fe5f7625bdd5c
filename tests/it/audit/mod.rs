//! The audit log: every change and refusal, readable by administrators only.

mod chain;
mod floods;
mod retention;
mod tenants;

use serde_json::{Value, json};
use tenant_gateway::config::{Config, TrustedDocumentsMode};
use tenant_gateway::roles::Role;

use crate::support::caller::CREDENTIALS;
use crate::support::{Caller, Credentials, TestApp, both_databases, eventually};

const RECORD: &str = "{ id at actor actingTenantID tenantID operation subject outcome code \
    errorCode reason count requestID callerRequestID upstreamRequestIDs before after }";

/// The newest records, newest first.
async fn log(reader: &Caller, arguments: &str) -> Vec<Value> {
    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
    let answer =
        reader.ask(&format!("{{ auditLog{arguments} {{ nodes {RECORD} }} }}"), json!({})).await;
    answer.field("auditLog")["nodes"].as_array().unwrap().clone()
}

/// Sends a request with the given request id.
async fn ask_as(
    caller: &Caller,
    request_id: &str,
    tenant: impl ToString,
    document: &str,
    variables: Value,
) -> Value {
    let request = caller.gateway.graphql(document, &variables).bearer_auth(&caller.token);
    let request =
        request.header("X-Request-Id", request_id).header("X-Tenant-Context", tenant.to_string());
    caller.gateway.send(request).await.body
}

/// A node that executes no document, since none is trusted.
async fn strict_node(app: &TestApp, settings: impl FnOnce(&mut Config)) -> TestApp {
    let list = app.database.folder.path().join("documents.json");
    std::fs::write(&list, "{}").unwrap();
    app.another_node_with(|config| {
        config.graphql.trusted_documents = Some(list);
        config.graphql.trusted_documents_mode = TrustedDocumentsMode::Only;
        settings(config);
    })
    .await
}

both_databases! {
    async fn every_mutation_is_recorded(app: TestApp) {
        let root = app.administrator(app.world.organization).await;
        let north = app.world.north;
        let ask = async |operation: &str, arguments: &str, selection: &str| {
            let document = format!("mutation {{ {operation}({arguments}) {selection} }}");
            let body =
                ask_as(&root, &format!("request-{operation}"), north, &document, json!({})).await;
            assert!(body.get("errors").is_none(), "{body}");
            body["data"][operation].clone()
        };
        let tenant = ask("createTenant", "newTenant: { name: \"made\" }", "{ id }").await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        ask(
            "updateTenant",
            &format!("tenantID: \"{tenant}\", tenantUpdate: {{ name: \"renamed\" }}"),
            "{ id \
            }",
        )
        .await;
        let robot = Credentials::of(&ask("createClient", "name: \"robot\"", CREDENTIALS).await);
        let id = format!("id: \"{}\"", robot.id);
        ask(
            "updateClient",
            &format!("{id}, input: {{ enabled: true, name: \"robot 2\" }}"),
            "{ id }",
        )
        .await;
        app.advance(1);
        ask("rotateClientSecret", &format!("{id}, gracePeriodSeconds: 600"), CREDENTIALS).await;
        let old = root.client(&robot.id, "{ secrets { id } }").await["secrets"][1]["id"].clone();
        ask("retireClientSecret", &format!("{id}, secretID: {old}"), "{ id }").await;
        ask("forceRotateClientSecret", &id, CREDENTIALS).await;
        let auditor = Role::Auditor.id();
        ask("appendClientRoles", &format!("{id}, roles: [{{ roleID: \"{auditor}\" }}]"), "{ id }")
            .await;
        ask("removeClientRoles", &format!("{id}, roles: [\"{auditor}\"]"), "{ id }").await;
        ask("deleteClient", &id, "{ id }").await;

        let expected = [
            ("deleteClient", &robot.id, true, false),
            ("removeClientRoles", &robot.id, true, true),
            ("appendClientRoles", &robot.id, true, true),
            ("forceRotateClientSecret", &robot.id, true, true),
            ("retireClientSecret", &robot.id, true, true),
            ("rotateClientSecret", &robot.id, true, true),
            ("updateClient", &robot.id, true, true),
            ("createClient", &robot.id, false, true),
            ("updateTenant", &tenant, true, true),
            ("createTenant", &tenant, false, true),
        ];
        let records = log(&root, &format!("actor: \"{}\"", root.id())).await;
        assert_eq!(records.len(), expected.len());
        for (record, (operation, subject, before, after)) in records.iter().zip(expected) {
            assert_eq!(
                (&record["operation"], &record["subject"], &record["outcome"]),
                (&json!(operation), &json!(subject), &json!("SUCCEEDED"))
            );
            assert_eq!(
                (record["before"].is_object(), record["after"].is_object()),
                (before, after),
                "{operation}"
            );
            assert_eq!(
                (&record["actor"], &record["actingTenantID"]),
                (&json!(root.id()), &json!(app.world.organization))
            );
            assert_eq!(
                record["tenantID"],
                if operation.ends_with("Tenant") { json!(tenant) } else { json!(north) }
            );
            assert_eq!(
                (&record["callerRequestID"], &record["code"], &record["count"]),
                (&json!(format!("request-{operation}")), &Value::Null, &json!(1))
            );
            assert_eq!(record["upstreamRequestIDs"], json!([]));
        }
        let renamed = &records[6];
        assert_eq!(
            (&renamed["before"]["name"], &renamed["after"]["name"]),
            (&json!("robot"), &json!("robot 2"))
        );
        assert_eq!(
            records[2]["after"]["roles"].as_array().unwrap().len(),
            records[2]["before"]["roles"].as_array().unwrap().len() + 1
        );
    }

    async fn requests_with_one_caller_request_id_are_distinguished(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        for name in ["one", "two"] {
            let document =
                format!("mutation {{ createClient(name: \"{name}\") {{ client {{ id }} }} }}");
            ask_as(&administrator, "same", app.world.north, &document, json!({})).await;
        }
        let both = log(&administrator, "requestID: \"same\"").await;
        assert_eq!(both.len(), 2, "{both:?}");
        assert_ne!(both[0]["requestID"], both[1]["requestID"]);
        for record in &both {
            let own = record["requestID"].as_str().unwrap();
            assert!(own.parse::<uuid::Uuid>().is_ok(), "{own}");
            let found = log(&administrator, &format!("requestID: \"{own}\"")).await;
            assert_eq!(found, std::slice::from_ref(record));
        }
        let unnamed = administrator
            .ask("mutation { createClient(name: \"three\") { client { id } } }", json!({}))
            .await;
        let record = &log(&administrator, "first: 1").await[0];
        assert_eq!(
            (record["requestID"].as_str(), &record["callerRequestID"]),
            (unnamed.header("x-request-id"), &Value::Null)
        );
    }

    async fn every_refusal_is_recorded(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        let cases = [
            (
                "createClient",
                "mutation { createClient(name: \"x\") { clientSecret } }",
                "FORBIDDEN",
            ),
            ("auditLog", "{ auditLog { nodes { id } } }", "FORBIDDEN"),
            ("deleteClient", "mutation { deleteClient(id: 1) { id } }", "FORBIDDEN"),
        ];
        for (number, (operation, document, code)) in cases.into_iter().enumerate() {
            let request = format!("refused-{number}");
            ask_as(&auditor, &request, app.world.north, document, json!({})).await;
            let newest = &log(&administrator, "first: 1").await[0];
            let expected = json!({
                "id": newest["id"],
                "at": app.in_seconds(0),
                "actor": auditor.id(),
                "actingTenantID": app.world.north,
                "tenantID": app.world.north,
                "operation": operation,
                "subject": null,
                "outcome": "REFUSED",
                "code": code,
                "errorCode": code,
                "reason": null,
                "count": 1,
                "requestID": newest["requestID"],
                "callerRequestID": request,
                "upstreamRequestIDs": [],
                "before": null,
                "after": null,
            });
            assert_eq!(*newest, expected);
        }
        for (document, code) in [
            ("mutation { createClient(name: \"\") { clientSecret } }", "BAD_USER_INPUT"),
            ("mutation { deleteClient(id: 1) { id } }", "NOT_FOUND"),
        ] {
            administrator.ask(document, json!({})).await;
            assert_eq!(log(&administrator, "first: 1, outcome: REFUSED").await[0]["code"], code);
        }
    }

    async fn record_names_field_instead_of_alias(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        auditor.ask("mutation { readClients: deleteClient(id: 1) { id } }", json!({})).await;
        assert_eq!(log(&administrator, "first: 1").await[0]["operation"], "deleteClient");
    }

    async fn unauthenticated_request_is_recorded(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        ask_as(&auditor, "door-1", app.world.south, "{ __typename }", json!({})).await;
        let newest = &log(&administrator, "first: 1").await[0];
        assert_eq!(
            (&newest["operation"], &newest["code"], &newest["callerRequestID"]),
            (&json!("graphql"), &json!("FORBIDDEN"), &json!("door-1"))
        );
        assert_eq!(
            (&newest["actor"], &newest["tenantID"]),
            (&json!(auditor.id()), &json!(app.world.north))
        );
        assert_eq!(newest["subject"], json!(app.world.south), "the log names the tenant of the attempt");
        ask_as(&auditor, "door-2", "no id of anything", "{ __typename }", json!({})).await;
        let newest = &log(&administrator, "first: 1").await[0];
        assert_eq!(
            (&newest["callerRequestID"], &newest["subject"]),
            (&json!("door-2"), &Value::Null)
        );
    }

    async fn untrusted_document_is_recorded_by_its_hash(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let strict = strict_node(&app, |_| ()).await;
        let auditor = app.caller(app.world.north, Role::Auditor).await.at(&strict);
        let body =
            ask_as(&auditor, "untrusted-1", app.world.north, "{ __typename }", json!({})).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let newest = &log(&administrator, "first: 1").await[0];
        let expected = json!({
            "id": newest["id"],
            "at": app.in_seconds(0),
            "actor": auditor.id(),
            "actingTenantID": app.world.north,
            "tenantID": app.world.north,
            "operation": "graphql",
            "outcome": "REFUSED",
            "code": "FORBIDDEN",
            "errorCode": "FORBIDDEN",
            "subject": "sha256:7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b",
            "reason": "untrusted_document",
            "count": 1,
            "requestID": newest["requestID"],
            "callerRequestID": "untrusted-1",
            "upstreamRequestIDs": [],
            "before": null,
            "after": null,
        });
        assert_eq!(*newest, expected);
    }

    async fn web_socket_of_foreign_origin_is_recorded(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let node = app
            .another_node_with(|config| {
                config.cors.allowed_origins = vec!["https://ours.example".into()];
            })
            .await;
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        let upgrade = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "graphql-transport-ws"),
            ("origin", "https://theirs.example"),
        ];
        let mut request = app.http.get(format!("{}/graphql", node.url)).bearer_auth(&auditor.token);
        for (name, value) in upgrade {
            request = request.header(name, value);
        }
        assert_eq!(app.send(request).await.code(), "FORBIDDEN");
        let newest = &log(&administrator, "first: 1").await[0];
        let told = (&newest["actor"], &newest["operation"], &newest["reason"]);
        assert_eq!(told, (&json!(auditor.id()), &json!("graphql"), &json!("foreign_origin")));
    }

    async fn client_cannot_fill_the_audit_log_faster_than_its_rate_limit(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let strict = strict_node(&app, |config| {
            config.rate_limit.client_per_second = 1;
            config.rate_limit.client_burst = 5;
        })
        .await;
        let auditor = app.caller(app.world.north, Role::Auditor).await.at(&strict);
        let mut statuses = Vec::new();
        for number in 0..20 {
            let document = format!("query Made{number} {{ __typename }}");
            statuses.push(auditor.ask(&document, json!({})).await.status);
        }
        let refused = statuses.iter().filter(|status| **status == 403).count();
        assert!(
            refused < 20 && statuses.iter().all(|status| [403, 429].contains(status)),
            "{statuses:?}"
        );
        assert_eq!(log(&administrator, "operation: \"graphql\", first: 100").await.len(), refused);
    }

    async fn refused_secret_is_recorded_with_reason(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = administrator.create("robot", &[]).await;
        let reason = async |reason: &str| {
            eventually(10, reason, async || {
                let newest = log(&administrator, "first: 1, operation: \"token\"").await;
                newest
                    .first()
                    .filter(|newest| newest["reason"] == reason && newest["actor"] == robot.id)
                    .cloned()
            })
            .await
        };
        assert!(
            !app.works(&Credentials {
                secret: administrator.credentials.secret.clone(),
                ..robot.clone()
            })
            .await
        );
        let record = reason("wrong_secret").await;
        assert_eq!(
            (&record["outcome"], &record["code"], &record["tenantID"]),
            (&json!("REFUSED"), &json!("invalid_client"), &json!(app.world.north))
        );
        assert_eq!(record["errorCode"], Value::Null, "an OAuth error code is not a GraphQL code");
        let new = administrator.rotate(&robot, 0).await;
        assert!(!app.works(&robot).await);
        reason("secret_retired").await;
        administrator
            .ask(
                "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }",
                json!({ "id": robot.id }),
            )
            .await
            .data();
        assert!(!app.works(&new).await);
        reason("client_disabled").await;
    }

    async fn only_administrators_of_the_tenant_read_the_log(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let south = app.administrator(app.world.south).await;
        let above = app.administrator(app.world.organization).await;
        north.create("robot", &[]).await;
        for role in [Role::Analyst, Role::Responder, Role::Auditor] {
            let caller = app.caller(app.world.north, role).await;
            assert_eq!(
                caller.ask("{ auditLog { nodes { id } } }", json!({})).await.code(),
                "FORBIDDEN"
            );
        }
        let of = format!("actor: \"{}\"", north.id());
        assert_eq!(log(&north, &of).await.len(), 1);
        assert_eq!(log(&above, &of).await.len(), 1, "an administrator above sees it");
        assert_eq!(log(&south, &of).await, Vec::<Value>::new());
        let tenants = log(&north, "").await;
        assert!(tenants.iter().all(|record| record["tenantID"] == json!(app.world.north)));
    }

    async fn no_record_holds_a_secret(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = administrator.create("robot", &[]).await;
        app.advance(1);
        let new = administrator.rotate(&robot, 600).await;
        let document = "mutation($id: ID!, $secret: String) { rotateClientSecret(id: $id, secret: \
            $secret) { clientSecret } }";
        administrator.ask(document, json!({ "id": robot.id, "secret": new.secret })).await;
        let text = json!(log(&administrator, "").await).to_string();
        for secret in [&robot.secret, &new.secret, &administrator.token] {
            assert!(!text.contains(&secret[4..]), "the log contains a secret");
        }
        assert!(text.contains("rotateClientSecret") && !text.contains("tgw_"));
    }

    async fn paging_repeats_and_drops_no_row(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        for number in 0..11 {
            administrator.create(&format!("robot {number}"), &[]).await;
        }
        let whole: Vec<_> =
            log(&administrator, "").await.iter().map(|record| record["id"].clone()).collect();
        let document = "query($after: String) { auditLog(first: 5, after: $after) { nodes { id } \
            edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
        let mut seen = Vec::new();
        let mut after = Value::Null;
        loop {
            let page =
                administrator.ask(document, json!({ "after": after })).await.field("auditLog");
            assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()));
            seen.extend(
                page["nodes"].as_array().unwrap().iter().map(|record| record["id"].clone()),
            );
            after = page["pageInfo"]["endCursor"].clone();
            // Records written meanwhile come before the page.
            administrator.create("meanwhile", &[]).await;
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
        }
        assert_eq!(seen, whole);
        for after in ["rubbish", "", "IiI"] {
            assert_eq!(
                administrator.ask(document, json!({ "after": after })).await.code(),
                "BAD_USER_INPUT"
            );
        }
    }

    async fn filters_are_combined_with_and(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = administrator.create("robot", &[]).await;
        app.advance(10);
        administrator.rotate(&robot, 0).await;
        let start = "2030-01-01T00:00:00Z";
        let later = "2030-01-01T00:00:10Z";
        for (arguments, expected) in [
            (format!("subject: \"{}\"", robot.id), vec!["rotateClientSecret", "createClient"]),
            (
                format!("subject: \"{}\", operation: \"createClient\"", robot.id),
                vec!["createClient"],
            ),
            (format!("subject: \"{}\", from: \"{later}\"", robot.id), vec!["rotateClientSecret"]),
            (
                format!("subject: \"{}\", from: \"{start}\", to: \"{later}\"", robot.id),
                vec!["createClient"],
            ),
            (format!("subject: \"{}\", outcome: REFUSED", robot.id), vec![]),
            ("actor: \"operator\", operation: \"createClient\"".to_owned(), vec!["createClient"]),
        ] {
            let found = log(&administrator, &arguments).await;
            assert_eq!(
                found
                    .iter()
                    .map(|record| record["operation"].as_str().unwrap())
                    .collect::<Vec<_>>(),
                expected,
                "{arguments}"
            );
        }
        let bad =
            administrator.ask("{ auditLog(from: \"soon\") { nodes { id } } }", json!({})).await;
        assert_eq!(bad.code(), "BAD_USER_INPUT");
    }
}
