use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ColumnTrait, QueryFilter, QueryTrait, Select};

use super::*;
use crate::auth::{Authorizer, RequestId, TenantScope};
use crate::clients::entity as clients;
use crate::clock::SystemClock;
use crate::database::{Database, Options};
use crate::entropy::SystemEntropy;
use crate::ids::random_uuid;

const FORMS: [ScopeFilter; 3] = [ScopeFilter::EachRow, ScopeFilter::ByTenant, ScopeFilter::InOrder];

/// Tenants with their parents, and whether they are enabled.
type Forest = HashMap<TenantId, (Option<TenantId>, bool)>;

struct Fixture {
    database: Arc<Database>,
    authorizer: Arc<Authorizer>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tenants.db").display());
        let options = Options { url, max_connections: 2, busy_timeout: Duration::from_secs(10) };
        let database = Arc::new(Database::connect(options).await.unwrap());
        database.migrate().await.unwrap();
        let authorizer =
            Arc::new(Authorizer::new(database.clone(), Arc::new(SystemClock), Duration::ZERO, 1));
        Self { database, authorizer, _folder: folder }
    }

    fn scope(&self, tenant: TenantId) -> TenantScope {
        let request = RequestId::from(random_uuid(&SystemEntropy));
        TenantScope::operator(&self.authorizer, tenant, request)
    }

    async fn execute(&self, sql: &str) {
        self.database.reader().execute_unprepared(sql).await.unwrap();
    }

    /// A forest of that many tenants, each below a random one or at the top, one in five disabled.
    async fn forest(&self, tenants: usize) -> Forest {
        let mut forest = Forest::new();
        let mut ids: Vec<TenantId> = Vec::new();
        for _ in 0..tenants {
            let id = TenantId::random(&SystemEntropy);
            let [choice, at, ..] = *random_uuid(&SystemEntropy).as_bytes();
            let parent = ids.get(usize::from(at) % (ids.len() + 1)).copied();
            let enabled = choice % 5 != 0;
            self.add(id, parent, enabled).await;
            forest.insert(id, (parent, enabled));
            ids.push(id);
        }
        forest
    }

    async fn add(&self, id: TenantId, parent: Option<TenantId>, enabled: bool) {
        let literal = |id: TenantId| format!("x'{}'", id.0.simple());
        let own = literal(id);
        let above = parent.map_or_else(|| "NULL".to_owned(), literal);
        self.execute(&format!(
            "INSERT INTO tenants (id, parent_id, name, name_folded, is_partner, is_organization,
                enabled, created_at, updated_at)
            VALUES ({own}, {above}, 'a', 'a', FALSE, FALSE, {enabled}, 0, 0)"
        ))
        .await;
        self.execute(&format!(
            "INSERT INTO tenant_ancestors (tenant_id, ancestor_id, distance)
            SELECT {own}, ancestor_id, distance + 1 FROM tenant_ancestors WHERE tenant_id = {above}
            UNION ALL SELECT {own}, {own}, 0"
        ))
        .await;
    }

    async fn found(&self, select: Select<Entity>) -> BTreeSet<TenantId> {
        let rows = select.all(self.database.reader()).await.unwrap();
        rows.into_iter().map(|tenant| tenant.id).collect()
    }

    /// The steps of SQLite's plan for a statement.
    async fn plan(&self, select: &impl QueryTrait) -> Vec<String> {
        let Statement { sql, values, .. } = select.build(sea_orm::DbBackend::Sqlite);
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let explain =
            Statement::from_sql_and_values(sea_orm::DbBackend::Sqlite, explain, values.unwrap());
        let steps = self.database.reader().query_all_raw(explain).await.unwrap();
        steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect()
    }
}

/// The tenants from one up to the top of its tree.
fn path(forest: &Forest, tenant: TenantId) -> Vec<TenantId> {
    std::iter::successors(Some(tenant), |at| forest[at].0).collect()
}

#[tokio::test]
async fn all_forms_find_the_same_tenants_of_a_random_forest() {
    let fixture = Fixture::new().await;
    let forest = fixture.forest(60).await;
    for top in forest.keys().copied() {
        let scope = fixture.scope(top);
        let is_below = |id: &&TenantId| path(&forest, **id).contains(&top);
        let below: BTreeSet<_> = forest.keys().filter(is_below).copied().collect();
        let is_open = |id: &&TenantId| path(&forest, **id).iter().all(|at| forest[at].1);
        let open: BTreeSet<_> = below.iter().filter(is_open).copied().collect();
        for by in FORMS {
            let found = fixture.found(Entity::all_found(&scope, by)).await;
            assert_eq!(found, below, "{by:?}");
            let found = fixture.found(Entity::open_found(&scope, by)).await;
            assert_eq!(found, open, "{by:?}");
        }
    }
}

/// The steps that read all tenants of the scope.
fn collects(steps: &[String]) -> bool {
    steps.iter().any(|step| step.contains("tenant_ancestors_ancestor (ancestor_id=?)"))
}

#[tokio::test]
async fn lookup_by_id_does_not_collect_the_tenants_of_the_scope() {
    let fixture = Fixture::new().await;
    let scope = fixture.scope(TenantId::random(&SystemEntropy));
    let id = TenantId::random(&SystemEntropy);
    let some = [id, TenantId::random(&SystemEntropy)];
    let plans = [
        fixture.plan(&Entity::open_to(&scope).filter(Column::Id.eq(id))).await,
        fixture.plan(&Entity::of_tenant(&scope).filter(Column::Id.is_in(some))).await,
        fixture
            .plan(&clients::Entity::of_tenant(&scope).filter(clients::Column::ClientId.eq("x")))
            .await,
    ];
    for steps in plans {
        assert!(steps[0].starts_with("SEARCH"), "{steps:?}");
        assert!(!collects(&steps), "{steps:?}");
    }
    let set = Entity::open_found(&scope, ScopeFilter::ByTenant).filter(Column::Id.eq(id));
    assert!(collects(&fixture.plan(&set).await), "the check sees a plan that collects them");
}
