//! A manager that is in trouble.

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;

use super::rig::{Rig, ask, see};
use crate::support::both_databases;

const NAMES: &str = "computers { nodes { hostName policy { name } } } roles { nodes { name } }";

both_databases! {
    async fn answers_that_cannot_be_understood_are_said_to_be_so(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, NAMES).await;
        let rubbish = |text: &str| Fault::Rubbish { text: text.to_owned() };
        for fault in [
            Fault::Html,
            Fault::WrongTypes,
            Fault::NotANumber,
            Fault::DeepNesting { depth: 100_000 },
            rubbish(""),
            rubbish("{}"),
            rubbish("[]"),
            rubbish("null"),
            rubbish("{\"computers\": null}"),
            rubbish("{\"computers\": [{\"hostName\": \"no id\"}]}"),
            rubbish("{\"computers\": [{\"ID\": 2}, {\"ID\": 1}]}"),
            rubbish("{\"computers\": [{\"ID\": 0}]}"),
            rubbish("{\"computers\": [{\"ID\": 1.5}]}"),
            rubbish("{\"computers\": [{\"ID\": 1}], "),
            rubbish("{\"computers\": [{\"ID\": 99999999999999999999}]}"),
        ] {
            rig.manager.order_always(Calls::to("POST", "/computers/search"), fault.clone());
            let answer = ask(&reader, NAMES).await;
            assert_eq!(answer.code(), "UPSTREAM_MALFORMED", "{fault:?}: {}", answer.body);
            let data = &answer.body["data"]["deepSecurity"];
            assert_eq!(data["computers"], Value::Null);
            assert_eq!(data["roles"]["nodes"].as_array().unwrap().len(), 2, "the rest is whole");
            let told = answer.body.to_string();
            assert!(!told.contains("internal") && !told.contains("127.0.0.1"), "{told}");
            rig.manager.clear_orders();
        }
        see(&reader, NAMES).await;
        assert_eq!(rig.mints(), 1);
    }

    async fn a_status_becomes_a_code_and_nothing_of_the_text_is_told(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, NAMES).await;
        for (status, code, retryable) in [
            (400, "UPSTREAM_REJECTED", false),
            (404, "NOT_FOUND", false),
            (409, "UPSTREAM_REJECTED", false),
            (500, "UPSTREAM_UNAVAILABLE", true),
            // The last, since after it the gateway holds back for as long as it was told.
            (429, "UPSTREAM_UNAVAILABLE", true),
        ] {
            let fault = Fault::Status { status, retry_after: (status == 429).then_some(60) };
            rig.manager.order_always(Calls::to("GET", "/computers/1"), fault);
            let answer = ask(&reader, "computer(id: 1) { id }").await;
            assert_eq!(answer.code(), code, "{status}");
            let extensions = &answer.body["errors"][0]["extensions"];
            assert_eq!(extensions["upstream"], json!({ "system": "DEEP_SECURITY", "status": status, "code": null }));
            assert_eq!(extensions["retryable"], retryable);
            let told = answer.body.to_string();
            assert!(!told.contains("NullPointer") && !told.contains("dsm-"), "{told}");
            rig.manager.clear_orders();
            if status != 429 {
                // Failures count towards the circuit.
                see(&reader, NAMES).await;
            }
        }
    }

    async fn a_redirect_is_not_followed(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, NAMES).await;
        rig.manager.forget_calls();
        let location = format!("{}/policies/1", rig.manager.base_url);
        rig.manager.order_always(Calls::to("GET", "/computers/1"), Fault::Redirect { location });
        assert_eq!(ask(&reader, "computer(id: 1) { id }").await.code(), "UPSTREAM_MALFORMED");
        assert_eq!(rig.manager.count(&Calls::to("GET", "/policies/*")), 0);
    }

    async fn a_write_is_never_sent_twice(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        see(&writer, NAMES).await;
        let policies = Calls::to("POST", "/policies");
        let document = "mutation($name: String!) { createDeepSecurityPolicy(input: { name: $name }) { id } }";
        let status = |status| Fault::Status { status, retry_after: None };
        for (number, (fault, code, unknown)) in [
            (Fault::LoseAnswer, "UPSTREAM_UNAVAILABLE", true),
            (Fault::HalfBody, "UPSTREAM_UNAVAILABLE", true),
            (Fault::Reset, "UPSTREAM_UNAVAILABLE", true),
            (Fault::Html, "UPSTREAM_MALFORMED", true),
            (status(503), "UPSTREAM_UNAVAILABLE", true),
            (status(500), "UPSTREAM_UNAVAILABLE", true),
            (status(429), "UPSTREAM_UNAVAILABLE", false),
            (status(400), "UPSTREAM_REJECTED", false),
        ]
        .into_iter()
        .enumerate()
        {
            rig.manager.forget_calls();
            rig.manager.order(policies.clone(), fault.clone(), 5);
            let answer = writer.ask(document, json!({ "name": format!("made {number}") })).await;
            assert_eq!(answer.code(), code, "{fault:?}");
            let extensions = &answer.body["errors"][0]["extensions"];
            assert_eq!(extensions["outcome"], if unknown { json!("UNKNOWN") } else { Value::Null }, "{fault:?}");
            assert!(!unknown || extensions["retryable"] == false, "{fault:?}");
            assert_eq!(rig.manager.count(&policies), 1, "{fault:?}");
            rig.manager.clear_orders();
            see(&writer, "roles { nodes { id } }").await;
        }
    }
}
