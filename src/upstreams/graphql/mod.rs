//! Upstreams in the graph.

mod loaders;

use async_graphql::connection::Connection as GraphConnection;
use async_graphql::{
    Context, Enum, ID, InputObject, MaybeUndefined, Object, OneofObject, SimpleObject,
};
use futures_util::FutureExt;

use super::model::{
    self, Authentication, Credential, Link, NewLink, NewUpstream, System, Upstream, UpstreamChange,
};
use super::{Connection, Upstreams};
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, request, service};
use crate::deep_security::{DeepSecurity, Session, SessionInput, first_key};
use crate::error::{Error, Result};
use crate::graph::graphql::{Page, TenantReference, Total};
use crate::ids::{LinkId, TenantId, UpstreamId, random_uuid};
use crate::integration_server::service as integration_server;
use crate::names::Name;
use crate::outbound::{BaseUrl, Circuit, Endpoint, Outbound, Status};
use crate::roles::Permission;

/// A tenant owns at most 1,000 installations; a page of links is no longer.
const LIST_MAX: u64 = 1000;

/// A kind of legacy system.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum LegacySystem {
    /// Trend Micro Deep Security Manager, or Workload Security.
    DeepSecurity,
    /// Kaspersky Integration Server.
    IntegrationServer,
    /// Another one, which this version does not know; `systemText` says which.
    Unknown,
}

impl LegacySystem {
    fn read(name: &str) -> Self {
        match System::from_name(name) {
            Ok(System::DeepSecurity) => Self::DeepSecurity,
            Ok(System::IntegrationServer) => Self::IntegrationServer,
            Err(_) => Self::Unknown,
        }
    }

    /// The system that a caller names.
    fn known(self) -> Result<System> {
        match self {
            Self::DeepSecurity => Ok(System::DeepSecurity),
            Self::IntegrationServer => Ok(System::IntegrationServer),
            Self::Unknown => {
                Err(Error::bad_input("system", "must be DEEP_SECURITY or INTEGRATION_SERVER"))
            }
        }
    }
}

/// How the gateway shows an installation who it is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum UpstreamAuthentication {
    /// A secret key in the header `api-secret-key`.
    SecretKey,
    /// A key in the header `Authorization: ApiKey`.
    CloudOneApiKey,
    /// HTTP Basic.
    Basic,
    /// Another way, which this version does not know; `authenticationText` says which.
    Unknown,
}

impl UpstreamAuthentication {
    fn read(name: &str) -> Self {
        match Authentication::from_name(name) {
            Ok(Authentication::SecretKey) => Self::SecretKey,
            Ok(Authentication::CloudOneApiKey) => Self::CloudOneApiKey,
            Ok(Authentication::Basic) => Self::Basic,
            Err(_) => Self::Unknown,
        }
    }
}

/// The state of a circuit breaker.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Circuit")]
pub enum CircuitState {
    /// Calls go through.
    Closed,
    /// Calls are refused at once, for some seconds.
    Open,
    /// One call is let through to see.
    HalfOpen,
}

/// An installation in the graph.
pub struct UpstreamObject {
    row: Upstream,
    come_by: ComeBy,
    /// Whether the tenant in context owns it, or stands above the owner.
    shows_details: bool,
}

/// How something was come by: the links of an upstream lead to it again, and each time there would
/// be as many more of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ComeBy {
    Itself,
    LinksOfUpstream,
}

impl ComeBy {
    fn reference(self, id: TenantId) -> TenantReference {
        TenantReference { id, within_links: self == Self::LinksOfUpstream }
    }
}

impl From<Upstream> for UpstreamObject {
    fn from(row: Upstream) -> Self {
        Self { row, come_by: ComeBy::Itself, shows_details: true }
    }
}

impl UpstreamObject {
    /// What only the owner and the tenants above it see.
    fn detail<'a, T>(&'a self, of: impl FnOnce(&'a Upstream) -> T) -> Option<T> {
        self.shows_details.then(|| of(&self.row))
    }
}

/// An installation of a legacy product. Its credential is never shown. A tenant that uses it and
/// neither owns it nor stands above the owner sees its id, name and system, and its own links; all
/// else is null.
#[Object(name = "Upstream")]
impl UpstreamObject {
    /// The id; opaque.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// The name for people.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What kind of system it is.
    async fn system(&self) -> LegacySystem {
        LegacySystem::read(&self.row.system)
    }

    /// The name of the kind of system.
    async fn system_text(&self) -> &str {
        &self.row.system
    }

    /// Where it stands: for Deep Security including `/api`, for Integration Server the root. For
    /// the owner alone.
    #[graphql(name = "baseURL")]
    async fn base_url(&self) -> Option<&str> {
        self.detail(|row| row.base_url.as_str())
    }

    /// The tenant that registered it; null where the caller may not enter it.
    async fn owner(&self) -> Option<TenantReference> {
        self.detail(|row| self.come_by.reference(row.owner_tenant_id))
    }

    /// The tenant that registered it. For the owner alone.
    #[graphql(name = "ownerTenantID")]
    async fn owner_tenant_id(&self) -> Option<ID> {
        self.detail(|row| row.owner_tenant_id.to_string().into())
    }

    /// How the gateway shows it who it is. For the owner alone.
    async fn authentication(&self) -> Option<UpstreamAuthentication> {
        self.detail(|row| UpstreamAuthentication::read(&row.authentication))
    }

    /// The name of that way. For the owner alone.
    async fn authentication_text(&self) -> Option<&str> {
        self.detail(|row| row.authentication.as_str())
    }

    /// The IANA name of the zone of its dates, where they carry none. For the owner alone.
    async fn time_zone(&self) -> Option<&str> {
        self.detail(|row| row.time_zone.as_str())
    }

    /// The tenants that are linked to it: the tenant in context and those below it, no others.
    /// BAD_USER_INPUT within the links of an upstream.
    async fn links(&self, ctx: &Context<'_>) -> Result<Vec<UpstreamLinkObject>> {
        self.read_links(ctx, "links").await
    }

    /// The tenants that are linked to it, oldest link first: the tenant in context and those below
    /// it, no others. BAD_USER_INPUT within the links of an upstream.
    async fn links_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 1000.")] first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
    ) -> Result<Option<GraphConnection<String, UpstreamLinkObject, Total>>> {
        let page = Page::read(first, after.as_deref(), LIST_MAX)?;
        let links = self.read_links(ctx, "linksConnection").await?;
        Ok(Some(page.of(links, UpstreamLinkObject::sort_key, |link| link)))
    }

    /// When it was registered, in RFC 3339. For the owner alone.
    async fn created_at(&self) -> Option<String> {
        self.detail(|row| row.created_at.to_string())
    }

    /// When it was last changed, in RFC 3339. For the owner alone.
    async fn updated_at(&self) -> Option<String> {
        self.detail(|row| row.updated_at.to_string())
    }
}

impl UpstreamObject {
    async fn read_links(&self, ctx: &Context<'_>, field: &str) -> Result<Vec<UpstreamLinkObject>> {
        if self.come_by == ComeBy::LinksOfUpstream {
            return Err(Error::bad_input(
                field,
                "are not given within the links of an upstream: they are the same",
            ));
        }
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let links = loaders::links_to(ctx, &scope, self.row.id).await?;
        Ok(links
            .into_iter()
            .map(|row| UpstreamLinkObject { row, come_by: ComeBy::LinksOfUpstream })
            .collect())
    }
}

/// A link in the graph.
pub struct UpstreamLinkObject {
    row: Link,
    come_by: ComeBy,
}

impl From<Link> for UpstreamLinkObject {
    fn from(row: Link) -> Self {
        Self { row, come_by: ComeBy::Itself }
    }
}

impl UpstreamLinkObject {
    /// Where it stands in a list of links: by the moment it was made.
    pub fn sort_key(&self) -> (String, String) {
        (self.row.created_at.to_string(), self.row.id.to_string())
    }
}

/// Which tenant of an installation a tenant of ours is.
#[Object(name = "UpstreamLink")]
impl UpstreamLinkObject {
    /// The id; opaque.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// The tenant of ours; null where the caller may not enter it.
    async fn tenant(&self) -> Option<TenantReference> {
        Some(self.come_by.reference(self.row.tenant_id))
    }

    /// The tenant of ours.
    #[graphql(name = "tenantID")]
    async fn tenant_id(&self) -> ID {
        self.row.tenant_id.to_string().into()
    }

    /// The installation.
    async fn upstream(&self, ctx: &Context<'_>) -> Result<UpstreamObject> {
        let scope = request(ctx)?.member_scope();
        let found = loaders::linked(ctx, &scope, &self.row).await?;
        let shows_details = found.shows_details;
        Ok(UpstreamObject { row: found.upstream, come_by: self.come_by, shows_details })
    }

    /// The vendor's id of the tenant there. Absent where the installation's own credential is the
    /// tenant's, as for hosted Workload Security.
    #[graphql(name = "remoteTenantID")]
    async fn remote_tenant_id(&self) -> Option<ID> {
        self.row.remote_tenant_id.clone().map(ID)
    }

    /// How the tenant's calls are doing there, as the node that answers saw it.
    async fn status(&self, ctx: &Context<'_>) -> Result<UpstreamStatus> {
        let status = service::<Outbound>(ctx)?.status(self.row.tenant_id, self.row.upstream_id);
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let key_expires_at = loaders::key_expires_at(ctx, &scope, &self.row).await?;
        Ok(UpstreamStatus::of(status, key_expires_at.map(|at| at.to_string())))
    }
}

/// How a tenant's calls of an installation are doing.
#[derive(SimpleObject)]
pub struct UpstreamStatus {
    /// Whether the last call got an answer of the system's API; null before the first.
    reachable: Option<bool>,
    /// When a call last succeeded, in RFC 3339.
    last_success_at: Option<String>,
    /// The error code of the last call, if it failed.
    last_error_code: Option<String>,
    /// When the minted key in use ends, in RFC 3339.
    key_expires_at: Option<String>,
    /// The circuit breaker of the tenant and the installation.
    circuit: CircuitState,
}

impl UpstreamStatus {
    fn of(status: Status, key_expires_at: Option<String>) -> Self {
        Self {
            reachable: status.reachable,
            last_success_at: status.last_success_at.map(|at| at.to_string()),
            last_error_code: status.last_error.map(|code| code.as_str().to_owned()),
            key_expires_at,
            circuit: status.circuit.into(),
        }
    }
}

/// An installation to be registered.
#[derive(InputObject)]
pub struct RegisterUpstreamInput {
    /// 1 to 255 characters.
    name: String,
    /// What kind of system it is.
    system: LegacySystem,
    /// Where it stands: for Deep Security including `/api`, for Integration Server the root. HTTPS;
    /// loopback, private networks and plain HTTP only where the operator of the gateway allows
    /// them.
    #[graphql(name = "baseURL")]
    base_url: String,
    /// How the gateway shows it who it is.
    credential: UpstreamCredentialInput,
    /// Certificates in PEM, trusted for this installation alone and in place of the public
    /// authorities.
    ca_certificate: Option<String>,
    /// The IANA name of the zone of its dates, where they carry none; UTC if absent.
    time_zone: Option<String>,
}

/// What to change of an installation; what is absent stays.
#[derive(InputObject)]
pub struct UpdateUpstreamInput {
    /// A new name.
    name: Option<String>,
    /// A new place. At another host, or without TLS, it needs the credential beside it, so that the
    /// one that is kept goes nowhere else.
    #[graphql(name = "baseURL")]
    base_url: Option<String>,
    /// A new credential.
    credential: Option<UpstreamCredentialInput>,
    /// Other certificates; null ends the trust in any of its own. They need the credential beside
    /// them, since whom they let in is shown the one that is kept.
    ca_certificate: MaybeUndefined<String>,
    /// Another zone.
    time_zone: Option<String>,
}

/// Exactly one way to show an installation who the gateway is.
#[derive(OneofObject)]
pub enum UpstreamCredentialInput {
    /// Deep Security: a secret key of the primary tenant, or of the one tenant that is meant.
    SecretKey(String),
    /// Workload Security: an API key of the Cloud One account.
    #[graphql(name = "cloudOneApiKey")]
    CloudOneApiKey(String),
    /// Deep Security: a user name and a password, with which the first key is made. The password is
    /// not kept.
    Session(SessionCredentialInput),
    /// Integration Server: its account.
    Basic(BasicCredentialInput),
}

/// An administrator of a Deep Security manager, who makes the first key.
#[derive(InputObject)]
pub struct SessionCredentialInput {
    /// The administrator's name.
    user_name: String,
    /// The administrator's password.
    password: String,
    /// The administrator's tenant, where it is not the primary.
    tenant_name: Option<String>,
    /// The code of the second factor, where there is one.
    mfa_code: Option<String>,
    /// The name of the key; `Tenant Gateway` if absent.
    key_name: Option<String>,
    /// The vendor's id of the key's role; the one called Full Access if absent.
    #[graphql(name = "roleID")]
    role_id: Option<ID>,
}

impl From<SessionCredentialInput> for SessionInput {
    fn from(input: SessionCredentialInput) -> Self {
        Self {
            user_name: input.user_name,
            password: input.password,
            tenant_name: input.tenant_name,
            mfa_code: input.mfa_code,
            key_name: input.key_name,
            role_id: input.role_id.map(|id| id.0),
        }
    }
}

/// An account of an Integration Server.
#[derive(InputObject)]
pub struct BasicCredentialInput {
    /// `multitenancy` if absent.
    user_name: Option<String>,
    /// The password.
    password: String,
}

/// A credential that was checked, or a session that is to make one.
enum Given {
    Ready(Credential),
    ToBeMade(Session),
}

impl UpstreamCredentialInput {
    fn check(self, system: System) -> Result<Given> {
        let given = match self {
            Self::SecretKey(key) => {
                Given::Ready(Credential::key("secretKey", Authentication::SecretKey, key)?)
            }
            Self::CloudOneApiKey(key) => Given::Ready(Credential::key(
                "cloudOneApiKey",
                Authentication::CloudOneApiKey,
                key,
            )?),
            Self::Basic(BasicCredentialInput { user_name, password }) => {
                Given::Ready(Credential::basic(user_name, password)?)
            }
            Self::Session(session) => Given::ToBeMade(Session::parse(session.into())?),
        };
        let authentication = match &given {
            Given::Ready(credential) => credential.authentication(),
            Given::ToBeMade(_) => Authentication::SecretKey,
        };
        match authentication.fits(system) {
            true => Ok(given),
            false => Err(Error::bad_input("credential", "is of another kind of legacy system")),
        }
    }
}

impl Given {
    fn makes_key(&self) -> bool {
        matches!(self, Self::ToBeMade(_))
    }

    /// The credential; a session makes it now, at that place.
    async fn credential(
        self,
        ctx: &Context<'_>,
        scope: &TenantScope,
        base_url: &BaseUrl,
        ca_certificate: Option<&str>,
    ) -> Result<Credential> {
        let session = match self {
            Self::Ready(credential) => return Ok(credential),
            Self::ToBeMade(session) => session,
        };
        let endpoint = Endpoint {
            // Nothing is stored under it; its connections are used for this alone.
            upstream: UpstreamId(random_uuid(service::<Upstreams>(ctx)?.entropy())),
            owner: scope.tenant(),
            system: System::DeepSecurity.as_str(),
            revision: 0,
            base_url: base_url.clone(),
            ca_certificate: ca_certificate.map(str::to_owned),
        };
        first_key(
            service::<Outbound>(ctx)?,
            operation(ctx)?,
            &endpoint.into(),
            scope.tenant(),
            session,
        )
        .await
    }
}

/// A key that was made for what could not be kept stays at the manager: another try would make
/// another.
fn kept<T>(made_key: bool, kept: Result<T>) -> Result<T> {
    kept.map_err(|error| if made_key { error.with_unknown_outcome() } else { error })
}

/// A link to be made.
#[derive(InputObject)]
pub struct LinkTenantInput {
    /// The tenant of ours: the one that owns the installation, or one below it.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The installation.
    #[graphql(name = "upstreamID")]
    upstream_id: ID,
    /// The vendor's id of the tenant there. Left out where the installation's own credential is the
    /// tenant's.
    #[graphql(name = "remoteTenantID")]
    remote_tenant_id: Option<ID>,
}

async fn probe(ctx: &Context<'_>, scope: &TenantScope, connection: Connection) -> Result<()> {
    let operation = operation(ctx)?;
    match connection.system {
        System::DeepSecurity => {
            service::<DeepSecurity>(ctx)?.probe(scope, connection, operation).await
        }
        System::IntegrationServer => {
            let outbound = service::<Outbound>(ctx)?.clone();
            integration_server::probe(outbound, operation, &connection).await
        }
    }
}

/// The links of one tenant: what `Tenant.upstreamLinks` answers. `within_links` as in
/// [`TenantReference`].
///
/// # Errors
/// `FORBIDDEN` without the right to read legacy resources.
pub async fn links_of_tenant(
    ctx: &Context<'_>,
    tenant: TenantId,
    within_links: bool,
) -> Result<Vec<UpstreamLinkObject>> {
    let come_by = if within_links { ComeBy::LinksOfUpstream } else { ComeBy::Itself };
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    let links = loaders::links_of_tenant(ctx, &scope, tenant).await?;
    Ok(links.into_iter().map(|row| UpstreamLinkObject { row, come_by }).collect())
}

/// A link of the tenant in context or of one below it.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read legacy resources.
pub async fn find_link(ctx: &Context<'_>, id: LinkId) -> Result<UpstreamLinkObject> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    Ok(service::<Upstreams>(ctx)?.find_link(&scope, id).await?.into())
}

/// An installation that a tenant in context or below it owns or is linked to.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read legacy resources.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<UpstreamObject> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    Ok(service::<Upstreams>(ctx)?.find(&scope, id).await?.into())
}

#[derive(Default)]
pub struct UpstreamQuery;

#[Object]
impl UpstreamQuery {
    /// The installations that the tenant in context owns, by name. Needs the right to read legacy
    /// resources.
    async fn upstreams(&self, ctx: &Context<'_>) -> Result<Option<Vec<UpstreamObject>>> {
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let upstreams = service::<Upstreams>(ctx)?.list(&scope).boxed().await?;
        Ok(Some(upstreams.into_iter().map(UpstreamObject::from).collect()))
    }

    /// The installations that the tenant in context owns, by name. Needs the right to read legacy
    /// resources.
    async fn upstreams_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 1000.")] first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
    ) -> Result<Option<GraphConnection<String, UpstreamObject, Total>>> {
        let page = Page::read(first, after.as_deref(), LIST_MAX)?;
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let upstreams = service::<Upstreams>(ctx)?.list(&scope).boxed().await?;
        let key = |upstream: &Upstream| (upstream.name.clone(), upstream.id.to_string());
        Ok(Some(page.of(upstreams, key, UpstreamObject::from)))
    }

    /// An installation of the tenant in context or of one below it. Any other is NOT_FOUND, whether
    /// it exists or not. Needs the right to read legacy resources.
    async fn upstream(&self, ctx: &Context<'_>, id: ID) -> Result<Option<UpstreamObject>> {
        find(ctx, &id).boxed().await.map(Some)
    }
}

#[derive(Default)]
pub struct UpstreamMutation;

#[Object]
impl UpstreamMutation {
    /// Registers an installation; the tenant in context owns it. Needs the right to manage
    /// upstreams. The credential is sealed and never shown again. Nothing is asked of the
    /// installation, unless a session is to make its first key: `testUpstream` does that.
    async fn create_upstream(
        &self,
        ctx: &Context<'_>,
        input: RegisterUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let system = input.system.known()?;
        let name = Name::parse("name", &input.name)?;
        let base_url = BaseUrl::parse("baseURL", &input.base_url, upstreams.policy())?;
        let given = input.credential.check(system)?;
        let ca_certificate = input.ca_certificate.map(model::certificate).transpose()?;
        let time_zone = model::time_zone(input.time_zone)?;
        upstreams.can_register(&scope).await?;
        let makes_key = given.makes_key();
        let credential =
            given.credential(ctx, &scope, &base_url, ca_certificate.as_deref()).await?;
        let new = NewUpstream { name, system, base_url, credential, ca_certificate, time_zone };
        Ok(Some(kept(makes_key, upstreams.register(&scope, new).await)?.into()))
    }

    /// Registers an installation; the tenant in context owns it. Needs the right to manage
    /// upstreams. The credential is sealed and never shown again. Nothing is asked of the
    /// installation, unless a session is to make its first key: `testUpstream` does that.
    #[graphql(deprecation = "use createUpstream; offered until 2027-12-31")]
    async fn register_upstream(
        &self,
        ctx: &Context<'_>,
        input: RegisterUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        self.create_upstream(ctx, input).await
    }

    /// Changes an installation of the tenant in context or of one below it. Needs the right to
    /// manage upstreams. A place at another host or without TLS, and other certificates, need the
    /// credential beside them. CONFLICT if somebody else changed it at the same time.
    async fn update_upstream(
        &self,
        ctx: &Context<'_>,
        id: ID,
        input: UpdateUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let before = upstreams.find(&scope, &id).await?;
        let system = System::from_name(&before.system)?;
        let parse = |url: &str| BaseUrl::parse("baseURL", url, upstreams.policy());
        let base_url = input.base_url.as_deref().map(parse).transpose()?;
        let moves = |new: &BaseUrl| {
            !parse(&before.base_url).is_ok_and(|old| new.keeps_host_and_tls_of(&old))
        };
        if input.credential.is_none() && base_url.as_ref().is_some_and(moves) {
            let needed = "a baseURL at another host, or without TLS, needs the credential for it";
            return Err(Error::bad_input("credential", needed));
        }
        let name = input.name.map(|name| Name::parse("name", &name)).transpose()?;
        let given = input.credential.map(|credential| credential.check(system)).transpose()?;
        let ca_certificate = match input.ca_certificate {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(text) => Some(Some(model::certificate(text)?)),
        };
        if given.is_none()
            && ca_certificate.as_ref().is_some_and(|new| *new != before.ca_certificate)
        {
            return Err(Error::bad_input(
                "credential",
                "trust in other certificates needs the credential beside it",
            ));
        }
        let time_zone = input.time_zone.map(|zone| model::time_zone(Some(zone))).transpose()?;
        let makes_key = given.as_ref().is_some_and(Given::makes_key);
        let credential = match given {
            None => None,
            Some(given) => {
                let place = base_url.clone().map_or_else(|| parse(&before.base_url), Ok)?;
                let trusted = ca_certificate.as_ref().unwrap_or(&before.ca_certificate).as_deref();
                Some(given.credential(ctx, &scope, &place, trusted).await?)
            }
        };
        let change = UpstreamChange { name, base_url, credential, ca_certificate, time_zone };
        Ok(Some(kept(makes_key, upstreams.update(&scope, &before, change).await)?.into()))
    }

    /// Removes an installation of the tenant in context or of one below it. Needs the right to
    /// manage upstreams. CONFLICT while tenants are linked to it.
    async fn delete_upstream(&self, ctx: &Context<'_>, id: ID) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        Ok(Some(service::<Upstreams>(ctx)?.remove(&scope, &id).await?.into()))
    }

    /// Removes an installation of the tenant in context or of one below it. Needs the right to
    /// manage upstreams. CONFLICT while tenants are linked to it.
    #[graphql(deprecation = "use deleteUpstream; offered until 2027-12-31")]
    async fn remove_upstream(&self, ctx: &Context<'_>, id: ID) -> Result<Option<UpstreamObject>> {
        self.delete_upstream(ctx, id).await
    }

    /// Asks an installation of the tenant in context or of one below it, now, whether it answers
    /// and knows the gateway. Needs the right to manage upstreams. What is wrong stands in
    /// `lastErrorCode`.
    async fn test_upstream(&self, ctx: &Context<'_>, id: ID) -> Result<Option<UpstreamStatus>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let connection = service::<Upstreams>(ctx)?.to_test(&scope, &id).await?;
        let (tenant, upstream) = (connection.tenant, connection.endpoint.upstream);
        let attempt = service::<Upstreams>(ctx)?.begin_test(&scope, &connection).await?;
        let asked = probe(ctx, &scope, connection).await;
        let ids = operation(ctx)?.upstream_request_ids();
        let mut status = service::<Outbound>(ctx)?.status(tenant, upstream);
        match asked {
            Ok(()) => attempt.succeeded(upstream.to_string(), None, &ids).await?,
            Err(error) => {
                error.log_cause();
                status.last_error = Some(error.code());
                attempt.failed(error, &ids).await;
            }
        }
        Ok(Some(UpstreamStatus::of(status, None)))
    }

    /// Says which tenant of an installation a tenant of ours is. Needs the right to manage
    /// upstreams. CONFLICT if the tenant has a link for that kind of system already, or another
    /// tenant of ours is linked to that tenant of the installation.
    async fn link_tenant(
        &self,
        ctx: &Context<'_>,
        input: LinkTenantInput,
    ) -> Result<Option<UpstreamLinkObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let new = NewLink::parse(
            &input.tenant_id,
            &input.upstream_id,
            input.remote_tenant_id.map(|id| id.0),
        )?;
        Ok(Some(service::<Upstreams>(ctx)?.link(&scope, new).await?.into()))
    }

    /// Ends a link. Needs the right to manage upstreams. Nothing is deleted at the installation but
    /// keys that the gateway made for the tenant.
    async fn unlink_tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Option<UpstreamLinkObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        Ok(Some(service::<Upstreams>(ctx)?.unlink(&scope, &id).await?.into()))
    }
}
