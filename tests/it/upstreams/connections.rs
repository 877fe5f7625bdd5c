//! Upstreams and links as Relay connections, and the objects that they refer to.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::{link, register, register_with};
use crate::support::{Caller, TestApp, both_databases};

both_databases! {
    async fn upstreams_are_paged_without_a_gap(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        for system in [
            "DEEP_SECURITY",
            "INTEGRATION_SERVER",
            "DEEP_SECURITY",
            "INTEGRATION_SERVER",
            "DEEP_SECURITY",
        ] {
            register(&partner, system).await;
        }
        let document = "query($after: String) { upstreamsConnection(first: 2, after: $after) {
            totalCount nodes { id } pageInfo { hasNextPage endCursor } } }";
        let mut seen = Vec::new();
        let mut after = Value::Null;
        for has_more in [true, true, false] {
            let page =
                partner.ask(document, json!({ "after": after })).await.field("upstreamsConnection");
            assert_eq!(
                (&page["totalCount"], &page["pageInfo"]["hasNextPage"]),
                (&json!(5), &json!(has_more))
            );
            seen.extend(page["nodes"].as_array().unwrap().clone());
            after = page["pageInfo"]["endCursor"].clone();
        }
        let listed = partner.ask("{ upstreams { id } }", json!({})).await.field("upstreams");
        assert_eq!((seen.len(), listed.as_array().unwrap().len()), (5, 5));
        assert!(listed.as_array().unwrap().iter().all(|upstream| seen.contains(upstream)));
    }

    async fn page_size_out_of_range_is_refused(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let variables = json!({
            "tenant": app.world.north,
            "upstream": register(&partner, "DEEP_SECURITY").await["id"],
        });
        for first in [0, -1, i32::MIN, 1001, i32::MAX] {
            for field in [
                format!("auditLog(first: {first}) {{ totalCount }}"),
                format!("upstreamsConnection(first: {first}) {{ totalCount }}"),
                format!(
                    "upstream(id: $upstream) {{ linksConnection(first: {first}) {{ totalCount }} }}"
                ),
                format!(
                    "tenant(id: $tenant) {{ upstreamLinksConnection(first: {first}) {{ totalCount \
                    }} }}"
                ),
            ] {
                let document = format!(
                    "query($tenant: ID!, $upstream: ID!) {{ {field} t: tenant(id: $tenant) {{ id }}
                    u: upstream(id: $upstream) {{ id }} }}"
                );
                let answer = partner.ask(&document, variables.clone()).await;
                assert_eq!(answer.code(), "BAD_USER_INPUT", "{field}");
                assert_eq!(
                    answer.body["data"]["t"]["id"], variables["tenant"],
                    "its siblings are answered"
                );
            }
        }
    }

    async fn objects_stand_beside_the_ids_that_name_them(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        link(&partner, app.world.north, &upstream, Some("7")).await.data();
        let document = "query($tenant: ID!, $upstream: ID!) {
            tenant(id: $tenant) { parent { id parentTenantID } effectiveRoles { via viaTenant { id }
            }
                upstreamLinksConnection { totalCount nodes { tenantID tenant { id } upstream { id }
                } } }
            upstream(id: $upstream) { ownerTenantID owner { id } linksConnection { totalCount edges
            { node { tenant { id } } } } }
        }";
        let variables = json!({ "tenant": app.world.north, "upstream": upstream["id"] });
        let seen = partner.ask(document, variables.clone()).await.data();
        let tenant = &seen["tenant"];
        let links = &seen["tenant"]["upstreamLinksConnection"];
        assert_eq!(
            tenant["parent"],
            json!({ "id": app.world.organization, "parentTenantID": app.world.partner })
        );
        assert_eq!(
            tenant["effectiveRoles"][0]["viaTenant"]["id"],
            tenant["effectiveRoles"][0]["via"]
        );
        let expected = json!({
            "tenantID": app.world.north,
            "tenant": { "id": app.world.north },
            "upstream": { "id": upstream["id"] },
        });
        assert_eq!((&links["totalCount"], &links["nodes"]), (&json!(1), &json!([expected])));
        assert_eq!(seen["upstream"]["owner"]["id"], seen["upstream"]["ownerTenantID"]);
        assert_eq!(
            seen["upstream"]["linksConnection"]["edges"],
            json!([{ "node": { "tenant": { "id": app.world.north } } }])
        );
        // A tenant above the tenant in context is null for its caller, without an error.
        let north = app.caller(app.world.north, Role::Auditor).await;
        let seen = north
            .ask(
                "query($id: ID!) { tenant(id: $id) { parentTenantID parent { id } } }",
                json!({ "id": app.world.north }),
            )
            .await;
        assert_eq!(
            seen.field("tenant"),
            json!({ "parentTenantID": app.world.organization, "parent": null })
        );
    }

    async fn links_are_not_multiplied_through_their_tenants(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        link(&partner, app.world.north, &upstream, Some("7")).await.data();
        for way in [
            "links { tenant { upstreamLinks { upstream { links { id } } } } }",
            "links { tenant { parent { upstreamLinks { upstream { links { id } } } } upstreamLinks \
            { upstream { links { id } } } } }",
            "links { upstream { owner { id } linksConnection { totalCount } } }",
            // Small pages, so that the document is not refused for its cost.
            "linksConnection(first: 2) { nodes { tenant { upstreamLinksConnection(first: 2) { nodes
            { upstream {
                linksConnection(first: 2) { totalCount } } } } } } }",
        ] {
            let document = format!("query($id: ID!) {{ upstream(id: $id) {{ {way} }} }}");
            let answer = partner.ask(&document, json!({ "id": upstream["id"] })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{way}");
        }
    }

    async fn upstream_is_found_by_its_id_within_the_scope(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let north = app.administrator(app.world.north).await;
        let own = register(&north, "DEEP_SECURITY").await;
        let above = register(&partner, "DEEP_SECURITY").await;
        let find = async |caller: &Caller, id: &Value| {
            caller.ask("query($id: ID!) { upstream(id: $id) { id } }", json!({ "id": id })).await
        };
        for caller in [&partner, &north] {
            assert_eq!(
                find(caller, &own["id"]).await.field("upstream"),
                json!({ "id": own["id"] })
            );
        }
        let unknown = find(&north, &json!("00000000-0000-4000-8000-000000000000")).await;
        assert_eq!(unknown.code(), "NOT_FOUND");
        assert_eq!(find(&north, &above["id"]).await.learnt(), unknown.learnt());
    }

    async fn enums_have_a_text_twin_and_system_unknown_is_refused(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let document = "query($id: ID!) { upstream(id: $id) { system systemText authentication
            authenticationText }
            auditLog(first: 1) { nodes { outcome outcomeText } } }";
        let seen = partner.ask(document, json!({ "id": upstream["id"] })).await.data();
        let expected = json!({ "system": "DEEP_SECURITY", "systemText": "DEEP_SECURITY",
            "authentication": "SECRET_KEY", "authenticationText": "SECRET_KEY" });
        assert_eq!(seen["upstream"], expected);
        assert_eq!(
            seen["auditLog"]["nodes"][0],
            json!({ "outcome": "SUCCEEDED", "outcomeText": "SUCCEEDED" })
        );
        let input = json!({
            "name": "x",
            "system": "UNKNOWN",
            "baseURL": "https://dsm.example.com/api",
            "credential": { "secretKey": "1:x" },
        });
        assert_eq!(register_with(&partner, input).await.code(), "BAD_USER_INPUT");
        let unknown = partner.ask("{ auditLog(outcome: UNKNOWN) { totalCount } }", json!({})).await;
        assert_eq!(
            unknown.field("auditLog"),
            json!({ "totalCount": 0 }),
            "the log records the outcome"
        );
    }

    async fn audit_log_counts_what_its_filters_find(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        for _ in 0..3 {
            register(&partner, "DEEP_SECURITY").await;
        }
        let document = "{ auditLog(first: 1, operation: \"registerUpstream\") { totalCount nodes { \
            occurredAt at } } }";
        let seen = partner.ask(document, json!({})).await.field("auditLog");
        assert_eq!(seen["totalCount"], 3);
        assert_eq!(seen["nodes"][0]["occurredAt"], seen["nodes"][0]["at"]);
    }
}
