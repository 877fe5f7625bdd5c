//! Lists of tenants: filters, orders, pages.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

const TENANTS: &str = "query($query: TenantsQuery) { tenants(tenantsQuery: $query) {
    cursorPos count hasMore totalCount firstIndex lastIndex tenants { id name }
} }";

async fn ask(caller: &Caller, query: Value) -> Answer {
    caller.ask(TENANTS, json!({ "query": query })).await
}

async fn list(caller: &Caller, query: Value) -> Value {
    ask(caller, query).await.field("tenants")
}

fn names(page: &Value) -> Vec<&str> {
    page["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| tenant["name"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn filters_are_combined_with_and_and_their_values_with_or(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let cases = [
            (json!(null), vec!["North", "Organization", "Partner", "South"]),
            (json!({ "names": ["*th"] }), vec!["North", "South"]),
            (json!({ "names": ["NORTH", "part*"] }), vec!["North", "Partner"]),
            (
                json!({ "names": ["*th"], "ids": [app.world.south, app.world.partner] }),
                vec!["South"],
            ),
            (json!({ "names": ["%th"] }), vec![]),
            (json!({ "ids": [app.world.stranger, "unknown", app.world.north] }), vec!["North"]),
            (json!({ "ids": [] }), vec![]),
            (json!({ "isPartnerRoot": true }), vec!["Partner"]),
            (json!({ "isOrganization": true }), vec!["Organization"]),
            (
                json!({ "hierarchies": [app.world.organization] }),
                vec!["North", "Organization", "South"],
            ),
            (
                json!({ "organizations": [app.world.organization], "isOrganization": false }),
                vec!["North", "South"],
            ),
            (
                json!({ "partners": [app.world.partner] }),
                vec!["North", "Organization", "Partner", "South"],
            ),
            (json!({ "partners": [app.world.stranger] }), vec![]),
            (
                json!({ "enabled": true, "mdrProviders": [], "readPartnerRoots": false }),
                vec!["North", "Organization", "Partner", "South"],
            ),
        ];
        for (query, expected) in cases {
            let page = list(&root, query.clone()).await;
            assert_eq!(
                (names(&page), &page["totalCount"]),
                (expected.clone(), &json!(expected.len())),
                "{query}"
            );
        }
    }

    async fn unsupported_filter_is_refused(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        for query in [
            json!({ "mdrProviders": ["x"] }),
            json!({ "supportEnabled": false }),
            json!({ "beforeCursor": "x" }),
            json!({ "cql": "x" }),
            json!({ "readPartnerRoots": true }),
            json!({ "enabledInEnvironments": "CHARLIE" }),
            json!({ "labelsMatch": [{ "name": "x" }] }),
            json!({ "subscriptionsMatch": [{ "name": "x" }] }),
            json!({ "licenseLevel": "x" }),
            json!({ "licenseCapabilitiesAny": ["x"] }),
            json!({ "licenseCapabilitiesAll": ["x"] }),
            json!({ "licenseCapabilitiesNone": ["x"] }),
            json!({ "hierarchyPaths": ["x"] }),
            json!({ "enabledIn": ["x"] }),
            json!({ "orderBy": "HAS_SUPPORT_ENABLED" }),
            json!({ "names": ["a\0b"] }),
            json!({ "names": vec!["x"; 1001] }),
            json!({ "ids": vec!["x"; 1001] }),
        ] {
            let refused = ask(&root, query.clone()).await;
            let name = query.as_object().unwrap().keys().next().unwrap().clone();
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{query}");
            assert!(refused.message().contains(&name), "{query}");
        }
    }

    async fn paging_by_every_sort_order_repeats_and_drops_no_row(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        for number in 0..4 {
            app.advance(1);
            app.operator
                .tenant(
                    app.world.organization,
                    ["same", "Älter", "zebra", "same"][number],
                    number == 1,
                )
                .await;
        }
        for by in [
            "ID",
            "NAME",
            "CREATED_AT",
            "UPDATED_AT",
            "PARTNER_TENANT_ID",
            "ORGANIZATION_TENANT_ID",
        ] {
            let whole =
                list(&root, json!({ "orderBy": by, "count": 100 })).await["tenants"].clone();
            assert_eq!(whole.as_array().unwrap().len(), 8);
            let mut backwards =
                list(&root, json!({ "orderBy": by, "orderDir": "DESC" })).await["tenants"].clone();
            backwards.as_array_mut().unwrap().reverse();
            assert_eq!(backwards, whole, "{by}");
            for direction in ["ASC", "DESC"] {
                let mut seen = Vec::new();
                let mut after = Value::Null;
                let mut first = 0;
                loop {
                    let page = list(
                        &root,
                        json!({
                            "orderBy": by,
                            "orderDir": direction,
                            "count": 3,
                            "afterCursor": after,
                        }),
                    )
                    .await;
                    let count = page["count"].as_u64().unwrap();
                    assert_eq!(
                        (&page["totalCount"], &page["firstIndex"], &page["lastIndex"]),
                        (&json!(8), &json!(first), &json!(first + count - 1))
                    );
                    seen.extend(page["tenants"].as_array().unwrap().clone());
                    (after, first) = (page["cursorPos"].clone(), first + count);
                    if page["hasMore"] == json!(false) {
                        break;
                    }
                }
                if direction == "DESC" {
                    seen.reverse();
                }
                assert_eq!(json!(seen), whole, "{by} {direction}");
            }
        }
    }

    async fn cursor_stays_valid_when_the_list_changes(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        let page = list(&root, json!({ "count": 2 })).await;
        assert_eq!(names(&page), ["North", "Organization"]);
        app.operator.tenant(app.world.organization, "A new first", false).await;
        let next = list(&root, json!({ "count": 2, "cursorPos": page["cursorPos"] })).await;
        assert_eq!((names(&next), &next["hasMore"]), (vec!["Partner", "South"], &json!(false)));
        let end = list(&root, json!({ "afterCursor": next["cursorPos"] })).await;
        assert_eq!(
            (&end["count"], &end["cursorPos"], &end["firstIndex"]),
            (&json!(0), &Value::Null, &Value::Null)
        );
    }

    async fn forged_cursor_does_no_harm(app: TestApp) {
        use base64::Engine as _;
        let root = app.caller(app.world.partner, Role::Auditor).await;
        let id = app.world.north.to_string();
        let cursor = |place: Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(place.to_string())
        };
        for (after, by) in [
            ("rubbish".to_owned(), "NAME"),
            (String::new(), "NAME"),
            (cursor(json!([])), "NAME"),
            (cursor(json!({})), "NAME"),
            (cursor(json!([-1, "", id])), "NAME"),
            (cursor(json!([0, "soon", id])), "CREATED_AT"),
            (cursor(json!([0, "x", id])), "ID"),
        ] {
            let refused = ask(&root, json!({ "afterCursor": after, "orderBy": by })).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{after}");
        }
        for place in
            [json!([u64::MAX, "", id]), json!([u64::MAX - 1, "", id]), json!([0, "\0", id])]
        {
            let answer = ask(&root, json!({ "afterCursor": cursor(place.clone()) })).await;
            assert_eq!(answer.status, 200, "{place}");
            assert!(
                !answer.body.to_string().contains("INTERNAL_SERVER_ERROR"),
                "{place} {}",
                answer.body
            );
        }
    }

    async fn page_size_is_clamped(app: TestApp) {
        let root = app.administrator(app.world.partner).await;
        for (count, expected) in [(-1, 1), (0, 1), (2, 2), (i32::MAX, 4)] {
            assert_eq!(list(&root, json!({ "count": count })).await["count"], expected);
        }
    }
}
