//! The name search uses its index, shown by the statements that the gateway sends.

use std::fs;

use sea_orm::{ConnectionTrait, Database as Connector};
use serde_json::{Value, json};

use crate::support::{Caller, Engine, TestApp, TestDatabase, eventually, postgres};

/// Enough rows that a full scan is clearly more expensive.
const ROWS: usize = 50_000;

const COLUMNS: &str = "id, client_id, tenant_id, name, name_folded, enabled, token_generation, \
    token_request_count, created_at, updated_at, created_by, updated_by";

/// Inserts clients called `client <number>` into a tenant, bypassing the services for speed.
async fn fill(app: &TestApp) {
    let tenant = app.world.north.0;
    let sql = match app.database.engine {
        Engine::Sqlite => format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
             INSERT INTO clients ({COLUMNS}) SELECT randomblob(16), 'c' || i, x'{}', 'client ' || i,
             'client ' || i, 1, 0, 0, 0, 0, 'x', 'x' FROM n",
            tenant.simple()
        ),
        Engine::Postgres => format!(
            "INSERT INTO clients ({COLUMNS}) SELECT gen_random_uuid(), 'c' || i, '{tenant}',
             'client ' || i, 'client ' || i, true, 0, 0, 0, 0, 'x', 'x'
             FROM generate_series(1, {ROWS}) i"
        ),
    };
    let database = app.operator.database.reader();
    database.execute_unprepared(&sql).await.unwrap();
    database.execute_unprepared("ANALYZE").await.unwrap();
}

async fn found(caller: &Caller, pattern: &str) -> Value {
    let document = "query($name: String) { clients(name: $name) { name } clientsSearch(filters: { \
        name: $name }) { totalCount } }";
    caller.ask(document, json!({ "name": pattern })).await.data()
}

fn one(name: &str) -> Value {
    json!({ "clients": [{ "name": name }], "clientsSearch": { "totalCount": 1 } })
}

/// The query plans that PostgreSQL logged for the database's statements with that text.
fn plans(database: &str, text: &str) -> Vec<String> {
    let log = fs::read_to_string(postgres::log()).unwrap();
    let start = format!("\n{database}|");
    // Continuation lines of an entry are indented; the next line belongs to another entry.
    let own = |entry: &str| {
        entry
            .split_inclusive('\n')
            .enumerate()
            .take_while(|(at, line)| *at == 0 || line.starts_with('\t'))
            .map(|(_, line)| line.to_owned())
            .collect::<String>()
    };
    let plans = log.split(&start).filter(|entry| entry.contains("plan:")).map(own);
    plans.filter(|plan| plan.contains(text)).collect()
}

/// A gateway whose PostgreSQL logs the plan of each statement, and the name of its database.
async fn explained() -> (TestApp, String) {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let url = database.url.clone().unwrap();
    let name = url.split('/').nth(3).unwrap().split('?').next().unwrap().to_owned();
    let connection = Connector::connect(&url).await.unwrap();
    for setting in
        ["session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0"]
    {
        connection
            .execute_unprepared(&format!("ALTER DATABASE {name} SET {setting}"))
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    (TestApp::over(database).await, name)
}

#[tokio::test]
async fn name_search_on_postgres_uses_the_trigram_index() {
    let (app, name) = explained().await;
    fill(&app).await;
    let administrator = app.administrator(app.world.organization).await;
    // PostgreSQL makes a generic plan once a prepared statement has run five times on one
    // connection.
    for number in 0..60 {
        let name = format!("client {}", 44_444 - number);
        assert_eq!(found(&administrator, &format!("%{}%", &name[3..])).await, one(&name));
    }
    let plans = eventually(10, "the plans", async || {
        Some(plans(&name, "LIKE")).filter(|plans| plans.len() >= 120)
    })
    .await;
    for plan in plans {
        assert!(plan.contains("Bitmap Index Scan on client_names"), "{plan}");
    }
}

#[tokio::test]
async fn deep_page_on_postgres_reads_the_rows_before_it_from_the_index_alone() {
    let (app, name) = explained().await;
    fill(&app).await;
    app.operator.database.reader().execute_unprepared("VACUUM ANALYZE").await.unwrap();
    let administrator = app.administrator(app.world.organization).await;
    for (by, index, page) in
        [("NAME", "clients_in_name_order", 201), ("CLIENT_ID", "clients_in_client_id_order", 202)]
    {
        let filters = json!({ "sortBy": by, "pageOffset": page, "perPage": 100 });
        let document = "query($filters: ClientsSearchInput) { clientsSearch(filters: $filters) { \
            results { name } } }";
        let found = administrator.ask(document, json!({ "filters": filters })).await;
        assert_eq!(found.field("clientsSearch")["results"].as_array().unwrap().len(), 100);
        // The index tells the two requests apart.
        let of_page = || {
            let all = plans(&name, "OFFSET");
            all.into_iter().find(|plan| plan.contains(&format!("using {index}")))
        };
        let plan = eventually(10, "a plan with the index", async || of_page()).await;
        assert!(plan.contains(&format!("Index Only Scan using {index}")), "{plan}");
        assert!(plan.contains("hashed SubPlan"), "the tenants are collected once: {plan}");
        assert!(!plan.contains("Seq Scan on clients"), "{plan}");
        // The page itself, of 100 rows, is sorted again by what orders the list.
        assert_eq!(plan.matches("Sort Key: clients.").count(), 1, "{plan}");
        assert!(!plan.contains("Sort Key: clients_1."), "{plan}");
    }
}

#[tokio::test]
async fn name_search_on_sqlite_uses_only_the_trigram_table() {
    let app = TestApp::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    fill(&app).await;
    let administrator = app.administrator(app.world.organization).await;
    assert_eq!(found(&administrator, "%ient 44444%").await, one("client 44444"));
    // A name that is missing from the index is not found although it matches: only the index was
    // searched.
    let database = app.operator.database.reader();
    let forget = "INSERT INTO client_names (client_names, rowid, name_folded) SELECT 'delete', \
        seq, name_folded FROM clients WHERE name = 'client 44444'";
    database.execute_unprepared(forget).await.unwrap();
    let nothing = json!({ "clients": [], "clientsSearch": { "totalCount": 0 } });
    assert_eq!(found(&administrator, "%ient 44444%").await, nothing);
    assert_eq!(found(&administrator, "%44444%").await, nothing);
    // Without three consecutive characters there is no trigram, and all names are read.
    assert_eq!(found(&administrator, "%4%4%4%4%4").await, one("client 44444"));
}
