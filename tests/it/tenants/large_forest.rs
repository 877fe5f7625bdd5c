//! Lists of thousands of tenants, and the caller's roles in each.

use std::collections::BTreeMap;
use std::fmt::Write;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;
use uuid::Uuid;

use crate::support::{Caller, Engine, TestApp, both_databases};

/// More than 2,000, so that the list is read in its order.
const ROWS: usize = 2_400;

/// The largest page.
const PAGE: usize = 500;

/// A tenant of the fill.
#[derive(Clone, Copy)]
struct Row(usize);

impl Row {
    fn all() -> impl Iterator<Item = Self> {
        (1..=ROWS).map(Self)
    }

    fn id(self) -> TenantId {
        TenantId(Uuid::from_u128(0x1000_0000 + self.0 as u128))
    }

    /// The numbers are scattered over the order of names.
    fn name(self) -> String {
        format!("row {:04}", self.0 * 7 % 2_411)
    }

    /// One in seven is below the one before it, the others below the organization.
    fn parent(self) -> Option<Self> {
        self.0.is_multiple_of(7).then(|| Self(self.0 - 1))
    }

    fn is_enabled(self) -> bool {
        !self.0.is_multiple_of(6)
    }

    fn is_open(self) -> bool {
        self.is_enabled() && self.parent().is_none_or(Self::is_enabled)
    }
}

/// Inserts the tenants below the organization, bypassing the services for speed.
async fn fill(app: &TestApp) {
    let engine = app.database.engine;
    let world = &app.world;
    let mut tenants = String::new();
    let mut ancestors = String::new();
    for row in Row::all() {
        let id = engine.literal(row.id().0);
        let parent = row.parent().map(Row::id);
        let name = row.name();
        let enabled = row.is_enabled();
        let above = engine.literal(parent.unwrap_or(world.organization).0);
        let comma = if tenants.is_empty() { "" } else { ", " };
        write!(
            tenants,
            "{comma}({id}, {above}, '{name}', '{name}', FALSE, FALSE, {enabled}, 0, 0)"
        )
        .unwrap();
        let path = [Some(row.id()), parent, Some(world.organization), Some(world.partner)];
        let path = path.into_iter().chain([Some(world.top)]).flatten();
        for (distance, ancestor) in path.enumerate() {
            let comma = if ancestors.is_empty() { "" } else { ", " };
            let ancestor = engine.literal(ancestor.0);
            write!(ancestors, "{comma}({id}, {ancestor}, {distance})").unwrap();
        }
    }
    let mut statements = vec![
        format!(
            "INSERT INTO tenants (id, parent_id, name, name_folded, is_partner, is_organization,
                enabled, created_at, updated_at) VALUES {tenants}"
        ),
        format!(
            "INSERT INTO tenant_ancestors (tenant_id, ancestor_id, distance) VALUES {ancestors}"
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

const LIST: &str = "query($query: TenantsQuery) { tenants(tenantsQuery: $query) {
    cursorPos hasMore totalCount firstIndex
    tenants { id name effectiveRoles { via role { name } } }
} }";

/// All pages of the list, joined.
async fn list(caller: &Caller, query: Value) -> Vec<Value> {
    let mut query = query;
    let mut rows = Vec::new();
    loop {
        let page = caller.ask(LIST, json!({ "query": query })).await.field("tenants");
        let found = page["tenants"].as_array().unwrap();
        let first = if found.is_empty() { json!(null) } else { json!(rows.len()) };
        assert_eq!(page["firstIndex"], first);
        rows.extend(found.clone());
        if page["hasMore"] == json!(false) {
            assert_eq!(page["totalCount"], json!(rows.len()));
            return rows;
        }
        query["afterCursor"] = page["cursorPos"].clone();
    }
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|tenant| tenant["name"].as_str().unwrap()).collect()
}

/// The names of the rows, in order of names.
fn sorted(fits: impl Fn(Row) -> bool, descending: bool) -> Vec<String> {
    let mut names: Vec<String> = Row::all().filter(|row| fits(*row)).map(Row::name).collect();
    names.sort_unstable();
    if descending {
        names.reverse();
    }
    names
}

/// The statements of a page of that many tenants with their roles, and of work in the background
/// meanwhile.
async fn statements(app: &TestApp, caller: &Caller, count: usize) -> u64 {
    let before = app.operator.database.statements();
    let query = json!({ "query": { "names": ["row *"], "count": count } });
    let page = caller.ask(LIST, query).await.field("tenants");
    assert_eq!(page["tenants"].as_array().unwrap().len(), count);
    app.operator.database.statements() - before
}

both_databases! {
    async fn pages_by_name_join_to_the_whole_list(app: TestApp) {
        fill(&app).await;
        let administrator = app.administrator(app.world.organization).await;
        let auditor = app.caller(app.world.organization, Role::Auditor).await;
        for direction in ["ASC", "DESC"] {
            let query = json!({ "names": ["row *"], "orderDir": direction, "count": PAGE });
            let descending = direction == "DESC";
            let all = list(&administrator, query.clone()).await;
            assert_eq!(names(&all), sorted(|_| true, descending), "an administrator sees disabled");
            let open = list(&auditor, query).await;
            assert_eq!(names(&open), sorted(Row::is_open, descending), "others do not");
        }
        let stranger = app.administrator(app.world.stranger).await;
        assert_eq!(list(&stranger, json!({ "names": ["row *"] })).await, Vec::<Value>::new());
    }

    async fn listed_roles_are_those_that_apply_in_each_tenant(app: TestApp) {
        fill(&app).await;
        let parent = Row(6 + 7 * 10);
        let child = Row(parent.0 + 1);
        assert_eq!(child.parent().map(|row| row.0), Some(parent.0));
        assert!(child.is_open() && Row(7).is_enabled() && !Row(7).is_open());
        let administrator = app.administrator(app.world.organization).await;
        let caller = app.caller(app.world.organization, Role::Administrator).await;
        let append = "mutation($id: ID!, $role: ID!, $tenant: ID!) {
            appendClientRoles(id: $id, roles: [{ tenantID: $tenant, roleID: $role }]) { id } }";
        let grant = json!({
            "id": caller.id(), "role": Role::Responder.id(), "tenant": parent.id(),
        });
        administrator.ask(append, grant).await.data();
        let rows = list(&caller, json!({ "names": ["row *"], "count": PAGE })).await;
        let by_id: BTreeMap<&str, &Value> =
            rows.iter().map(|row| (row["id"].as_str().unwrap(), row)).collect();
        let held = |tenant: TenantId, role: Role| {
            json!({ "via": tenant, "role": { "name": role.name() } })
        };
        let general = held(app.world.organization, Role::Administrator);
        for row in Row::all() {
            let expected = if !row.is_open() {
                json!([])
            } else if [parent.0, child.0].contains(&row.0) {
                json!([held(parent.id(), Role::Responder), general])
            } else {
                json!([general])
            };
            let found = by_id[row.id().to_string().as_str()];
            assert_eq!(found["effectiveRoles"], expected, "row {}", row.0);
        }
        // The same, asked for one by one.
        let one = "query($id: ID!) { tenant(id: $id) { effectiveRoles { via role { name } } } }";
        for row in Row::all().step_by(61).chain([parent, child, Row(6), Row(7)]) {
            let found = caller.ask(one, json!({ "id": row.id() })).await.field("tenant");
            let listed = by_id[row.id().to_string().as_str()];
            assert_eq!(found["effectiveRoles"], listed["effectiveRoles"], "row {}", row.0);
        }
    }

    async fn effective_roles_of_500_tenants_take_as_many_statements_as_of_20(app: TestApp) {
        fill(&app).await;
        let auditor = app.caller(app.world.organization, Role::Auditor).await;
        let mut few = u64::MAX;
        let mut many = u64::MAX;
        // The least of several, since work in the background counts too.
        for _ in 0..20 {
            few = few.min(statements(&app, &auditor, 20).await);
            many = many.min(statements(&app, &auditor, PAGE).await);
            if many == few {
                break;
            }
        }
        assert_eq!(many, few);
    }
}
