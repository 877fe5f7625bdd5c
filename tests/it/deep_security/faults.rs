//! Faults of a manager.

use std::fmt::Display;
use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::TenantSeed;
use tenant_gateway_simulators::faults::Fault;

use super::rig::{Rig, ask, see};
use crate::support::{Answer, Caller, both_databases};

const NAMES: &str = "computers { nodes { hostName policy { name } } } roles { nodes { name } }";

both_databases! {
    async fn malformed_responses_are_upstream_malformed(rig: Rig) {
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

    async fn mistyped_optional_value_nulls_its_field_only(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, NAMES).await;
        let odd = json!({
            "ID": 1,
            "hostName": "odd",
            "policyID": "3",
            "lastAgentCommunication": "2024-03-01T00:00:00Z",
            "lastSendPolicyRequest": 1_700_000_000_000.5,
            "lastSendPolicySuccess": i64::MIN,
            "firewall": { "state": "on", "ruleIDs": [1, null] },
        });
        let sound =
            json!({ "ID": 2, "hostName": "sound", "lastAgentCommunication": 253_402_300_799_999_i64 });
        let text = json!({ "computers": [odd, sound] }).to_string();
        rig.manager.order_always(Calls::to("POST", "/computers/search"), Fault::Rubbish { text });
        let fields = "hostName policyID lastAgentCommunication lastSendPolicyRequest \
            lastSendPolicySuccess firewall { stateText ruleIDs }";
        let computers = see(&reader, &format!("computers {{ nodes {{ {fields} }} }}")).await;
        let nothing = Value::Null;
        assert_eq!(
            computers["computers"]["nodes"],
            json!([
                {
                    "hostName": "odd",
                    "policyID": nothing,
                    "lastAgentCommunication": nothing,
                    "lastSendPolicyRequest": nothing,
                    "lastSendPolicySuccess": nothing,
                    "firewall": { "stateText": "on", "ruleIDs": nothing },
                },
                {
                    "hostName": "sound",
                    "policyID": nothing,
                    "lastAgentCommunication": "9999-12-31T23:59:59.999Z",
                    "lastSendPolicyRequest": nothing,
                    "lastSendPolicySuccess": nothing,
                    "firewall": nothing,
                },
            ])
        );
    }

    async fn status_becomes_a_code_without_the_vendors_text(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, NAMES).await;
        for (status, code, retryable) in [
            (400, "UPSTREAM_REJECTED", false),
            (404, "NOT_FOUND", false),
            (409, "UPSTREAM_REJECTED", false),
            (500, "UPSTREAM_UNAVAILABLE", true),
            // Last, because the gateway then pauses for the time in Retry-After.
            (429, "UPSTREAM_UNAVAILABLE", true),
        ] {
            let fault = Fault::Status { status, retry_after: (status == 429).then_some(60) };
            rig.manager.order_always(Calls::to("GET", "/computers/1"), fault);
            let answer = ask(&reader, "computer(id: 1) { id }").await;
            assert_eq!(answer.code(), code, "{status}");
            let extensions = &answer.body["errors"][0]["extensions"];
            assert_eq!(
                extensions["upstream"],
                json!({ "system": "DEEP_SECURITY", "status": status, "code": null })
            );
            assert_eq!(extensions["retryable"], retryable);
            let told = answer.body.to_string();
            assert!(!told.contains("NullPointer") && !told.contains("dsm-"), "{told}");
            rig.manager.clear_orders();
            if status != 429 {
                // Failures count towards the circuit breaker.
                see(&reader, NAMES).await;
            }
        }
    }

    async fn redirect_is_not_followed(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, NAMES).await;
        rig.manager.forget_calls();
        let location = format!("{}/policies/1", rig.manager.base_url);
        rig.manager.order_always(Calls::to("GET", "/computers/1"), Fault::Redirect { location });
        assert_eq!(ask(&reader, "computer(id: 1) { id }").await.code(), "UPSTREAM_MALFORMED");
        assert_eq!(rig.manager.count(&Calls::to("GET", "/policies/*")), 0);
    }

    async fn write_is_never_sent_twice(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        see(&writer, NAMES).await;
        let policies = Calls::to("POST", "/policies");
        let document =
            "mutation($name: String!) { createDeepSecurityPolicy(input: { name: $name }) { id } }";
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
            assert_eq!(
                extensions["outcome"],
                if unknown { json!("UNKNOWN") } else { Value::Null },
                "{fault:?}"
            );
            assert!(!unknown || extensions["retryable"] == false, "{fault:?}");
            assert_eq!(rig.manager.count(&policies), 1, "{fault:?}");
            rig.manager.clear_orders();
            see(&writer, "roles { nodes { id } }").await;
        }
    }

    async fn no_fault_repeats_a_change_or_leaks_internals(engine: Engine) {
        let rig = Rig::with_settings(
            engine,
            |config| config.tenant(TenantSeed::named("Large").computers(60)),
            |config| {
                config.upstream.timeout = Duration::from_millis(500);
                config.upstream.breaker_failures = 10_000;
                config.upstream.breaker_sample = 10_000;
            },
        )
        .await;
        let organization = rig.world.organization;
        rig.link(organization, Some("Large")).await;
        let writer = rig.writer(organization).await;
        let large = rig.manager.customer("Large").id;
        see(&writer, NAMES).await;
        let place = rig
            .manager
            .base_url
            .strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        for (round, fault) in faults(&place).into_iter().enumerate() {
            let key = make(
                &writer,
                "createDeepSecurityApiKey",
                "apiKey { remoteID }",
                &json!({ "keyName": format!("k{round}"), "roleID": "2" }),
            )
            .await;
            let key = key["apiKey"]["remoteID"].as_str().unwrap().to_owned();
            let policy = make(
                &writer,
                "createDeepSecurityPolicy",
                "remoteID",
                &json!({ "name": format!("p{round}") }),
            )
            .await;
            let policy = policy["remoteID"].as_str().unwrap().to_owned();
            for (method, path, field) in changes(round, &key, &policy, large) {
                let calls = Calls::to(method, &path);
                let what = format!("{field} {fault:.40?}");
                rig.manager.forget_calls();
                rig.manager.order_always(calls.clone(), fault.clone());
                let answer = writer.ask(&format!("mutation {{ {field} }}"), json!({})).await;
                rig.manager.clear_orders();
                assert_eq!(rig.manager.count(&calls), 1, "{what}");
                let told = answer.body.to_string();
                let leaks = MARKS.iter().chain([&&*place]).any(|mark| told.contains(mark));
                assert!(!leaks, "{what}: {told}");
                assert_outcome_fits(&answer, &fault, &what);
            }
        }
    }
}

/// A change whose call was refused has not been made; after any other fault nobody knows. Where the
/// body does not matter, the call succeeds.
fn assert_outcome_fits(answer: &Answer, fault: &Fault, what: &str) {
    let Some(errors) = answer.body["errors"].as_array() else { return };
    let extensions = &errors[0]["extensions"];
    let is_refused =
        matches!(fault, Fault::Status { status: 400..500, .. } | Fault::Redirect { .. });
    let outcome = if is_refused { Value::Null } else { json!("UNKNOWN") };
    assert_eq!(extensions["outcome"], outcome, "{what}: {}", answer.body);
    assert!(is_refused || extensions["retryable"] == false, "{what}: {}", answer.body);
}

/// Every change of Deep Security: the method and path of its call, and the field of the mutation.
fn changes(
    round: usize,
    key: &str,
    policy: &str,
    tenant: impl Display,
) -> Vec<(&'static str, String, String)> {
    let computer = round + 1;
    vec![
        (
            "POST",
            "/apikeys".to_owned(),
            format!(
                r#"createDeepSecurityApiKey(input: {{ keyName: "made{round}", roleID: "2"
                    }}) {{ secretKey }}"#
            ),
        ),
        (
            "POST",
            format!("/apikeys/{key}"),
            format!(
                r#"updateDeepSecurityApiKey(id: {key}, input: {{ description: "x" }}) {{ id
                    }}"#
            ),
        ),
        (
            "POST",
            format!("/apikeys/{key}/secretkey"),
            format!("rotateDeepSecurityApiKeySecret(id: {key}) {{ secretKey }}"),
        ),
        ("DELETE", format!("/apikeys/{key}"), format!("deleteDeepSecurityApiKey(id: {key})")),
        (
            "POST",
            format!("/tenants/{tenant}/apikeys"),
            format!(
                r#"generateDeepSecurityTenantApiKey(input: {{ keyName: "given{round}",
                    roleID: "2" }}) {{ secretKey }}"#
            ),
        ),
        (
            "POST",
            "/policies".to_owned(),
            format!(r#"createDeepSecurityPolicy(input: {{ name: "made{round}" }}) {{ id }}"#),
        ),
        (
            "POST",
            format!("/policies/{policy}"),
            format!(
                r#"updateDeepSecurityPolicy(id: {policy}, input: {{ name: "q{round}" }}) {{
                    id }}"#
            ),
        ),
        (
            "DELETE",
            format!("/policies/{policy}"),
            format!("deleteDeepSecurityPolicy(id: {policy})"),
        ),
        (
            "POST",
            format!("/computers/{computer}"),
            format!(
                r#"updateDeepSecurityComputer(id: {computer}, input: {{ description: "x" }})
                    {{ id }}"#
            ),
        ),
        (
            "DELETE",
            format!("/computers/{computer}"),
            format!("deleteDeepSecurityComputer(id: {computer})"),
        ),
    ]
}

/// Texts in the errors of the simulator that no caller may see.
const MARKS: &[&str] = &[
    "internal:",
    ".internal",
    "NullPointer",
    "java.",
    "jdbc",
    "SignIn",
    "html",
    "dsm-",
    "127.0.0.1",
    "stack",
];

/// Every fault of the simulator at that address.
fn faults(place: &str) -> Vec<Fault> {
    let status = |status| Fault::Status { status, retry_after: None };
    vec![
        status(400),
        status(404),
        status(409),
        status(500),
        status(502),
        status(503),
        status(504),
        Fault::Redirect { location: format!("http://{place}/api/policies") },
        Fault::Delay { millis: 1_500 },
        Fault::Reset,
        Fault::LoseAnswer,
        Fault::HalfBody,
        Fault::SlowDrip { bytes: 1, pause_millis: 100 },
        Fault::Rubbish { text: "dsm-node-1.internal says java.lang".to_owned() },
        Fault::Html,
        Fault::Huge { bytes: 40 * 1024 * 1024 },
        Fault::DeepNesting { depth: 100_000 },
        Fault::WrongTypes,
        Fault::NotANumber,
        Fault::Truncated,
        Fault::Body { status: 200, content_type: "image/png".to_owned(), bytes: vec![0xff; 100] },
    ]
}

/// Creates an object; panics on an error.
async fn make(writer: &Caller, name: &str, selection: &str, input: &Value) -> Value {
    let kind = if name.ends_with("Policy") {
        "DeepSecurityPolicyInput"
    } else {
        "CreateDeepSecurityApiKeyInput"
    };
    let document =
        format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ {selection} }} }}");
    writer.ask(&document, json!({ "input": input })).await.field(name)
}
