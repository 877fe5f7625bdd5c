//! Upstreams in the graph.

mod loaders;

use std::time::Duration;

use async_graphql::{
    Context, Enum, ID, InputObject, MaybeUndefined, Object, OneofObject, SimpleObject,
};
use futures_util::FutureExt;

use super::link_check::{self, LinkCheck};
use super::model::{
    self, Authentication, Credential, Link, NewLink, NewUpstream, System, Upstream, UpstreamChange,
};
use super::{Connection, Upstreams};
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, request, service};
use crate::deep_security::{DeepSecurity, Session, SessionInput, first_key};
use crate::error::{Error, ErrorCode, Result};
use crate::graph::graphql::{
    Connection as GraphConnection, DateTime, GraphErrorCode, Page, TenantReference,
};
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
    /// A system that this version of the gateway does not know; `systemText` has it.
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

/// How the gateway authenticates at an upstream.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum UpstreamAuthentication {
    /// A secret key in the header `api-secret-key`.
    SecretKey,
    /// An API key in the header `Authorization: ApiKey`.
    CloudOneApiKey,
    /// HTTP Basic authentication.
    Basic,
    /// A way that this version of the gateway does not know; `authenticationText` has it.
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
    /// Calls fail immediately for some seconds.
    Open,
    /// One call is let through as a probe.
    HalfOpen,
}

/// Whether the tenant that a link names was found at the installation.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "link_check::LinkState")]
pub enum LinkState {
    /// Not yet: the installation could not be asked. The gateway asks again by itself.
    Pending,
    /// The installation has the tenant.
    Verified,
    /// The installation has no such tenant.
    Failed,
}

/// Why a link could not be verified.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "link_check::LinkFailure")]
pub enum LinkFailure {
    /// The installation has no such tenant: `remoteTenantID` is wrong, or the tenant was deleted
    /// there.
    RemoteTenantNotFound,
    /// The installation refuses the credential of the upstream: renew it with `updateUpstream`.
    CredentialRefused,
    /// The credential of the upstream lacks the right to see the tenant: give its role that right
    /// at the installation.
    AccessDenied,
    /// The installation does not answer.
    Unreachable,
    /// The answer is not one of the API of that system: check `baseURL`.
    UnexpectedAnswer,
}

/// The result of the checks of a link. A link is checked when it is created, when it is used, by
/// `testLink`, and in the background while it is pending.
#[derive(SimpleObject)]
pub struct LinkVerification {
    /// Whether the tenant that the link names was found at the installation.
    state: LinkState,
    /// Why the last check failed; null if it did not.
    failure: Option<LinkFailure>,
    /// When the last check failed; null if it did not.
    failed_at: Option<DateTime>,
    /// When the tenant was last found; null if it never was.
    verified_at: Option<DateTime>,
}

impl LinkVerification {
    fn of(link: &Link) -> Self {
        let failure = link.failure.as_deref().and_then(link_check::LinkFailure::from_name);
        Self {
            state: link_check::LinkState::from_name(&link.verification).into(),
            failure: failure.map(LinkFailure::from),
            failed_at: link.failed_at.map(DateTime),
            verified_at: link.verified_at.map(DateTime),
        }
    }
}

/// An installation in the graph.
pub struct UpstreamObject {
    row: Upstream,
    come_by: ComeBy,
    /// Whether the tenant in context owns it or is above the owner.
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
    /// A detail that only the owner and the tenants above it may see.
    fn detail<'a, T>(&'a self, of: impl FnOnce(&'a Upstream) -> T) -> Option<T> {
        self.shows_details.then(|| of(&self.row))
    }
}

/// An installation of a legacy product. Its credential is never shown. A linked tenant that is
/// neither the owner nor above it sees only the id, name, system and its own links; all other
/// fields are null.
#[Object(name = "Upstream")]
impl UpstreamObject {
    /// The id. Opaque; unique across types.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// The display name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The kind of system.
    async fn system(&self) -> LegacySystem {
        LegacySystem::read(&self.row.system)
    }

    /// The kind of system as stored.
    async fn system_text(&self) -> &str {
        &self.row.system
    }

    /// The base URL: for Deep Security including `/api`, for an Integration Server the root.
    /// Visible to the owner only.
    #[graphql(name = "baseURL")]
    async fn base_url(&self) -> Option<&str> {
        self.detail(|row| row.base_url.as_str())
    }

    /// The tenant that owns the upstream; null if the caller cannot enter it.
    async fn owner(&self) -> Option<TenantReference> {
        self.detail(|row| self.come_by.reference(row.owner_tenant_id))
    }

    /// The id of the tenant that owns the upstream. Visible to the owner only.
    #[graphql(name = "ownerTenantID")]
    async fn owner_tenant_id(&self) -> Option<ID> {
        self.detail(|row| row.owner_tenant_id.to_string().into())
    }

    /// How the gateway authenticates. Visible to the owner only.
    async fn authentication(&self) -> Option<UpstreamAuthentication> {
        self.detail(|row| UpstreamAuthentication::read(&row.authentication))
    }

    /// The way of authentication as stored. Visible to the owner only.
    async fn authentication_text(&self) -> Option<&str> {
        self.detail(|row| row.authentication.as_str())
    }

    /// The IANA name of the time zone of dates without one. Visible to the owner only.
    async fn time_zone(&self) -> Option<&str> {
        self.detail(|row| row.time_zone.as_str())
    }

    /// The links of the tenant in context and those below it. BAD_USER_INPUT if nested in the links
    /// of an upstream.
    async fn links(&self, ctx: &Context<'_>) -> Result<Vec<UpstreamLinkObject>> {
        self.read_links(ctx, "links").await
    }

    /// Lists the links of the tenant in context and those below it, oldest first. BAD_USER_INPUT if
    /// nested in the links of an upstream.
    async fn links_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 1000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
    ) -> Result<Option<GraphConnection<UpstreamLinkObject>>> {
        let page = Page::read(first, after.as_deref(), LIST_MAX)?;
        let links = self.read_links(ctx, "linksConnection").await?;
        Ok(Some(page.of(links, UpstreamLinkObject::sort_key, |link| link)))
    }

    /// When the upstream was created, in RFC 3339. Visible to the owner only.
    async fn created_at(&self) -> Option<String> {
        self.detail(|row| row.created_at.to_string())
    }

    /// When the upstream was last changed, in RFC 3339. Visible to the owner only.
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
    /// The sort key in lists of links: by creation time.
    pub fn sort_key(&self) -> (String, String) {
        (self.row.created_at.to_string(), self.row.id.to_string())
    }
}

/// The link between a gateway tenant and a tenant of an upstream.
#[Object(name = "UpstreamLink")]
impl UpstreamLinkObject {
    /// The id. Opaque; unique across types.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// The gateway tenant; null if the caller cannot enter it.
    async fn tenant(&self) -> Option<TenantReference> {
        Some(self.come_by.reference(self.row.tenant_id))
    }

    /// The id of the gateway tenant.
    #[graphql(name = "tenantID")]
    async fn tenant_id(&self) -> ID {
        self.row.tenant_id.to_string().into()
    }

    /// The upstream.
    async fn upstream(&self, ctx: &Context<'_>) -> Result<UpstreamObject> {
        let scope = request(ctx)?.member_scope();
        let found = loaders::linked(ctx, &scope, &self.row).await?;
        let shows_details = found.shows_details;
        Ok(UpstreamObject { row: found.upstream, come_by: self.come_by, shows_details })
    }

    /// The vendor's id of the upstream's tenant; null if the upstream's own credential belongs to
    /// the tenant, as in hosted Workload Security.
    #[graphql(name = "remoteTenantID")]
    async fn remote_tenant_id(&self) -> Option<ID> {
        self.row.remote_tenant_id.clone().map(ID)
    }

    /// The status of the tenant's calls to the upstream, as seen by the responding node.
    async fn status(&self, ctx: &Context<'_>) -> Result<UpstreamStatus> {
        let status = service::<Outbound>(ctx)?.status(self.row.tenant_id, self.row.upstream_id);
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let key_expires_at = loaders::key_expires_at(ctx, &scope, &self.row).await?;
        Ok(UpstreamStatus::of_link(status, key_expires_at.map(|at| at.to_string()), &self.row))
    }
}

/// The status of a tenant's calls to an upstream.
#[derive(SimpleObject)]
pub struct UpstreamStatus {
    /// Whether the API responded to the last call; null before the first call.
    reachable: Option<bool>,
    /// When a call last succeeded, in RFC 3339.
    last_success_at: Option<String>,
    /// The error code of the last call; null if it succeeded.
    last_error_code: Option<GraphErrorCode>,
    /// The error code of the last call as text.
    last_error_code_text: Option<&'static str>,
    /// When the minted key in use expires, in RFC 3339.
    key_expires_at: Option<String>,
    /// The state of the circuit breaker between the tenant and the upstream.
    circuit: CircuitState,
    /// Whether the tenant that the link names was found at the upstream; null for an upstream
    /// itself.
    verification: Option<LinkVerification>,
}

impl UpstreamStatus {
    fn of(status: Status, key_expires_at: Option<String>) -> Self {
        let last_error = status.last_error.map(ErrorCode::as_str);
        Self {
            reachable: status.reachable,
            last_success_at: status.last_success_at.map(|at| at.to_string()),
            last_error_code: last_error.map(GraphErrorCode::read),
            last_error_code_text: last_error,
            key_expires_at,
            circuit: status.circuit.into(),
            verification: None,
        }
    }

    fn of_link(status: Status, key_expires_at: Option<String>, link: &Link) -> Self {
        let verification = Some(LinkVerification::of(link));
        Self { verification, ..Self::of(status, key_expires_at) }
    }
}

/// Input of `createUpstream`.
#[derive(InputObject)]
pub struct RegisterUpstreamInput {
    /// The name, 1 to 255 characters.
    name: String,
    /// The kind of system.
    system: LegacySystem,
    /// The base URL: for Deep Security including `/api`, for an Integration Server the root. HTTPS;
    /// plain HTTP, loopback and private networks only if the gateway's operator sets
    /// `upstream.allow_private_addresses`.
    #[graphql(name = "baseURL")]
    base_url: String,
    /// The credential with which the gateway authenticates.
    credential: UpstreamCredentialInput,
    /// Certificates in PEM that are trusted for this upstream in place of the public authorities.
    ca_certificate: Option<String>,
    /// The IANA name of the time zone of dates without one. Default: UTC.
    time_zone: Option<String>,
}

/// Changes of an upstream. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateUpstreamInput {
    /// The new name.
    name: Option<String>,
    /// The new base URL. Another host, or plain HTTP, requires the credential in the same request,
    /// so that the stored one is never sent to another host.
    #[graphql(name = "baseURL")]
    base_url: Option<String>,
    /// The new credential.
    credential: Option<UpstreamCredentialInput>,
    /// Certificates in PEM that are trusted for this upstream; null restores the public
    /// authorities. Requires the credential in the same request, so that the stored one is never
    /// sent to a host that only the new certificates accept.
    ca_certificate: MaybeUndefined<String>,
    /// The IANA name of the time zone of dates without one.
    time_zone: Option<String>,
}

/// The credential of an upstream. Exactly one field is required.
#[derive(OneofObject)]
pub enum UpstreamCredentialInput {
    /// Deep Security: a secret key of the primary tenant, or of the only tenant to be linked.
    SecretKey(String),
    /// Workload Security: an API key of the Cloud One account.
    #[graphql(name = "cloudOneApiKey")]
    CloudOneApiKey(String),
    /// Deep Security: a user name and a password, used once to create the first key. The password
    /// is not stored.
    Session(SessionCredentialInput),
    /// Integration Server: the account.
    Basic(BasicCredentialInput),
}

/// The account of a Deep Security administrator, used once to create the first API key.
#[derive(InputObject)]
pub struct SessionCredentialInput {
    /// The administrator's user name.
    user_name: String,
    /// The administrator's password.
    password: String,
    /// The name of the administrator's tenant. Default: the primary tenant.
    tenant_name: Option<String>,
    /// The code of the second factor, if the account has one.
    mfa_code: Option<String>,
    /// The name of the key to create. Default: `Tenant Gateway`.
    key_name: Option<String>,
    /// The vendor's id of the key's role. Default: the role named Full Access.
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
    /// The account's name. Default: `multitenancy`.
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

/// A key created for a registration that failed stays at the manager; a retry would create another.
fn kept<T>(made_key: bool, kept: Result<T>) -> Result<T> {
    kept.map_err(|error| if made_key { error.with_unknown_outcome() } else { error })
}

/// Input of `linkTenant`.
#[derive(InputObject)]
pub struct LinkTenantInput {
    /// The gateway tenant: the owner of the upstream, or a tenant below it.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The upstream.
    #[graphql(name = "upstreamID")]
    upstream_id: ID,
    /// The id of the upstream's tenant: the vendor's id or the global id. Omitted if the upstream's
    /// own credential belongs to the tenant.
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

/// How long a check of a link may take. A link to an installation that does not answer stays
/// pending instead of keeping its caller waiting.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

async fn verify_link(ctx: &Context<'_>, scope: &TenantScope, connection: Connection) -> Result<()> {
    let operation = operation(ctx)?;
    let outbound = service::<Outbound>(ctx)?.clone();
    let system = connection.system;
    let asked = async {
        match system {
            System::DeepSecurity => {
                service::<DeepSecurity>(ctx)?.verify_link(scope, connection, operation).await
            }
            System::IntegrationServer => {
                integration_server::verify_link(outbound, operation, &connection).await
            }
        }
    };
    tokio::time::timeout(CHECK_TIMEOUT, asked).await.unwrap_or_else(|_| {
        let message = "the legacy system did not answer in time";
        Err(Error::new(ErrorCode::UpstreamTimeout, message))
    })
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
    /// Lists the upstreams that the tenant in context owns, ordered by name. Requires the
    /// permission to read legacy resources.
    async fn upstreams(&self, ctx: &Context<'_>) -> Result<Option<Vec<UpstreamObject>>> {
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let upstreams = service::<Upstreams>(ctx)?.list(&scope).boxed().await?;
        Ok(Some(upstreams.into_iter().map(UpstreamObject::from).collect()))
    }

    /// Lists the upstreams that the tenant in context owns, ordered by name. Requires the
    /// permission to read legacy resources.
    async fn upstreams_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 1000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
    ) -> Result<Option<GraphConnection<UpstreamObject>>> {
        let page = Page::read(first, after.as_deref(), LIST_MAX)?;
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let upstreams = service::<Upstreams>(ctx)?.list(&scope).boxed().await?;
        let key = |upstream: &Upstream| (upstream.name.clone(), upstream.id.to_string());
        Ok(Some(page.of(upstreams, key, UpstreamObject::from)))
    }

    /// Returns an upstream of the tenant in context or one below it. NOT_FOUND for any other.
    /// Requires the permission to read legacy resources.
    async fn upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamObject>> {
        find(ctx, &id).boxed().await.map(Some)
    }
}

#[derive(Default)]
pub struct UpstreamMutation;

#[Object]
impl UpstreamMutation {
    /// Creates an upstream, owned by the tenant in context. The credential is stored encrypted and
    /// never shown again. The gateway does not contact the upstream, unless a session creates its
    /// first key; see `testUpstream`. Requires the permission to manage upstreams.
    async fn create_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream to create.")] input: RegisterUpstreamInput,
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

    /// Creates an upstream, owned by the tenant in context. The credential is stored encrypted and
    /// never shown again. The gateway does not contact the upstream, unless a session creates its
    /// first key; see `testUpstream`. Requires the permission to manage upstreams.
    #[graphql(deprecation = "use createUpstream; offered until 2027-12-31")]
    async fn register_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream to create.")] input: RegisterUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        self.create_upstream(ctx, input).await
    }

    /// Changes an upstream of the tenant in context or one below it. A base URL at another host or
    /// without TLS, and other certificates, require the credential in the same request. CONFLICT if
    /// it was changed concurrently. Requires the permission to manage upstreams.
    async fn update_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateUpstreamInput,
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

    /// Deletes an upstream of the tenant in context or one below it. CONFLICT while tenants are
    /// linked to it. Requires the permission to manage upstreams.
    async fn delete_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        Ok(Some(service::<Upstreams>(ctx)?.remove(&scope, &id).await?.into()))
    }

    /// Deletes an upstream of the tenant in context or one below it. CONFLICT while tenants are
    /// linked to it. Requires the permission to manage upstreams.
    #[graphql(deprecation = "use deleteUpstream; offered until 2027-12-31")]
    async fn remove_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamObject>> {
        self.delete_upstream(ctx, id).await
    }

    /// Tests whether an upstream of the tenant in context or one below it responds and accepts its
    /// credential. A failure is reported in `lastErrorCode`. Requires the permission to manage
    /// upstreams.
    async fn test_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamStatus>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let connection = service::<Upstreams>(ctx)?.to_test(&scope, &id).await?;
        let tenant = connection.tenant;
        let upstream = connection.endpoint.upstream;
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

    /// Links a gateway tenant to a tenant of an upstream. The upstream is asked for that tenant:
    /// NOT_FOUND or BAD_USER_INPUT naming `remoteTenantID` if it has none. If it cannot be asked
    /// now, the link is created with the `status.verification.state` PENDING, and the gateway asks
    /// again later. CONFLICT if the tenant already has a link
    /// to that kind of system, or if another gateway tenant is linked to that tenant of the
    /// upstream. Requires the permission to manage upstreams.
    async fn link_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The link to create.")] input: LinkTenantInput,
    ) -> Result<Option<UpstreamLinkObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let remote_tenant_id = input.remote_tenant_id.map(|id| id.0);
        let new = NewLink::parse(&input.tenant_id, &input.upstream_id, remote_tenant_id)?;
        let (owner, connection) = upstreams.to_link(&scope, &new).await?;
        let asked = verify_link(ctx, &owner, connection).boxed().await;
        let check = LinkCheck::of(&asked)?;
        if let Err(error) = asked {
            if check == LinkCheck::Missing {
                return Err(error);
            }
            error.log_cause();
        }
        Ok(Some(upstreams.link(&scope, NewLink { check, ..new }).await?.into()))
    }

    /// Tests whether the upstream of a link has the tenant that the link names. The link is that of
    /// a tenant in context or below it to its system of this kind. A failure is reported in
    /// `verification` and `lastErrorCode`. Requires the permission to manage upstreams.
    async fn test_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "tenantID", desc = "The id of the gateway tenant.")] tenant_id: ID,
        #[graphql(desc = "The kind of system of the link.")] system: LegacySystem,
    ) -> Result<Option<UpstreamStatus>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let tenant = tenant_id.parse().map_err(|_| Error::not_found("tenant"))?;
        let (scope, link, connection) =
            upstreams.link_to_test(&scope, tenant, system.known()?).await?;
        let attempt = upstreams.begin_link_test(&scope, &link).await?;
        let asked = verify_link(ctx, &scope, connection.clone()).boxed().await;
        let check = LinkCheck::of(&asked);
        let last_error = asked.as_ref().err().map(Error::code);
        let ids = operation(ctx)?.upstream_request_ids();
        match asked {
            Ok(()) => attempt.succeeded(link.id.to_string(), None, &ids).await?,
            Err(error) => {
                error.log_cause();
                attempt.failed(error, &ids).await;
            }
        }
        let link = upstreams.record_check(&scope, &connection, check?).await?.unwrap_or(link);
        let mut status = service::<Outbound>(ctx)?.status(link.tenant_id, link.upstream_id);
        status.last_error = last_error;
        let key_expires_at = loaders::key_expires_at(ctx, &scope, &link).await?;
        let key_expires_at = key_expires_at.map(|at| at.to_string());
        Ok(Some(UpstreamStatus::of_link(status, key_expires_at, &link)))
    }

    /// Removes the link between a gateway tenant and an upstream. At the upstream, only the keys
    /// that the gateway minted for the tenant are deleted. Requires the permission to manage
    /// upstreams.
    async fn unlink_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The link's id.")] id: ID,
    ) -> Result<Option<UpstreamLinkObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        Ok(Some(service::<Upstreams>(ctx)?.unlink(&scope, &id).await?.into()))
    }
}
