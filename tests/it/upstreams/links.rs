use serde_json::json;

use super::{link, register};
use crate::support::{TestApp, both_databases};

both_databases! {
    async fn a_linked_tenant_shows_its_link_and_no_other(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let north = link(&partner, app.world.north, &upstream, Some("7")).await.field("linkTenant");
        link(&partner, app.world.south, &upstream, Some("8")).await.data();
        assert_eq!(north["status"], json!({ "reachable": null, "lastErrorCode": null, "circuit": "CLOSED" }));

        let document = "query($id: ID!) { tenant(id: $id) { upstreamLinks {
            id remoteTenantID upstream { name links { tenantID } } } } }";
        let customer = app.administrator(app.world.north).await;
        let seen = customer.ask(document, json!({ "id": app.world.north })).await.field("tenant");
        let expected = json!([{
            "id": north["id"], "remoteTenantID": "7",
            "upstream": { "name": "DEEP_SECURITY", "links": [{ "tenantID": app.world.north }] },
        }]);
        assert_eq!(seen["upstreamLinks"], expected, "the neighbour on the same installation does not show");
        let above = partner.ask(document, json!({ "id": app.world.north })).await.field("tenant");
        assert_eq!(above["upstreamLinks"][0]["upstream"]["links"].as_array().unwrap().len(), 2);
    }

    async fn links_are_not_multiplied_by_themselves(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        for (tenant, remote) in [(app.world.north, "7"), (app.world.south, "8")] {
            link(&partner, tenant, &upstream, Some(remote)).await.data();
        }
        let links = "links { id upstream { id links { id } } }";
        for document in [
            format!("{{ upstreams {{ {links} }} }}"),
            format!("query($id: ID!) {{ tenant(id: $id) {{ upstreamLinks {{ upstream {{ {links} }} }} }} }}"),
        ] {
            let refused = partner.ask(&document, json!({ "id": app.world.north })).await;
            for error in refused.body["errors"].as_array().unwrap() {
                assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
                assert!(error["message"].as_str().unwrap().starts_with("links:"), "{error}");
            }
        }
    }

    async fn a_tenant_has_one_link_a_system_and_a_remote_tenant_one_of_ours(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let (one, two) = (register(&partner, "DEEP_SECURITY").await, register(&partner, "DEEP_SECURITY").await);
        let other = register(&partner, "INTEGRATION_SERVER").await;
        link(&partner, app.world.north, &one, Some("7")).await.data();
        assert_eq!(link(&partner, app.world.north, &two, Some("9")).await.code(), "CONFLICT");
        assert_eq!(link(&partner, app.world.south, &one, Some("7")).await.code(), "CONFLICT");
        link(&partner, app.world.north, &other, Some("7")).await.data();
        link(&partner, app.world.south, &two, None).await.data();
        assert_eq!(link(&partner, app.world.organization, &two, None).await.code(), "CONFLICT");
    }

    async fn another_spelling_of_an_id_is_no_other_tenant(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let (manager, server) = (register(&partner, "DEEP_SECURITY").await, register(&partner, "INTEGRATION_SERVER").await);
        link(&partner, app.world.north, &manager, Some("7")).await.data();
        link(&partner, app.world.north, &server, Some("345ae5d6-eeb7-4635-884a-01ac1781deeb")).await.data();
        for (upstream, id) in [
            (&manager, "07"),
            (&server, "345AE5D6-EEB7-4635-884A-01AC1781DEEB"),
            (&server, "345ae5d6eeb74635884a01ac1781deeb"),
            (&server, "{345ae5d6-eeb7-4635-884a-01ac1781deeb}"),
        ] {
            assert_eq!(link(&partner, app.world.south, upstream, Some(id)).await.code(), "CONFLICT", "{id}");
        }
        link(&partner, app.world.south, &manager, Some("70")).await.data();
    }

    async fn only_tenants_below_its_owner_are_linked_to_an_upstream(app: TestApp) {
        let top = app.administrator(app.world.top).await;
        let upstream = register(&top.within(app.world.partner), "DEEP_SECURITY").await;
        assert_eq!(link(&top, app.world.stranger, &upstream, Some("7")).await.code(), "NOT_FOUND");
        assert_eq!(link(&top, app.world.top, &upstream, Some("7")).await.code(), "NOT_FOUND");
        link(&top, app.world.partner, &upstream, Some("7")).await.data();
    }

    async fn a_customer_cannot_use_an_upstream_of_above_or_beside(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let beside = register(&app.administrator(app.world.south).await, "DEEP_SECURITY").await;
        let north = app.administrator(app.world.north).await;
        let unknown = link(&north, app.world.north, &json!({ "id": "00000000-0000-4000-8000-000000000000" }), Some("7")).await;
        assert_eq!(unknown.code(), "NOT_FOUND");
        for other in [upstream, beside] {
            assert_eq!(link(&north, app.world.north, &other, Some("7")).await.learnt(), unknown.learnt());
        }
    }

    async fn an_id_that_could_mean_another_path_is_refused(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        for id in ["", "a/b", "..", "a..b", "7\r\n", "7\0", "7?x", "7#x", "%2e", " 7", &"7".repeat(300)] {
            let refused = link(&partner, app.world.north, &upstream, Some(id)).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{id:?}");
        }
    }
}
