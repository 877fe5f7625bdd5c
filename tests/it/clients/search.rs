//! Searching clients: by name and other filters, in every order, page by page.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Caller, TestApp, both_databases};

const SEARCH: &str = "query($filters: ClientsSearchInput) { clientsSearch(filters: $filters) { \
    result_count totalCount totalUnfilteredCount results { id name } } }";

async fn search(caller: &Caller, filters: Value) -> Value {
    caller.ask(SEARCH, json!({ "filters": filters })).await.field("clientsSearch")
}

/// The names found, in their order.
async fn names(caller: &Caller, filters: Value) -> Vec<String> {
    let found = search(caller, filters).await;
    found["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| client["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Creates clients with these names in a tenant; returns a caller who may read them.
async fn named(app: &TestApp, names: &[&str]) -> Caller {
    for name in names {
        app.operator.client(app.world.north, name, &[Role::Responder]).await;
    }
    let reader = app.operator.client(app.world.north, "~reader", &[Role::Auditor]).await;
    app.log_in(reader).await
}

both_databases! {
    async fn percent_alone_is_a_wildcard(app: TestApp) {
        let reader = named(
            &app,
            &[
                "docs",
                "a docs b",
                "docsets",
                "mydocs",
                "do_cs",
                "doXcs",
                r"back\slash",
                "100%",
                "quote\"s",
                "it's",
            ],
        )
        .await;
        let cases: &[(&str, &[&str])] = &[
            ("docs", &["docs"]),
            ("docs%", &["docs", "docsets"]),
            ("%docs", &["docs", "mydocs"]),
            ("%docs%", &["a docs b", "docs", "docsets", "mydocs"]),
            ("d%c%s", &["do_cs", "docs", "docsets", "doXcs"]),
            ("%%docs%%%", &["a docs b", "docs", "docsets", "mydocs"]),
            ("do_cs", &["do_cs"]),
            ("%_cs", &["do_cs"]),
            (r"%\%", &[r"back\slash"]),
            (r"back\slash", &[r"back\slash"]),
            ("%quote\"s%", &["quote\"s"]),
            ("%it's%", &["it's"]),
            ("%nothing%", &[]),
            ("", &[]),
            ("* OR docs", &[]),
            ("%docs\" OR \"mydocs%", &[]),
        ];
        for (pattern, expected) in cases {
            let mut found = names(&reader, json!({ "name": pattern })).await;
            found.sort_by_key(|name| name.to_lowercase());
            let mut expected = expected.to_vec();
            expected.sort_by_key(|name| name.to_lowercase());
            assert_eq!(found, expected, "{pattern}");
        }
        assert_eq!(search(&reader, json!({ "name": "%" })).await["totalCount"], 11);
    }

    async fn name_search_folds_case_and_compatibility_forms(app: TestApp) {
        let reader = named(
            &app,
            &["İstanbul Şube", "Zoe\u{308} GmbH", "ＡＣＭＥ", "in\u{AD}voice", "ﬁnance"],
        )
        .await;
        for (pattern, expected) in [
            ("istanbul%", "İstanbul Şube"),
            ("%ISTANBUL%", "İstanbul Şube"),
            ("%i\u{307}stanbul s\u{327}ube", "İstanbul Şube"),
            ("zoë gmbh", "Zoe\u{308} GmbH"),
            ("%ZOE\u{308}%", "Zoe\u{308} GmbH"),
            ("acme", "ＡＣＭＥ"),
            ("%invoice%", "in\u{AD}voice"),
            ("FINANCE", "ﬁnance"),
        ] {
            assert_eq!(names(&reader, json!({ "name": pattern })).await, [expected], "{pattern}");
        }
        assert!(names(&reader, json!({ "name": "zoe%" })).await.is_empty(), "diacritics are significant");
    }

    async fn letter_case_is_ignored_in_every_script(app: TestApp) {
        let reader =
            named(&app, &["STRASSE Nord", "Straße Süd", "ОТЧЁТЫ", "ΟΔΟΣ", "東京支社", "Ångström"])
                .await;
        for (pattern, expected) in [
            ("straße%", vec!["STRASSE Nord", "Straße Süd"]),
            ("%STRASSE%", vec!["STRASSE Nord", "Straße Süd"]),
            ("отчёты", vec!["ОТЧЁТЫ"]),
            ("%тчё%", vec!["ОТЧЁТЫ"]),
            ("οδος", vec!["ΟΔΟΣ"]),
            ("%京%", vec!["東京支社"]),
            ("%東京支%", vec!["東京支社"]),
            ("åNGSTRÖM", vec!["Ångström"]),
        ] {
            assert_eq!(names(&reader, json!({ "name": pattern })).await, expected, "{pattern}");
        }
    }

    async fn search_finds_renamed_clients(app: TestApp) {
        let reader = named(&app, &["before"]).await;
        let administrator = app.administrator(app.world.north).await;
        let id = search(&reader, json!({ "name": "before" })).await["results"][0]["id"].clone();
        let rename =
            "mutation($id: ID!) { updateClient(id: $id, input: { name: \"afterwards\" }) { id } }";
        administrator.ask(rename, json!({ "id": id })).await.data();
        assert!(names(&reader, json!({ "name": "%before%" })).await.is_empty());
        assert_eq!(names(&reader, json!({ "name": "%terwar%" })).await, ["afterwards"]);
        administrator
            .ask("mutation($id: ID!) { deleteClient(id: $id) { id } }", json!({ "id": id }))
            .await
            .data();
        assert!(names(&reader, json!({ "name": "%terwar%" })).await.is_empty());
    }

    async fn filters_are_combined_with_and_and_their_values_with_or(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let [auditor, analyst, responder] =
            [Role::Auditor, Role::Analyst, Role::Responder].map(|role| role.id().to_string());
        let north = administrator.within(app.world.north);
        let south = administrator.within(app.world.south);
        let a = north.create("abc one", &[&auditor]).await;
        let b = north.create("abc two", &[&analyst]).await;
        let c = south.create("abc three", &[&auditor, &responder]).await;
        let d = south.create("xyz", &[&responder]).await;
        let cases = [
            (json!({ "roleIDs": [auditor] }), vec!["abc one", "abc three"]),
            (json!({ "roleIDs": [auditor, analyst] }), vec!["abc one", "abc three", "abc two"]),
            (json!({ "roleIDs": [] }), vec![]),
            (json!({ "roleIDs": [auditor], "tenantIDs": [app.world.south] }), vec!["abc three"]),
            (json!({ "tenantID": app.world.north, "name": "%abc%" }), vec!["abc one", "abc two"]),
            (json!({ "tenantID": app.world.north, "tenantIDs": [app.world.south] }), vec![]),
            (
                json!({ "tenantIDs": [app.world.south, app.world.stranger], "name": "%" }),
                vec!["abc three", "xyz"],
            ),
            (
                json!({ "clientIDs": [a.id, b.client_id, d.id, "unknown"] }),
                vec!["abc one", "abc two", "xyz"],
            ),
            (
                json!({ "clientIDs": [a.id, c.client_id], "roleIDs": [responder] }),
                vec!["abc three"],
            ),
            (json!({ "clientIDs": [] }), vec![]),
            (json!({ "enabled": false }), vec![]),
        ];
        for (filters, expected) in cases {
            assert_eq!(names(&administrator, filters.clone()).await, expected, "{filters}");
        }
        let disable =
            "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }";
        administrator.ask(disable, json!({ "id": b.id })).await.data();
        assert_eq!(names(&administrator, json!({ "enabled": false })).await, ["abc two"]);
        assert_eq!(
            names(&administrator, json!({ "enabled": true, "name": "abc t%" })).await,
            ["abc three"]
        );
    }

    async fn unused_clients_are_found(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let early = administrator.create("early", &[]).await;
        let late = administrator.create("late", &[]).await;
        administrator.create("never", &[]).await;
        assert!(app.works(&early).await);
        app.advance(10);
        let since = app.in_seconds(0);
        assert!(app.works(&late).await);
        let administrator = administrator.again().await;
        assert_eq!(
            names(&administrator, json!({ "unusedSince": since })).await,
            ["early", "never"]
        );
    }

    async fn expired_role_is_not_listed(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = administrator.create("robot", &[]).await;
        let append = "mutation($id: ID!, $end: String) { appendClientRoles(id: $id, roles: [{ \
            roleID: \"ace1cae4-59fd-4fd1-9500-40077dc529a7\", expiresAt: $end }]) { id } }";
        administrator
            .ask(append, json!({ "id": robot.id, "end": app.in_seconds(60) }))
            .await
            .data();
        let auditors = json!({ "roleIDs": [Role::Auditor.id().to_string()] });
        assert_eq!(names(&administrator, auditors.clone()).await, ["robot"]);
        app.advance(60);
        assert!(names(&administrator, auditors).await.is_empty());
    }

    async fn every_sort_order_works(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let administrator_id = administrator.id().to_owned();
        let [auditor, analyst, responder] =
            [Role::Auditor, Role::Analyst, Role::Responder].map(|role| role.id().to_string());
        let a = administrator.create("b one", &[&responder]).await;
        let b = administrator.create("A two", &[&auditor]).await;
        let c = administrator.create("ä three", &[&responder, &analyst]).await;
        let uses = [(&a, 2), (&b, 0), (&c, 1)];
        for (client, times) in uses {
            for _ in 0..times {
                app.advance(1);
                assert!(app.works(client).await);
            }
        }
        let mut by_client_id =
            [(a.client_id, "b one"), (b.client_id, "A two"), (c.client_id, "ä three")];
        by_client_id.sort();
        let by_client_id = [by_client_id[0].1, by_client_id[1].1, by_client_id[2].1];
        let orders = [
            ("NAME", ["A two", "b one", "ä three"]),
            ("CLIENT_ID", by_client_id),
            ("ROLE_ASSIGNMENT_NAME", ["ä three", "A two", "b one"]),
            ("TOKEN_REQUEST_COUNT", ["A two", "ä three", "b one"]),
            ("TOKEN_REQUEST_TIME", ["A two", "b one", "ä three"]),
        ];
        for (by, mut expected) in orders {
            for direction in ["ASC", "DESC"] {
                let found =
                    search(&administrator, json!({ "sortBy": by, "sortOrder": direction })).await;
                let found = found["results"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|client| client["id"] != administrator_id);
                let found: Vec<_> = found.map(|client| client["name"].as_str().unwrap()).collect();
                assert_eq!(found, expected, "{by} {direction}");
                expected.reverse();
            }
        }
    }

    async fn paging_repeats_and_drops_no_row(app: TestApp) {
        let reader = named(&app, &["same"; 23]).await;
        let mut seen = Vec::new();
        for page in 0..6 {
            let found =
                search(&reader, json!({ "name": "same", "pageOffset": page, "perPage": 5 })).await;
            assert_eq!(
                (&found["totalCount"], &found["totalUnfilteredCount"]),
                (&json!(23), &json!(24))
            );
            let results = found["results"].as_array().unwrap();
            assert_eq!(
                (found["result_count"].as_u64().unwrap(), results.len()),
                (results.len() as u64, [5, 5, 5, 5, 3, 0][page])
            );
            seen.extend(results.iter().map(|client| client["id"].to_string()));
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((sorted.len(), &sorted), (23, &seen), "by name, then by id");
        let document =
            "query($page: Int) { clients(name: \"same\", page: $page, perPage: 5) { id } }";
        for (page, first) in [
            (json!(1), 0),
            (json!(2), 5),
            (json!(5), 20),
            (Value::Null, 0),
            (json!(0), 0),
            (json!(-7), 0),
        ] {
            let found = reader.ask(document, json!({ "page": page })).await.field("clients");
            assert_eq!(found[0]["id"].to_string(), seen[first], "{page}");
        }
    }

    async fn page_arguments_out_of_range_are_clamped(app: TestApp) {
        let reader = named(&app, &["same"; 3]).await;
        for (offset, size, count) in [
            (0, -1, 1),
            (0, 0, 1),
            (0, i32::MAX, 4),
            (-5, 2, 2),
            (i32::MIN, i32::MIN, 1),
            (i32::MAX, i32::MAX, 0),
        ] {
            let found = search(&reader, json!({ "pageOffset": offset, "perPage": size })).await;
            assert_eq!(found["result_count"], count, "{offset} {size}");
        }
    }
}
