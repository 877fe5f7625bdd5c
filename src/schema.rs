//! The whole graph, merged from the services.

use std::sync::Arc;

use async_graphql::{MergedObject, MergedSubscription, Schema, SchemaBuilder};

use crate::audit::Audit;
use crate::audit::graphql::AuditQuery;
use crate::clients::Clients;
use crate::clients::graphql::{ClientMutation, ClientQuery};
use crate::deep_security::DeepSecurity;
use crate::deep_security::graphql::{DeepSecurityMutation, DeepSecurityQuery};
use crate::device_authorization::DeviceAuthorizations;
use crate::graph::graphql::TenantResolver;
use crate::graphql::schema_text;
use crate::integration_server::IntegrationServer;
use crate::integration_server::graphql::{
    IntegrationServerMutation, IntegrationServerQuery, IntegrationServerSubscription,
};
use crate::nodes::graphql::NodeQuery;
use crate::outbound::Outbound;
use crate::roles::graphql::RoleQuery;
use crate::sessions::Sessions;
use crate::sessions::graphql::{SessionMutation, SessionQuery};
use crate::single_sign_on::SingleSignOn;
use crate::single_sign_on::graphql::{SingleSignOnMutation, SingleSignOnQuery};
use crate::tenants::Tenants;
use crate::tenants::graphql::{self as tenants, TenantMutation, TenantQuery};
use crate::upstreams::Upstreams;
use crate::upstreams::graphql::{UpstreamMutation, UpstreamQuery};
use crate::users::Users;
use crate::users::graphql::{UserMutation, UserQuery};

/// The description of the schema.
pub const DESCRIPTION: &str = "\
Tenant Gateway: one graph over the security consoles that a partner looks after for its customers.
A request runs in the tenant that the header `X-Tenant-Context` names, and reaches that tenant and
those below it.";

/// The queries. Each root field is nullable, so that a failing field keeps the results of the
/// others.
// Every field's future is as large as the largest resolver here: box those that query the database.
#[derive(MergedObject, Default)]
pub struct Query(
    TenantQuery,
    RoleQuery,
    ClientQuery,
    UserQuery,
    SessionQuery,
    SingleSignOnQuery,
    AuditQuery,
    UpstreamQuery,
    DeepSecurityQuery,
    IntegrationServerQuery,
    NodeQuery,
);

/// The mutations. Each root field is nullable, so that a failing field keeps the results of the
/// others.
#[derive(MergedObject, Default)]
pub struct Mutation(
    TenantMutation,
    ClientMutation,
    UserMutation,
    SessionMutation,
    SingleSignOnMutation,
    UpstreamMutation,
    DeepSecurityMutation,
    IntegrationServerMutation,
);

/// The subscriptions.
#[derive(MergedSubscription, Default)]
pub struct Subscription(IntegrationServerSubscription);

/// The executable schema.
pub type GatewaySchema = Schema<Query, Mutation, Subscription>;

/// The services that resolvers use.
#[derive(Clone)]
pub struct Services {
    /// The tenants.
    pub tenants: Arc<Tenants>,
    /// The clients.
    pub clients: Arc<Clients>,
    /// The people who sign in.
    pub users: Arc<Users>,
    /// The sessions of people.
    pub sessions: Arc<Sessions>,
    /// The requests of programs for a person's approval, which have no part in the graph.
    pub devices: Arc<DeviceAuthorizations>,
    /// Their sign-in at identity providers.
    pub single_sign_on: Arc<SingleSignOn>,
    /// The audit log.
    pub audit: Arc<Audit>,
    /// The installations of legacy systems.
    pub upstreams: Arc<Upstreams>,
    /// Calls of the legacy systems.
    pub outbound: Arc<Outbound>,
    /// Deep Security.
    pub deep_security: Arc<DeepSecurity>,
    /// The Integration Servers.
    pub integration_server: Arc<IntegrationServer>,
}

/// Builds the schema over these services.
pub fn over(
    services: Services,
    introspection: bool,
) -> SchemaBuilder<Query, Mutation, Subscription> {
    let schema = services.provide(builder()).data(TenantResolver(tenants::resolve));
    if introspection { schema } else { schema.disable_introspection() }
}

impl Services {
    /// Makes each service available to resolvers.
    fn provide<Q, M, S>(self, schema: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
        let Self {
            tenants,
            clients,
            users,
            sessions,
            devices: _,
            single_sign_on,
            audit,
            upstreams,
            outbound,
            deep_security,
            integration_server,
        } = self;
        let schema = schema.data(tenants).data(clients).data(audit).data(upstreams);
        let schema = schema.data(users).data(sessions);
        let schema = schema.data(single_sign_on);
        schema.data(outbound).data(deep_security).data(integration_server)
    }
}

/// The schema in the schema definition language, as in `schema.graphql`.
pub fn sdl() -> String {
    schema_text(&builder().finish(), Some(DESCRIPTION))
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
}
