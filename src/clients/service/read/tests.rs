use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, QueryTrait, Statement};

use super::conditions::NAME_INDEX;
use super::*;
use crate::auth::{Authorizer, RequestId};
use crate::clients::{Limits, Usage};
use crate::clock::SystemClock;
use crate::database::{Database, Options};
use crate::entropy::SystemEntropy;
use crate::ids::{TenantId, random_uuid};
use crate::names::NamePattern;
use crate::roles::Role;

struct Fixture {
    database: Arc<Database>,
    clients: Clients,
    scope: TenantScope,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("clients.db").display());
        let options = Options { url, max_connections: 2, busy_timeout: Duration::from_secs(10) };
        let database = Arc::new(Database::connect(options).await.unwrap());
        database.migrate().await.unwrap();
        let authorizer =
            Arc::new(Authorizer::new(database.clone(), Arc::new(SystemClock), Duration::ZERO, 1));
        let tenant = TenantId::random(&SystemEntropy);
        let request = RequestId::from(random_uuid(&SystemEntropy));
        let scope = TenantScope::operator(&authorizer, tenant, request);
        let limits = Limits {
            grace_period_max: Duration::ZERO,
            idempotency_retention: Duration::ZERO,
            token_lifetime: Duration::ZERO,
            clients_per_tenant: 1,
            roles_per_client: 1,
        };
        let usage = Arc::new(Usage::new(database.clone()));
        let clients = Clients::new(database.clone(), Arc::new(SystemEntropy), usage, limits);
        Self { database, clients, scope, _folder: folder }
    }

    /// Adds the tenant of the scope with that many clients.
    async fn fill(&self, clients: u32) {
        let tenant = self.scope.tenant().0.simple().to_string();
        for sql in [
            format!(
                "INSERT OR IGNORE INTO tenants (id, name, name_folded, is_partner, is_organization,
                    enabled, created_at, updated_at)
                VALUES (x'{tenant}', 'a', 'a', FALSE, FALSE, TRUE, 0, 0)"
            ),
            format!("INSERT OR IGNORE INTO tenant_ancestors VALUES (x'{tenant}', x'{tenant}', 0)"),
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {clients})
                INSERT INTO clients (id, client_id, tenant_id, name, name_folded, enabled,
                    token_generation, token_request_count, created_at, updated_at, created_by,
                    updated_by)
                SELECT randomblob(16), hex(randomblob(16)), x'{tenant}', 'a', 'a', 1, 0, 0, 0, 0,
                    'x', 'x' FROM n"
            ),
        ] {
            self.database.reader().execute_unprepared(&sql).await.unwrap();
        }
    }

    /// SQLite's plan of the statement of a list. PostgreSQL's is seen from outside, by
    /// its own `auto_explain`; SQLite has nothing of the kind.
    async fn explain(&self, select: &Select<Entity>) -> Vec<String> {
        let Statement { sql, values, .. } = select.build(DbBackend::Sqlite);
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let explain = Statement::from_sql_and_values(DbBackend::Sqlite, explain, values.unwrap());
        let steps = self.database.reader().query_all_raw(explain).await.unwrap();
        steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect()
    }
}

fn named(pattern: &str) -> ClientFilter {
    let name = Some(NamePattern::parse("name", pattern, '%').unwrap());
    ClientFilter { name, ..ClientFilter::default() }
}

/// The plan of the very statement that finds the ids of a page.
async fn plan(pattern: &str, order: ClientOrder) -> Vec<String> {
    let fixture = Fixture::new().await;
    let clients = &fixture.clients;
    let scope = &fixture.scope;
    let filter = named(pattern);
    let rare = clients.rare_run(&filter).await.unwrap();
    let by = clients.plan(scope, &filter, rare, order, 100).await.unwrap();
    fixture.explain(&clients.ids(scope, &filter, rare, order, by).limit(100)).await
}

#[tokio::test]
async fn search_on_sqlite_starts_at_the_trigram_index_in_every_order() {
    for by in [
        SortBy::Name,
        SortBy::ClientId,
        SortBy::RoleName,
        SortBy::TokenRequestCount,
        SortBy::TokenRequestTime,
    ] {
        for pattern in ["%abc%", "abc%", "%abc", "%ab%cde%"] {
            let steps = plan(pattern, ClientOrder { by, descending: false }).await;
            assert!(steps[0].starts_with("SCAN client_names VIRTUAL TABLE INDEX"), "{steps:?}");
            assert_eq!(steps[1], "SEARCH clients USING INTEGER PRIMARY KEY (rowid=?)", "{steps:?}");
        }
    }
}

#[tokio::test]
async fn pattern_too_short_for_the_index_scans_all_names() {
    let steps = plan("%ab%", ClientOrder::default()).await;
    assert!(!steps.iter().any(|step| step.contains(NAME_INDEX)), "{steps:?}");
}

#[tokio::test]
async fn deep_page_reads_the_rows_before_it_from_an_index_in_the_order_of_the_list() {
    let fixture = Fixture::new().await;
    let scope = &fixture.scope;
    let enabled = ClientFilter { enabled: Some(true), ..ClientFilter::default() };
    for (by, index) in
        [(SortBy::Name, "clients_in_name_order"), (SortBy::ClientId, "clients_in_client_id_order")]
    {
        let mut filters = vec![ClientFilter::default(), enabled.clone()];
        // The other index has no names.
        filters.extend((by == SortBy::Name).then(|| named("%ab%")));
        for (filter, descending) in
            filters.iter().flat_map(|filter| [(filter, false), (filter, true)])
        {
            let order = ClientOrder { by, descending };
            let ids = fixture.clients.ids(scope, filter, None, order, ScopeFilter::InOrder);
            let ids = ids.offset(100_000).limit(50);
            let steps = fixture.explain(&ids).await;
            assert_eq!(steps[0], format!("SCAN clients USING COVERING INDEX {index}"), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("ORDER BY")), "sorted: {steps:?}");
            let steps = fixture.explain(&page(scope, ids, order)).await;
            let table = "SEARCH clients USING INDEX sqlite_autoindex_clients_1 (id=?)";
            assert_eq!(steps[0], table, "{steps:?}");
            let of_table = steps.iter().filter(|step| step.contains(" clients USING "));
            assert!(of_table.skip(1).all(|step| step.contains("COVERING")), "{steps:?}");
        }
    }
}

#[tokio::test]
async fn lists_are_read_in_their_order_once_a_scope_has_many_clients() {
    let fixture = Fixture::new().await;
    let clients = &fixture.clients;
    let name = ClientOrder::default();
    let used = ClientOrder { by: SortBy::TokenRequestCount, ..name };
    let all = ClientFilter::default();
    let ids = ClientFilter { client_ids: Some(vec!["a".to_owned()]), ..ClientFilter::default() };
    let of_role = ClientFilter { roles: Some(vec![Role::Auditor]), ..ClientFilter::default() };
    let of_tenant = ClientFilter { tenants: vec![vec![]], ..ClientFilter::default() };
    fixture.fill(plan::FEW).await;
    for (filter, order, end, expected) in [
        (&all, name, 50, ScopeFilter::ByTenant),
        (&all, name, 100_000, ScopeFilter::ByTenant),
        (&of_tenant, name, 50, ScopeFilter::EachRow),
        (&ids, name, 100_000, ScopeFilter::EachRow),
    ] {
        let found = clients.plan(&fixture.scope, filter, None, order, end).await.unwrap();
        assert_eq!(found, expected, "{order:?} to {end}");
    }
    fixture.fill(1).await;
    for (filter, order, end, expected) in [
        (&all, name, 50, ScopeFilter::EachRow),
        (&all, name, 100_000, ScopeFilter::InOrder),
        (&all, used, 50, ScopeFilter::InOrder),
        (&of_role, name, 50, ScopeFilter::InOrder),
        (&of_tenant, name, 50, ScopeFilter::EachRow),
        (&of_tenant, name, 100_000, ScopeFilter::ByTenant),
        (&ids, used, 100_000, ScopeFilter::EachRow),
    ] {
        let found = clients.plan(&fixture.scope, filter, None, order, end).await.unwrap();
        assert_eq!(found, expected, "{order:?} to {end}");
    }
}
