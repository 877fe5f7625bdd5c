use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::app::Core;
use tenant_gateway::ids::UpstreamId;
use tenant_gateway::integration_server::tasks::model::{Intent, NewTask, Purpose};
use tenant_gateway::integration_server::tasks::service::TaskEnd;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server::{Fate, TaskKind, TenantSeed};

use super::walls::rows;
use super::{House, begin, ended, only};
use crate::support::{Answer, both_databases, eventually, notes};

const TENANT: &str = "{ integrationServer { tenant { name } } }";
const MACHINES: &str = "{ integrationServer { virtualMachines { nodes { name } } } }";

fn upstream(answer: &Answer) -> (&str, &Value) {
    (answer.code(), &answer.body["errors"][0]["extensions"]["upstream"])
}

both_databases! {
    async fn bad_input_names_its_argument_before_anything_is_sent(house: House) {
        let administrator = json!({ "name": "a", "password": "Good-Pass1" });
        let cases = [
            ("name", json!({ "name": "", "type": "SIMPLE" })),
            ("type", json!({ "name": "x", "type": "UNKNOWN" })),
            ("administrator", json!({ "name": "x", "type": "COMPLETE" })),
            (
                "administrator",
                json!({ "name": "x", "type": "SIMPLE", "administrator": administrator }),
            ),
            (
                "administrator.password",
                json!({
                    "name": "x",
                    "type": "COMPLETE",
                    "administrator": { "name": "a", "password": "" },
                }),
            ),
            (
                "preferredServerAddress",
                json!({ "name": "x", "type": "SIMPLE", "preferredServerAddress": "192.0.2.256" }),
            ),
            ("description", json!({ "name": "x", "type": "SIMPLE", "description": "a\u{1}b" })),
        ];
        for (argument, input) in cases {
            let refused = house.create_with(input).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{argument}");
            assert!(
                refused.message().starts_with(&format!("{argument}:")),
                "{}",
                refused.message()
            );
        }
        // The schema itself requires it.
        let missing = house.create_with(json!({ "type": "SIMPLE" })).await;
        assert!(missing.message().contains("name"), "{}", missing.message());
        for (argument, field) in [
            ("biosID", r#"registerVirtualMachine(input: { biosID: "345ae5d6" }) { id }"#),
            ("biosID", r#"unregisterVirtualMachine(biosID: "no") { id }"#),
            ("id, biosID", r"unregisterVirtualMachine { id }"),
            (
                "id, biosID",
                r#"unregisterVirtualMachine(id: "1", biosID: "345ae5d6-eeb7-4635-884a-01ac1781deeb")
                    { id }"#,
            ),
            ("id", r#"unregisterVirtualMachine(id: "../1") { id }"#),
            ("from", r#"createIntegrationServerReport(from: "yesterday") { id }"#),
            (
                "from",
                r#"createIntegrationServerReport(from: "2029-12-02T00:00:00Z", to:
                    "2029-12-01T00:00:00Z") { id }"#,
            ),
            ("to", r#"createIntegrationServerReport(to: "2030-01-01T00:00:00Z") { id }"#),
        ] {
            let refused = house.north.ask(&format!("mutation {{ {field} }}"), json!({})).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{field}");
            assert!(
                refused.message().starts_with(&format!("{argument}:")),
                "{}",
                refused.message()
            );
        }
        assert_eq!(house.server.count(&Calls::all()), 0);
    }

    async fn task_is_refused_beyond_the_limit_of_unfinished_tasks(house: House) {
        let environment = house.app.environment();
        let core = Core::open(&house.app.database.config(), environment).await.unwrap();
        let scope = core.operator(house.app.world.north);
        let tasks = core.integration_server.tasks();
        // The node is alive, so others do not take over its tasks.
        let renewed = tasks.clone();
        let living = tokio::spawn(async move {
            let mut rounds = tokio::time::interval(Duration::from_secs(1));
            loop {
                rounds.tick().await;
                renewed.renew().await.unwrap();
            }
        });
        let mut begun = Vec::new();
        for _ in 0..1000 {
            let new = NewTask {
                upstream: UpstreamId(house.upstream.as_str().unwrap().parse().unwrap()),
                purpose: Purpose::Report,
                remote_tenant: Some("7".to_owned()),
                link: None,
                intent: Intent::default(),
            };
            begun.push(tasks.begin(&scope, new).await.unwrap());
        }
        let refused = begin(&house.north, "createIntegrationServerReport").await;
        assert_eq!(refused.code(), "CONFLICT", "{}", refused.body);
        assert_eq!(house.server.count(&Calls::to("POST", "/reports/tenants")), 0);
        begin(&house.south, "createIntegrationServerReport").await.data();
        tasks
            .end(&scope, &begun[0].record, TaskEnd::default())
            .await
            .unwrap()
            .expect("this node still holds the lease");
        begin(&house.north, "createIntegrationServerReport").await.data();
        living.abort();
    }

    async fn documented_return_codes_are_reported_by_name(house: House) {
        let at_once = [
            (400, "VIRMT_MandatoryParameterIsNotSpecified", "BAD_USER_INPUT"),
            (400, "VIRMT_InvalidTenantType", "BAD_USER_INPUT"),
            (400, "VIRMT_VKscCredentialsNotSpecified", "BAD_USER_INPUT"),
            (400, "VIRMT_InvalidViisAddressFormat", "BAD_USER_INPUT"),
            (403, "", "UPSTREAM_UNAUTHORIZED"),
        ];
        for (status, code, expected) in at_once {
            let bytes =
                format!("<error><code>{code}</code><message>on viis-1.internal</message></error>")
                    .into_bytes();
            let fault = Fault::Body { status, content_type: "application/xml".to_owned(), bytes };
            house.server.order(Calls::to("POST", "/tenants"), fault, 1);
            let refused = house.create("Refused").await;
            let vendor = if code.is_empty() { Value::Null } else { json!(code) };
            assert_eq!(
                upstream(&refused),
                (
                    expected,
                    &json!({ "system": "INTEGRATION_SERVER", "status": status, "code": vendor })
                )
            );
            assert!(!refused.body.to_string().contains("internal\""), "{}", refused.body);
        }
        house.server.remove_tenant(&house.server.tenant("North").id);
        for document in [TENANT, MACHINES] {
            let missing = house.north.ask(document, json!({})).await;
            let detail = json!({
                "system": "INTEGRATION_SERVER",
                "status": 404,
                "code": "VIRMT_TenantWithSpecifiedIdNotFound",
            });
            assert_eq!(upstream(&missing), ("NOT_FOUND", &detail));
        }
        let register = r#"mutation { registerVirtualMachine(input: { biosID:
            "345ae5d6-eeb7-4635-884a-01ac1781deeb" }) { id } }"#;
        assert_eq!(
            upstream(&house.north.ask(register, json!({})).await).1["code"],
            "VIRMT_TenantWithSpecifiedIdNotFound"
        );
        house.server.set_password("another one");
        let unauthorized = house.south.ask(TENANT, json!({})).await;
        assert_eq!(upstream(&unauthorized).0, "UPSTREAM_UNAUTHORIZED");
        assert_eq!(unauthorized.body["errors"][0]["extensions"]["retryable"], false);
    }

    async fn conflict_of_the_caller_is_no_error_in_the_log(house: House) {
        let taken = "<error><code>VIRMT_VmWithSpecifiedBiosIdAlreadyExists</code></error>".into();
        let fault =
            Fault::Body { status: 409, content_type: "application/xml".to_owned(), bytes: taken };
        house.server.order(Calls::to("POST", "/tenants/*/vms/register"), fault, 1);
        let register = r#"mutation { registerVirtualMachine(input: { biosID:
            "345ae5d6-eeb7-4635-884a-01ac1781deeb" }) { id } }"#;
        let refused = house.north.ask(register, json!({})).await;
        assert_eq!(refused.code(), "CONFLICT");
        let id = refused.header("x-request-id").unwrap();
        let levels = eventually(10, "the cause in the log", async || {
            let log = std::fs::read_to_string(notes::folder().join("it.log")).unwrap();
            let lines =
                log.lines().filter(|line| line.contains(id) && line.contains("request failed"));
            let levels: Vec<_> = lines.map(|line| line.contains(r#""level":"ERROR""#)).collect();
            (!levels.is_empty()).then_some(levels)
        });
        assert_eq!(levels.await, [false]);
    }

    async fn documented_task_errors_are_reported_by_name(house: House) {
        let codes = [
            (TaskKind::CreateTenant, "KSC_ServiceNotConfigured", "KSC_ServiceNotConfigured"),
            (
                TaskKind::CreateTenant,
                "VIRMT_TenantGroupAlreadyExists",
                "VIRMT_TenantGroupAlreadyExists",
            ),
            (
                TaskKind::CreateTenant,
                "VIRMT_TenantWithSpecifiedNameAlreadyExists",
                "VIRMT_TenantWithSpecifiedNameAlreadyExists",
            ),
            (
                TaskKind::CreateTenant,
                "VIRMT_PasswordNotComplyPolicy",
                "VIRMT_PasswordNotComplyPolicy",
            ),
            (
                TaskKind::CreateTenant,
                "VIRMT_UserWithSpecifiedNameAlreadyExists",
                "VIRMT_UserWithSpecifiedNameAlreadyExists",
            ),
            (TaskKind::CreateTenant, "VIRMT_SomethingNew", "UNKNOWN"),
            (
                TaskKind::ChangeTenantActivation,
                "VIRMT_TenantWithSpecifiedIdNotFound",
                "VIRMT_TenantWithSpecifiedIdNotFound",
            ),
            (
                TaskKind::ChangeTenantActivation,
                "KSC_ServiceNotConfigured",
                "KSC_ServiceNotConfigured",
            ),
            (
                TaskKind::DeleteTenant,
                "VIRMT_TenantWithSpecifiedIdNotFound",
                "VIRMT_TenantWithSpecifiedIdNotFound",
            ),
            (TaskKind::DeleteTenant, "KSC_ServiceNotConfigured", "KSC_ServiceNotConfigured"),
        ];
        for (number, (kind, code, told)) in codes.into_iter().enumerate() {
            house.server.order_task(kind, Fate::fails(code), 1);
            let begun = match kind {
                TaskKind::CreateTenant => house.create(&format!("Failing {number}")).await,
                TaskKind::DeleteTenant => {
                    begin(&house.south, "deleteIntegrationServerTenant(removeArtifacts: false)")
                        .await
                }
                _ => begin(&house.south, "deactivateIntegrationServerTenant").await,
            };
            let begun = only(begun);
            let caller = if kind == TaskKind::CreateTenant { &house.partner } else { &house.south };
            let ended = ended(caller, &begun["id"]).await;
            assert_eq!(
                (&ended["state"], &ended["error"]["code"], &ended["result"]),
                (&json!("FAILED"), &json!(told), &Value::Null)
            );
        }
    }

    async fn name_conflict_does_not_reveal_its_owner(house: House) {
        house.server.add_tenant(&TenantSeed::simple("Taken"));
        let begun = house.create("Taken").await.field("createIntegrationServerTenant");
        let ended = ended(&house.partner, &begun["id"]).await;
        assert_eq!(ended["error"]["code"], "VIRMT_TenantWithSpecifiedNameAlreadyExists");
        assert_eq!(ended["error"]["message"], "no tenant can be created with this name");
    }

    async fn malformed_answer_does_not_affect_other_fields(house: House) {
        let id = house.server.tenant("North").id.clone();
        let bait = house.server.bait_url();
        for fault in [
            Fault::XmlBomb,
            Fault::ExternalEntity { url: bait },
            Fault::Huge { bytes: 50 * 1024 * 1024 },
            Fault::Truncated,
            Fault::UnquotedAttributes,
            Fault::DeepNesting { depth: 100_000 },
            Fault::Html,
            Fault::Rubbish { text: "nonsense".to_owned() },
            Fault::Body {
                status: 200,
                content_type: "image/png".to_owned(),
                bytes: vec![0xff; 100],
            },
        ] {
            let what = format!("{fault:?}").chars().take(30).collect::<String>();
            house.server.order_always(Calls::to("GET", "/tenants/*").of(&id), fault);
            let malformed = house.north.ask(MACHINES, json!({})).await;
            assert_eq!(malformed.code(), "UPSTREAM_MALFORMED", "{what}");
            let sound = house.south.ask(TENANT, json!({})).await.field("integrationServer");
            assert_eq!(
                sound["tenant"]["name"],
                "South"
            );
            house.server.clear_orders();
        }
        assert_eq!(house.server.bait_taken(), 0);
    }

    async fn administrator_password_is_stored_nowhere(house: House) {
        let password = "Very-Secret-Pass-4711";
        notes::note(password);
        let administrator = json!({ "name": "new-admin", "password": password });
        let made = house
            .create_with(
                json!({ "name": "New", "type": "COMPLETE", "administrator": administrator }),
            )
            .await;
        let made = made.field("createIntegrationServerTenant");
        let ended = ended(&house.partner, &made["id"]).await;
        assert!(
            house.server.administrator_passwords().contains(&password.to_owned()),
            "the password reached the server"
        );
        let audit = house
            .partner
            .ask("{ auditLog { nodes { operation before after } } }", json!({}))
            .await
            .field("auditLog");
        assert!(audit.to_string().contains("createIntegrationServerTenant"));
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, password);
        for text in [ended.to_string(), audit.to_string(), rows(&house).await] {
            assert!(!text.contains(password) && !text.contains(&encoded), "{text}");
        }
    }
}
