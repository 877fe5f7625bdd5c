//! Pages far down a list of many clients: they continue it, and show no client of other tenants.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use crate::support::{Caller, Engine, TestApp, both_databases};

/// More than 10,000 of them are in the scope, so that the list is read in its order.
const ROWS: usize = 14_000;

const PAGE: usize = 100;

const SEARCH: &str = "query($filters: ClientsSearchInput) { clientsSearch(filters: $filters) {
    totalCount results { name clientID tokenRequestCount }
} }";

const DISABLE: &str = "UPDATE tenants SET enabled = FALSE WHERE name = 'Closed'";

/// A client of the fill.
struct Row {
    number: usize,
    name: String,
    client_id: String,
}

impl Row {
    fn all() -> impl Iterator<Item = Self> {
        let row = |number| Self {
            number,
            name: format!("client {number:05}"),
            client_id: format!("c{:05}", 99_999 - number),
        };
        (1..=ROWS).map(row)
    }

    /// Three of four are in the organization; one of those is in a disabled tenant of it.
    fn is_shown(&self) -> bool {
        self.number % 4 < 2
    }

    fn is_enabled(&self) -> bool {
        !self.number.is_multiple_of(3)
    }

    fn is_auditor(&self) -> bool {
        self.number.is_multiple_of(5)
    }
}

/// Inserts the clients, bypassing the services for speed.
async fn fill(app: &TestApp, closed: TenantId) {
    let engine = app.database.engine;
    let (uuid, numbers) = match engine {
        Engine::Sqlite => (
            "randomblob(16)",
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
                SELECT i FROM n) n"
            ),
        ),
        Engine::Postgres => ("gen_random_uuid()", format!("generate_series(1, {ROWS}) n(i)")),
    };
    let padded = |number: &str| match engine {
        Engine::Sqlite => format!("printf('%05d', {number})"),
        Engine::Postgres => format!("lpad(({number})::text, 5, '0')"),
    };
    let [north, south, closed, stranger] =
        [app.world.north, app.world.south, closed, app.world.stranger]
            .map(|tenant| engine.literal(tenant.0));
    let name = format!("'client ' || {}", padded("i"));
    let client_id = format!("'c' || {}", padded("99999 - i"));
    let auditor = engine.literal(Role::Auditor.id().0);
    let mut statements = vec![
        format!(
            "INSERT INTO clients (id, client_id, tenant_id, name, name_folded, enabled,
                token_generation, token_request_count, created_at, updated_at, created_by,
                updated_by)
            SELECT {uuid}, {client_id}, CASE i % 4 WHEN 0 THEN {north} WHEN 1 THEN {south}
                WHEN 2 THEN {closed} ELSE {stranger} END, {name}, {name}, i % 3 > 0, 0, i % 7, 0,
                0, 'x', 'x'
            FROM {numbers}"
        ),
        format!(
            "INSERT INTO role_assignments (id, client_id, tenant_id, role_id, created_at,
                created_by)
            SELECT {uuid}, id, tenant_id, {auditor}, 0, 'x' FROM clients
            WHERE name_folded LIKE 'client %0' OR name_folded LIKE 'client %5'"
        ),
    ];
    if engine == Engine::Postgres {
        // As autovacuum does a minute later.
        statements.push("VACUUM ANALYZE".to_owned());
    }
    for sql in statements {
        app.operator.database.reader().execute_unprepared(&sql).await.unwrap();
    }
}

async fn page(caller: &Caller, filters: &Value, number: usize) -> Vec<Value> {
    let mut filters = filters.clone();
    filters["pageOffset"] = json!(number);
    filters["perPage"] = json!(PAGE);
    let found = caller.ask(SEARCH, json!({ "filters": filters })).await.field("clientsSearch");
    found["results"].as_array().unwrap().clone()
}

fn names(page: &[Value]) -> Vec<&str> {
    page.iter().map(|client| client["name"].as_str().unwrap()).collect()
}

both_databases! {
    async fn deep_page_continues_the_list_in_every_order_and_filter(app: TestApp) {
        let closed = app.operator.tenant(app.world.organization, "Closed", false).await;
        fill(&app, closed).await;
        app.operator.execute(DISABLE).await;
        let administrator = app.administrator(app.world.organization).await;
        let is_any: fn(&Row) -> bool = |_| true;
        let filters = [
            (json!({}), is_any),
            (json!({ "enabled": true }), Row::is_enabled),
            (json!({ "roleIDs": [Role::Auditor.id()] }), Row::is_auditor),
            (json!({ "tenantID": app.world.north }), |row: &Row| row.number.is_multiple_of(4)),
        ];
        for by in ["NAME", "CLIENT_ID"] {
            for descending in [false, true] {
                for (filter, fits) in &filters {
                    let mut rows: Vec<Row> =
                        Row::all().filter(|row| row.is_shown() && fits(row)).collect();
                    if by == "CLIENT_ID" {
                        rows.sort_by(|one, other| one.client_id.cmp(&other.client_id));
                    }
                    if descending {
                        rows.reverse();
                    }
                    let mut input = filter.clone();
                    input["name"] = json!("client %");
                    input["sortBy"] = json!(by);
                    input["sortOrder"] = json!(if descending { "DESC" } else { "ASC" });
                    let last = (rows.len() - 1) / PAGE;
                    for number in [0, 1, 2, last / 2, last, last + 1] {
                        let expected: Vec<&str> = rows
                            .iter()
                            .skip(number * PAGE)
                            .take(PAGE)
                            .map(|row| row.name.as_str())
                            .collect();
                        let found = page(&administrator, &input, number).await;
                        assert_eq!(names(&found), expected, "page {number} of {input}");
                    }
                }
            }
        }
    }

    async fn deep_page_by_use_continues_the_list(app: TestApp) {
        let closed = app.operator.tenant(app.world.organization, "Closed", false).await;
        fill(&app, closed).await;
        app.operator.execute(DISABLE).await;
        let administrator = app.administrator(app.world.organization).await;
        let input = json!({ "name": "client %", "sortBy": "TOKEN_REQUEST_COUNT" });
        let mut counts: Vec<usize> =
            Row::all().filter(Row::is_shown).map(|row| row.number % 7).collect();
        counts.sort_unstable();
        for number in [0, 3, 40, counts.len() / PAGE - 1] {
            let found = page(&administrator, &input, number).await;
            let found: Vec<usize> = found
                .iter()
                .map(|client| client["tokenRequestCount"].as_u64().unwrap().try_into().unwrap())
                .collect();
            assert_eq!(found, counts[number * PAGE..][..PAGE], "page {number}");
        }
    }

    async fn foreign_clients_are_on_no_page_of_a_scope_with_many(app: TestApp) {
        let closed = app.operator.tenant(app.world.organization, "Closed", false).await;
        fill(&app, closed).await;
        let stranger = app.administrator(app.world.stranger).await;
        let input = json!({ "name": "client %" });
        let of_stranger = Row::all().filter(|row| row.number % 4 == 3).count();
        let found = stranger.ask(SEARCH, json!({ "filters": input })).await.field("clientsSearch");
        assert_eq!(found["totalCount"], json!(of_stranger));
        for number in [0, 5, of_stranger / PAGE] {
            let found = page(&stranger, &input, number).await;
            let number_of = |name: &str| name[7..].parse::<usize>().unwrap();
            assert!(names(&found).iter().all(|name| number_of(name) % 4 == 3));
        }
        let beyond = page(&stranger, &input, of_stranger / PAGE + 1).await;
        assert_eq!(beyond, Vec::<Value>::new());
    }
}
