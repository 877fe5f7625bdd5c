//! A partner with a hundred customers and any number of clients.

use std::path::Path;

use async_graphql::{Request, Response, Variables, value};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tempfile::TempDir;
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::auth::{Presented, RequestContext, RequestId, SubjectId, TokenRestriction};
use tenant_gateway::config::Config;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::ids::TenantId;
use tenant_gateway::names::Name;
use tenant_gateway::schema::{self, GatewaySchema};
use tenant_gateway::seal::MasterKey;
use tenant_gateway::tenants::NewTenant;
use tenant_gateway::tokens::Subject;

use super::{Engine, postgres};

const CUSTOMERS: usize = 100;

/// The query `clients` of the Taegis SDK 2.0.4: all known fields that are not deprecated.
const SEARCH: &str = "query clients($name: String, $page: Int, $perPage: Int) {
    clients(name: $name, page: $page, perPage: $perPage) {
        id name clientID roles tenantID ownerTenantID createdAt updatedAt createdBy updatedBy
        environment
        tokenRequestTime tokenRequestCount roleAssignments { id tenantID roleID roleName expiresAt }
    }
}";

/// The gateway's services over a database full of clients.
pub struct Fixture {
    pub core: Core,
    pub config: Config,
    /// The administrator of the partner.
    pub administrator: Subject,
    /// The secret of every client.
    pub secret: String,
    /// The customers.
    pub customers: Vec<TenantId>,
    /// One of them.
    pub customer: TenantId,
    schema: GatewaySchema,
    folder: TempDir,
}

impl Fixture {
    /// Creates the tenants, with this many clients in total.
    pub async fn with_clients(engine: Engine, count: u32) -> Self {
        Self::with_tenants_and_clients(engine, 0, count).await
    }

    /// The same, with this many more tenants below the partner.
    pub async fn with_tenants_and_clients(engine: Engine, tenants: u32, clients: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temp folder");
        let mut config = Config::default();
        config.data.dir = folder.path().to_owned();
        config.seal.master_key = Some(MasterKey::generate(&SystemEntropy).into());
        if engine == Engine::Postgres {
            let url = postgres::migrated().await;
            config.database.url = Some(serde_json::from_value(json!(url)).expect("a valid URL"));
        }
        let core = Core::open(&config, Environment::default()).await.expect("the database opens");
        let (partner, created) =
            core.init(name("Partner"), name("administrator")).await.expect("it was empty");
        let mut customers = Vec::new();
        for number in 1..=CUSTOMERS {
            let new = NewTenant {
                name: name(&format!("Customer {number}")),
                parent: None,
                is_partner: false,
                is_organization: false,
            };
            let made = core.tenants.create(&core.operator(partner.id), new).await;
            customers.push(made.expect("a tenant can be made").id);
        }
        let planted = if tenants == 0 { vec![] } else { engine.plant(partner.id, tenants) };
        let statements = planted.into_iter().chain(engine.fill(clients));
        match &config.database.url {
            Some(url) => {
                // The gateway's own connections give up a statement after seconds.
                let filler = sea_orm::Database::connect(url.expose()).await.expect("it answers");
                execute(&filler, statements).await;
                filler.close().await.expect("it closes");
            }
            None => execute(core.database.reader(), statements).await,
        }
        let row = created.client.row;
        let secret = created.secret.expect("a new client has a secret");
        Self {
            administrator: Subject {
                client: row.id,
                client_id: row.client_id,
                tenant: partner.id,
                generation: row.token_generation,
            },
            secret: secret.expose().to_owned(),
            customer: customers[CUSTOMERS - 1],
            customers,
            schema: schema::over(core.services.clone(), true).finish(),
            core,
            config,
            folder,
        }
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The context of the partner's administrator, in the partner or in one of its customers.
    pub async fn context(&self, customer: bool) -> RequestContext {
        let Subject { client, generation, .. } = self.administrator;
        let home = if customer { self.customer } else { self.administrator.tenant };
        let presented = Presented {
            subject: SubjectId::Client(client),
            home,
            generation,
            token: None,
            restriction: TokenRestriction::WHOLE,
        };
        let request_id = RequestId::parse("bench").expect("a valid id");
        let context =
            RequestContext::enter(&self.core.authorizer, &presented, None, request_id).await;
        context.expect("the administrator may enter")
    }

    /// Requests the first page of a search by name, as the SDK does.
    pub async fn search(&self, context: &RequestContext, pattern: &str, per_page: i32) -> Response {
        self.page(context, pattern, 1, per_page).await
    }

    /// Requests a page of a search by name; the first has the number 1.
    pub async fn page(
        &self,
        context: &RequestContext,
        pattern: &str,
        page: i32,
        per_page: i32,
    ) -> Response {
        let variables =
            Variables::from_value(value!({ "name": pattern, "page": page, "perPage": per_page }));
        self.ask(context, SEARCH, variables).await
    }

    /// Executes a document.
    pub async fn ask(
        &self,
        context: &RequestContext,
        document: &str,
        variables: Variables,
    ) -> Response {
        let request = Request::new(document).variables(variables).data(context.clone());
        let response = self.schema.execute(request).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response
    }
}

/// The `client_id` of the client with that number.
pub fn client_id(number: u32) -> String {
    format!("{number:032}")
}

fn name(text: &str) -> Name {
    Name::parse("name", text).expect("a valid name")
}

async fn execute(database: &impl ConnectionTrait, statements: impl Iterator<Item = String>) {
    for statement in statements {
        database.execute_unprepared(&statement).await.expect("the rows fit");
    }
}
