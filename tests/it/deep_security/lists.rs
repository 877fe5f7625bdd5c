//! Lists: paging, name patterns and criteria.

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::TenantSeed;

use super::rig::{Rig, ask, see};
use crate::support::{Caller, both_databases};

async fn page(caller: &Caller, arguments: &str) -> Value {
    let fields = format!(
        "computers({arguments}) {{ nodes {{ remoteID }} edges {{ cursor node {{ id }} }} pageInfo \
        {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"
    );
    see(caller, &fields).await["computers"].clone()
}

fn ids(page: &Value) -> Vec<i64> {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["remoteID"].as_str().unwrap().parse().unwrap()).collect()
}

both_databases! {
    async fn has_next_page_is_exact_and_costs_no_call(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        see(&reader, "roles { nodes { id } }").await;
        for (first, more) in
            [(1, true), (6, true), (7, false), (8, false), (500, false), (5000, false)]
        {
            rig.manager.forget_calls();
            let page = page(&reader, &format!("first: {first}")).await;
            assert_eq!(page["nodes"].as_array().unwrap().len(), 7.min(first), "{first}");
            assert_eq!(page["pageInfo"]["hasNextPage"], more, "{first}");
            assert_eq!(rig.manager.count(&Calls::all()), 1, "{first}");
        }
    }

    async fn cursor_continues_after_the_page(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = page(&reader, &format!("first: 3{after}")).await;
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_empty());
            assert_eq!(page["pageInfo"]["startCursor"], page["edges"][0]["cursor"]);
            seen.extend(ids(&page));
            after = format!(", after: {}", page["pageInfo"]["endCursor"]);
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
        let south = rig.reader(rig.world.south).await;
        for (caller, fields) in [(&south, "computers"), (&reader, "policies")] {
            let answer =
                ask(caller, &format!("{fields}(first: 1{after}) {{ nodes {{ id }} }}")).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "a cursor of another list");
        }
        assert_eq!(
            ask(&reader, "computers(after: \"rubbish\") { nodes { id } }").await.code(),
            "BAD_USER_INPUT"
        );
    }

    async fn first_out_of_range_is_refused(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        for first in [0, -1, 5001, i32::MAX] {
            assert_eq!(
                ask(&reader, &format!("computers(first: {first}) {{ nodes {{ id }} }}"))
                    .await
                    .code(),
                "BAD_USER_INPUT"
            );
        }
        assert_eq!(rig.manager.count(&Calls::all()), 0);
    }

    async fn long_lists_are_read_in_pages(engine: Engine) {
        let rig =
            Rig::with(engine, |config| config.tenant(TenantSeed::named("Large").computers(1_203)))
                .await;
        let organization = rig.world.organization;
        rig.link(organization, Some("Large")).await;
        let reader = rig.reader(organization).await;
        see(&reader, "roles { nodes { id } }").await;
        for (first, more, windows) in [
            (1_202, true, 3),
            (1_203, false, 3),
            (1_204, false, 3),
            (999, true, 2),
            (1_000, true, 3),
        ] {
            rig.manager.forget_calls();
            let page = page(&reader, &format!("first: {first}")).await;
            let seen = ids(&page);
            assert_eq!(seen.len(), first.min(1_203));
            assert!(seen.is_sorted() && seen[0] == 1);
            assert_eq!(page["pageInfo"]["hasNextPage"], more, "{first}");
            assert_eq!(
                rig.manager.count(&Calls::to("POST", "/computers/search")),
                windows,
                "{first}"
            );
        }
    }

    async fn percent_sign_is_the_only_wildcard_in_a_name(rig: Rig) {
        let writer = rig.writer(rig.world.north).await;
        let reader = rig.reader(rig.world.north).await;
        for name in ["web_1", "web-1", "webx1", "WEB_1 copy", "100%"] {
            let document = "mutation($name: String!) { createDeepSecurityPolicy(input: { name: \
                $name }) { id } }";
            writer.ask(document, json!({ "name": name })).await.data();
        }
        let found = async |name: &str| {
            let document = "query($name: String!) { deepSecurity { policies(name: $name) { nodes { \
                name } } } }";
            let answer = reader.ask(document, json!({ "name": name })).await.field("deepSecurity");
            let nodes = answer["policies"]["nodes"].as_array().unwrap().clone();
            nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("web_1").await, ["web_1"]);
        assert_eq!(found("web_1%").await, ["web_1", "WEB_1 copy"]);
        assert_eq!(found("WEB_1").await, ["web_1"]);
        assert_eq!(found("%eb%1").await, ["web_1", "web-1", "webx1"]);
        assert_eq!(found("web*").await, Vec::<String>::new());
        assert_eq!(found("%server%").await, ["Windows Server", "Linux Server"]);
    }

    async fn surplus_matches_of_the_vendors_wildcard_break_no_page(engine: Engine) {
        let rig =
            Rig::with(engine, |config| config.tenant(TenantSeed::named("Large").policies(260)))
                .await;
        let organization = rig.world.organization;
        rig.link(organization, Some("Large")).await;
        let writer = rig.writer(organization).await;
        let reader = rig.reader(organization).await;
        for name in ["Policy_10", "Policy_20"] {
            let document = "mutation($name: String!) { createDeepSecurityPolicy(input: { name: \
                $name }) { id } }";
            writer.ask(document, json!({ "name": name })).await.data();
        }
        for (first, more) in [(1, true), (2, false), (3, false)] {
            let fields = format!(
                "policies(first: {first}, name: \"policy_%0\") {{ nodes {{ name }} pageInfo {{ \
                hasNextPage }} }}"
            );
            let found = see(&reader, &fields).await["policies"].clone();
            assert_eq!(found["nodes"][0]["name"], "Policy_10");
            assert_eq!(found["nodes"].as_array().unwrap().len(), first.min(2));
            assert_eq!(found["pageInfo"]["hasNextPage"], more, "{first}");
        }
    }

    async fn criteria_are_sent_as_the_vendor_defines_them(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let found = async |criteria: &str| {
            let fields = format!("computers(where: [{criteria}]) {{ nodes {{ remoteID }} }}");
            ids(&see(&reader, &fields).await["computers"])
        };
        assert_eq!(
            found("{ fieldName: \"policyID\", numericTest: EQUAL, numericValue: 2 }").await,
            [2, 5]
        );
        assert_eq!(
            found(
                "{ fieldName: \"hostName\", stringValue: \"host-_.%\" }, { idTest: \
            LESS_THAN, idValue: 3 }"
            )
            .await,
            [1, 2]
        );
        assert_eq!(
            found("{ fieldName: \"agentFingerPrint\", nullTest: true }").await,
            Vec::<i64>::new()
        );
        assert_eq!(
            found(
                "{ fieldName: \"agentVersion\", versionTest: GREATER_THAN, \
                versionValue: \"20.0.1.3004\" }"
            )
            .await,
            [5, 6]
        );
        let moment = "2029-12-31T23:59:00Z";
        assert_eq!(
            found(&format!(
                "{{ fieldName: \"lastAgentCommunication\", firstDateValue: \"{moment}\" }}"
            ))
            .await
            .len(),
            7
        );
        let open = format!(
            "{{ fieldName: \"lastAgentCommunication\", firstDateValue: \"{moment}\", \
            firstDateInclusive: false }}"
        );
        assert_eq!(found(&open).await, Vec::<i64>::new());
        let state = "tenants(where: [{ fieldName: \"tenantState\", choiceValue: \"ACTIVE\" }]) { \
            nodes { name } }";
        assert_eq!(see(&rig.partner, state).await["tenants"]["nodes"].as_array().unwrap().len(), 2);
    }

    async fn invalid_criteria_are_refused_before_a_call(rig: Rig) {
        let reader = rig.reader(rig.world.north).await;
        let many = "{ idValue: 1 },".repeat(21);
        let long = format!("{{ fieldName: \"hostName\", stringValue: \"{}\" }}", "x".repeat(1001));
        for criteria in [
            "{ fieldName: \"hostName\" }",
            "{ stringValue: \"x\" }",
            "{ fieldName: \"hostName\", stringValue: \"x\", numericValue: 1 }",
            "{ fieldName: \"ID\", idValue: 1 }",
            "{ idValue: \"one\" }",
            "{ fieldName: \"created\", firstDateValue: \"yesterday\" }",
            "{ fieldName: \"hostName\", stringValue: \"a\\u0000\" }",
            &many,
            &long,
        ] {
            let answer =
                ask(&reader, &format!("computers(where: [{criteria}]) {{ nodes {{ id }} }}")).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{criteria}");
        }
        assert_eq!(rig.manager.count(&Calls::all()), 0);
        let unknown = ask(
            &reader,
            "computers(where: [{ fieldName: \"nonsense\", stringValue: \"x\" }]) { nodes { id } }",
        )
        .await;
        assert_eq!(unknown.code(), "UPSTREAM_REJECTED");
    }
}
