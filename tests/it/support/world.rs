//! The tenants of every test: a partner with an organization of two customers, and an unrelated
//! tenant.

use std::sync::Arc;

use sea_orm::ConnectionTrait;
use tenant_gateway::app::Core;
use tenant_gateway::auth::{Authorizer, RequestId, TenantScope};
use tenant_gateway::clients::{Clients, NewClient};
use tenant_gateway::database::Database;
use tenant_gateway::ids::TenantId;
use tenant_gateway::names::Name;
use tenant_gateway::roles::Role;
use tenant_gateway::tenants::{NewTenant, Tenants};
use tenant_gateway::users::Users;

use super::{Credentials, notes};

/// top → partner → organization → north and south; top → stranger.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub top: TenantId,
    pub partner: TenantId,
    pub organization: TenantId,
    pub north: TenantId,
    pub south: TenantId,
    pub stranger: TenantId,
}

/// The operator, who can create what no client could.
#[derive(Clone)]
pub struct Operator {
    pub database: Arc<Database>,
    pub authorizer: Arc<Authorizer>,
    pub tenants: Arc<Tenants>,
    pub clients: Arc<Clients>,
    pub users: Arc<Users>,
    pub core: Core,
}

impl Operator {
    pub fn of(core: &Core) -> Self {
        let database = core.database.clone();
        let authorizer = core.authorizer.clone();
        Self {
            database,
            authorizer,
            tenants: core.tenants.clone(),
            clients: core.clients.clone(),
            users: core.users.clone(),
            core: core.clone(),
        }
    }

    pub fn scope(&self, tenant: TenantId) -> TenantScope {
        let request = RequestId::parse("operator").expect("a valid id");
        TenantScope::operator(&self.authorizer, tenant, request)
    }

    pub async fn world(&self) -> World {
        let write = self.database.begin().await.unwrap();
        let top = self
            .tenants
            .create_first(write.on(), self.authorizer.now(), given("Top"))
            .await
            .unwrap()
            .id;
        write.commit().await.unwrap();
        let partner = self.tenant(top, "Partner", false).await;
        let organization = self.tenant(partner, "Organization", true).await;
        let north = self.tenant(organization, "North", false).await;
        let south = self.tenant(organization, "South", false).await;
        let stranger = self.tenant(top, "Stranger", false).await;
        World { top, partner, organization, north, south, stranger }
    }

    /// Executes a statement on the database, to simulate damage.
    pub async fn execute(&self, sql: &str) {
        let write = self.database.begin().await.unwrap();
        write.on().execute_unprepared(sql).await.unwrap();
        write.commit().await.unwrap();
    }

    pub async fn tenant(&self, parent: TenantId, name: &str, is_organization: bool) -> TenantId {
        let is_partner = ["Partner", "Stranger"].contains(&name);
        let new = NewTenant { name: given(name), parent: None, is_partner, is_organization };
        self.tenants.create(&self.scope(parent), new).await.unwrap().id
    }

    pub async fn client(&self, tenant: TenantId, name: &str, roles: &[Role]) -> Credentials {
        let new = NewClient {
            name: given(name),
            roles: roles.to_vec(),
            owner: None,
            idempotency_key: None,
        };
        let made = self.clients.create(&self.scope(tenant), new).await.unwrap();
        let secret = made.secret.expect("a new client has a secret").expose().to_owned();
        notes::note(&secret);
        let row = made.client.row;
        Credentials { id: row.id.to_string(), client_id: row.client_id, secret }
    }
}

fn given(name: &str) -> Name {
    Name::parse("name", name).unwrap()
}
