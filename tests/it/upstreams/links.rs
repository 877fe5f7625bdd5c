use serde_json::{Value, json};
use tenant_gateway::global_id::{GlobalId, NodeKind};
use tenant_gateway::roles::Role;

use super::{link, register, register_with};
use crate::support::{Answer, Caller, TestApp, both_databases};

async fn register_at(caller: &Caller, base_url: &str) -> Value {
    let credential = json!({ "secretKey": "2:registered" });
    let input = json!({
        "name": "again",
        "system": "DEEP_SECURITY",
        "baseURL": base_url,
        "credential": credential,
    });
    register_with(caller, input).await.field("registerUpstream")
}

async fn move_to(caller: &Caller, upstream: &Value, base_url: &str) -> Answer {
    let document = "mutation($id: ID!, $input: UpdateUpstreamInput!) { updateUpstream(id: $id, \
        input: $input) { id } }";
    caller.ask(document, json!({ "id": upstream["id"], "input": { "baseURL": base_url } })).await
}

both_databases! {
    async fn linked_tenant_shows_only_its_own_link(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let north = link(&partner, app.world.north, &upstream, Some("7")).await.field("linkTenant");
        link(&partner, app.world.south, &upstream, Some("8")).await.data();
        assert_eq!(
            north["status"],
            json!({ "reachable": null, "lastErrorCode": null, "circuit": "CLOSED" })
        );

        let document = "query($id: ID!) { tenant(id: $id) { upstreamLinks {
            id remoteTenantID upstream { name links { tenantID } } } } }";
        let customer = app.administrator(app.world.north).await;
        let seen = customer.ask(document, json!({ "id": app.world.north })).await.field("tenant");
        let expected = json!([{
            "id": north["id"], "remoteTenantID": "7",
            "upstream": { "name": "DEEP_SECURITY", "links": [{ "tenantID": app.world.north }] },
        }]);
        assert_eq!(
            seen["upstreamLinks"], expected,
            "the sibling on the same installation is hidden"
        );
        let above = partner.ask(document, json!({ "id": app.world.north })).await.field("tenant");
        assert_eq!(above["upstreamLinks"][0]["upstream"]["links"].as_array().unwrap().len(), 2);
    }

    async fn link_takes_the_global_id_of_a_tenant_of_its_own_upstream_only(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let one = register(&partner, "DEEP_SECURITY").await;
        let other = register(&partner, "DEEP_SECURITY").await;
        let global = |kind, upstream: &Value| {
            GlobalId::write(kind, upstream["id"].as_str().unwrap().parse().unwrap(), "7")
        };
        let unknown = GlobalId::write(NodeKind::DeepSecurityTenant, uuid::Uuid::nil(), "7");
        let unknown = link(&partner, app.world.north, &one, Some(&unknown)).await;
        assert_eq!(unknown.code(), "NOT_FOUND");
        for foreign in [
            global(NodeKind::DeepSecurityTenant, &other),
            global(NodeKind::DeepSecurityComputer, &one),
        ] {
            let refused = link(&partner, app.world.north, &one, Some(&foreign)).await;
            assert_eq!(refused.learnt(), unknown.learnt());
        }
        let own = global(NodeKind::DeepSecurityTenant, &one);
        let linked = link(&partner, app.world.north, &one, Some(&own)).await.field("linkTenant");
        let document =
            "query($id: ID!) { tenant(id: $id) { upstreamLinks { id remoteTenantID } } }";
        let seen = partner.ask(document, json!({ "id": app.world.north })).await.field("tenant");
        assert_eq!(seen["upstreamLinks"], json!([{ "id": linked["id"], "remoteTenantID": "7" }]));
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
            format!(
                "query($id: ID!) {{ tenant(id: $id) {{ upstreamLinks {{ upstream {{ {links} }} }} \
                }} }}"
            ),
        ] {
            let refused = partner.ask(&document, json!({ "id": app.world.north })).await;
            for error in refused.body["errors"].as_array().unwrap() {
                assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
                assert!(error["message"].as_str().unwrap().starts_with("links:"), "{error}");
            }
        }
    }

    async fn tenant_has_one_link_per_system_and_remote_tenant_has_one_link(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let one = register(&partner, "DEEP_SECURITY").await;
        let two = register(&partner, "DEEP_SECURITY").await;
        let other = register(&partner, "INTEGRATION_SERVER").await;
        link(&partner, app.world.north, &one, Some("7")).await.data();
        assert_eq!(link(&partner, app.world.north, &two, Some("9")).await.code(), "CONFLICT");
        assert_eq!(link(&partner, app.world.south, &one, Some("7")).await.code(), "CONFLICT");
        link(&partner, app.world.north, &other, Some("7")).await.data();
        link(&partner, app.world.south, &two, None).await.data();
        assert_eq!(link(&partner, app.world.organization, &two, None).await.code(), "CONFLICT");
    }

    async fn spellings_of_one_remote_id_name_one_tenant(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let manager = register(&partner, "DEEP_SECURITY").await;
        let server = register(&partner, "INTEGRATION_SERVER").await;
        link(&partner, app.world.north, &manager, Some("7")).await.data();
        link(&partner, app.world.north, &server, Some("345ae5d6-eeb7-4635-884a-01ac1781deeb"))
            .await
            .data();
        for (upstream, id) in [
            (&manager, "07"),
            (&server, "345AE5D6-EEB7-4635-884A-01AC1781DEEB"),
            (&server, "345ae5d6eeb74635884a01ac1781deeb"),
            (&server, "{345ae5d6-eeb7-4635-884a-01ac1781deeb}"),
        ] {
            assert_eq!(
                link(&partner, app.world.south, upstream, Some(id)).await.code(),
                "CONFLICT",
                "{id}"
            );
        }
        link(&partner, app.world.south, &manager, Some("70")).await.data();
    }

    async fn remote_id_is_stored_in_its_canonical_spelling(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let manager = register(&partner, "DEEP_SECURITY").await;
        let server = register(&partner, "INTEGRATION_SERVER").await;
        let uuid = "345ae5d6-eeb7-4635-884a-01ac1781deeb";
        for (upstream, given, stored) in
            [(&manager, "007", "7"), (&server, "{345AE5D6-EEB7-4635-884A-01AC1781DEEB}", uuid)]
        {
            let made =
                link(&partner, app.world.north, upstream, Some(given)).await.field("linkTenant");
            assert_eq!(made["remoteTenantID"], stored);
        }
    }

    async fn installation_registered_twice_is_one(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let one = register(&partner, "DEEP_SECURITY").await;
        let again = register_at(&partner, "https://DSM.example.com.:4119/%61pi").await;
        let below = register_at(
            &app.administrator(app.world.organization).await,
            "https://dsm.example.com:4119/api",
        )
        .await;
        let elsewhere = register_at(&partner, "https://dsm.example.com:4119/other").await;
        link(&partner, app.world.north, &one, Some("7")).await.data();
        for registration in [&one, &again, &below] {
            assert_eq!(
                link(&partner, app.world.south, registration, Some("07")).await.code(),
                "CONFLICT"
            );
        }
        link(&partner, app.world.south, &elsewhere, Some("7")).await.data();
        let moved = move_to(&partner, &elsewhere, "https://dsm.example.com:4119/api/").await;
        assert_eq!(moved.code(), "CONFLICT", "{}", moved.body);
        move_to(&partner, &elsewhere, "https://dsm.example.com:4119/third").await.data();
    }

    async fn unrelated_tenants_learn_nothing_of_each_others_links(
        app: TestApp,
    ) {
        let partner = app.administrator(app.world.partner).await;
        let stranger = app.administrator(app.world.stranger).await;
        let ours = register(&partner, "DEEP_SECURITY").await;
        let theirs = register(&stranger, "DEEP_SECURITY").await;
        link(&stranger, app.world.stranger, &theirs, Some("7")).await.data();
        link(&partner, app.world.north, &ours, Some("7")).await.data();
    }

    async fn remote_tenant_is_never_linked_twice_however_many_try_at_once(app: TestApp) {
        let other = app.another_node().await;
        let partner = app.administrator(app.world.partner).await;
        let there = partner.at(&other.gateway);
        let one = register(&partner, "DEEP_SECURITY").await;
        let two = register(&partner, "DEEP_SECURITY").await;
        for round in 0..40 {
            // Alternates between two spellings at one registration and one spelling at two.
            let second = if round % 2 == 0 { &one } else { &two };
            let number = round + 1;
            let plain = number.to_string();
            let odd = format!("0{number}");
            let (north, south) = tokio::join!(
                link(&partner, app.world.north, &one, Some(&plain)),
                link(&there, app.world.south, second, Some(&odd)),
            );
            let made: Vec<_> = [&north, &south]
                .into_iter()
                .filter(|answer| answer.body.get("errors").is_none())
                .collect();
            assert_eq!(made.len(), 1, "round {round}: {} {}", north.body, south.body);
            let refused = if north.body.get("errors").is_some() { &north } else { &south };
            assert_eq!(refused.code(), "CONFLICT", "round {round}");
            let end = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
            partner
                .ask(end, json!({ "id": made[0].body["data"]["linkTenant"]["id"] }))
                .await
                .data();
        }
    }

    async fn tenant_that_does_not_own_an_upstream_sees_only_its_name_and_system(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let made = link(&partner, app.world.north, &upstream, Some("7")).await.field("linkTenant");
        let fields = "id name system baseURL ownerTenantID authentication timeZone createdAt \
            updatedAt links { tenantID }";
        let document = format!(
            "query($id: ID!) {{ tenant(id: $id) {{ upstreamLinks {{ upstream {{ {fields} }} status \
            {{ circuit }} }} }} }}"
        );
        let of_north = json!({ "id": app.world.north });
        let seen = partner.ask(&document, of_north.clone()).await.field("tenant");
        let owners = seen["upstreamLinks"][0]["upstream"].clone();
        assert_eq!(owners["baseURL"], "https://dsm.example.com:4119/api");
        assert_eq!(
            (&owners["ownerTenantID"], &owners["authentication"]),
            (&json!(app.world.partner), &json!("SECRET_KEY"))
        );
        let restricted = json!({
            "id": upstream["id"],
            "name": "DEEP_SECURITY",
            "system": "DEEP_SECURITY",
            "baseURL": null,
            "ownerTenantID": null,
            "authentication": null,
            "timeZone": null,
            "createdAt": null,
            "updatedAt": null,
            "links": [{ "tenantID": app.world.north }],
        });
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        let customers =
            [auditor, app.administrator(app.world.north).await, partner.within(app.world.north)];
        for customer in &customers {
            let seen =
                customer.ask(&document, of_north.clone()).await.field("tenant")["upstreamLinks"][0]
                    .clone();
            assert_eq!(seen["upstream"], restricted);
            assert_eq!(seen["status"]["circuit"], "CLOSED");
        }
        let above = app.administrator(app.world.top).await;
        let seen =
            above.ask(&document, of_north).await.field("tenant")["upstreamLinks"][0]["upstream"]
                .clone();
        assert_eq!(
            seen["baseURL"], owners["baseURL"],
            "an administrator above the owner sees what the owner sees"
        );
        let end =
            format!("mutation($id: ID!) {{ unlinkTenant(id: $id) {{ upstream {{ {fields} }} }} }}");
        let ended = customers[1].ask(&end, json!({ "id": made["id"] })).await.field("unlinkTenant");
        assert_eq!(
            (&ended["upstream"]["name"], &ended["upstream"]["baseURL"]),
            (&json!("DEEP_SECURITY"), &Value::Null)
        );
        let log = "{ auditLog { nodes { operation before after } } }";
        let log = customers[1].ask(log, json!({})).await.body.to_string();
        assert!(
            log.contains("linkTenant")
                && !log.contains("dsm.example.com")
                && !log.contains("SECRET_KEY"),
            "{log}"
        );
    }

    async fn only_tenants_below_its_owner_are_linked_to_an_upstream(app: TestApp) {
        let top = app.administrator(app.world.top).await;
        let upstream = register(&top.within(app.world.partner), "DEEP_SECURITY").await;
        assert_eq!(link(&top, app.world.stranger, &upstream, Some("7")).await.code(), "NOT_FOUND");
        assert_eq!(link(&top, app.world.top, &upstream, Some("7")).await.code(), "NOT_FOUND");
        link(&top, app.world.partner, &upstream, Some("7")).await.data();
    }

    async fn customer_cannot_use_upstream_of_parent_or_sibling(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let beside = register(&app.administrator(app.world.south).await, "DEEP_SECURITY").await;
        let north = app.administrator(app.world.north).await;
        let unknown = link(
            &north,
            app.world.north,
            &json!({ "id": "00000000-0000-4000-8000-000000000000" }),
            Some("7"),
        )
        .await;
        assert_eq!(unknown.code(), "NOT_FOUND");
        for other in [upstream, beside] {
            assert_eq!(
                link(&north, app.world.north, &other, Some("7")).await.learnt(),
                unknown.learnt()
            );
        }
    }

    async fn id_that_could_change_the_path_is_refused(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        for id in
            ["", "a/b", "..", "a..b", "7\r\n", "7\0", "7?x", "7#x", "%2e", " 7", &"7".repeat(300)]
        {
            let refused = link(&partner, app.world.north, &upstream, Some(id)).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT", "{id:?}");
        }
    }
}
