use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, QueryTrait, Statement};

use super::*;
use crate::auth::{Authorizer, RequestId};
use crate::clients::{Limits, Usage};
use crate::clock::SystemClock;
use crate::database::{Database, Options};
use crate::entropy::SystemEntropy;
use crate::ids::{TenantId, random_uuid};
use crate::names::NamePattern;

/// The very statement of a list on SQLite, explained. What PostgreSQL does is seen from
/// outside, by its own `auto_explain`; SQLite has nothing of the kind.
async fn plan(pattern: &str, order: ClientOrder) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("clients.db").display());
    let options = Options { url, max_connections: 2, busy_timeout: Duration::from_secs(10) };
    let database = Arc::new(Database::connect(options).await.unwrap());
    database.migrate().await.unwrap();
    let authorizer =
        Arc::new(Authorizer::new(database.clone(), Arc::new(SystemClock), Duration::ZERO, 1));
    let tenant = TenantId::random(&SystemEntropy);
    let scope =
        TenantScope::operator(&authorizer, tenant, RequestId::from(random_uuid(&SystemEntropy)));
    let limits = Limits {
        grace_period_max: Duration::ZERO,
        idempotency_retention: Duration::ZERO,
        token_lifetime: Duration::ZERO,
        clients_per_tenant: 1,
        roles_per_client: 1,
    };
    let usage = Arc::new(Usage::new(database.clone()));
    let clients = Clients::new(database.clone(), Arc::new(SystemEntropy), usage, limits);
    let name = Some(NamePattern::parse("name", pattern, '%').unwrap());
    let filter = ClientFilter { name, ..ClientFilter::default() };
    let rare = clients.rare_run(&filter).await.unwrap();
    let select = clients.sorted(&scope, &filter, rare, order).limit(100);
    let Statement { sql, values, .. } = select.build(DbBackend::Sqlite);
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let explain = Statement::from_sql_and_values(DbBackend::Sqlite, explain, values.unwrap());
    let steps = database.reader().query_all_raw(explain).await.unwrap();
    steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect()
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
