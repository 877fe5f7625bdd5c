//! The manager of one tenant, as one caller may use it.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::cache_ttl::CacheTtl;
use super::client::{self, AuthHeaders, CallError, Reply, Request, Segment};
use super::listing::Query;
use super::model::{Expand, IdScope, KeyAccess, ObjectId};
use super::service::DeepSecurity;
use super::wire::{Computer, CurrentKey, Object, Resource, Tenant};
use crate::auth::TenantScope;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;
use crate::outbound::{Operation, RouteKey, UpstreamRoute};
use crate::upstreams::{Connection, Credential};

/// A tenant's way to its manager. It is made from a scope, and each of its calls shows a key of
/// that tenant which may no more than the caller.
#[derive(Clone)]
pub struct Manager {
    pub(super) service: Arc<DeepSecurity>,
    pub(super) scope: TenantScope,
    pub(super) connection: Arc<Connection>,
    pub(super) credential: CredentialSource,
    pub(super) cache_ttl: CacheTtl,
}

/// Which key is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialSource {
    /// The installation's own credential.
    Installation,
    /// A key of the tenant, made through the primary manager.
    TenantKey(KeyAccess),
}

impl Manager {
    /// The tenant of ours.
    pub fn tenant(&self) -> TenantId {
        self.connection.tenant
    }

    /// Where the ids of this manager's objects are unique: within the tenant of the installation,
    /// for which the link stands.
    pub fn ids(&self) -> IdScope {
        let upstream = self.connection.endpoint.upstream;
        IdScope::new(self.connection.link.map_or(upstream.0, |link| link.0), upstream)
    }

    /// The tenant of the installation, if the link names one.
    ///
    /// # Errors
    /// `NOT_FOUND` if it names something that can be none.
    pub fn remote_tenant(&self) -> Result<Option<ObjectId>> {
        let id = self.connection.remote_tenant_id.as_deref();
        id.map(|id| ObjectId::parse("tenant of the installation", id)).transpose()
    }

    /// The same tenant seen by the primary manager, with the installation's own credential.
    pub fn primary(&self) -> Self {
        Self { credential: CredentialSource::Installation, ..self.clone() }
    }

    /// The same manager, for a caller who may be told what others of the same right were told a
    /// while ago, as the settings say. What is changed, or is about to be, is never read so.
    pub fn cached(self) -> Self {
        Self { cache_ttl: self.service.cache_ttl, ..self }
    }

    /// Under which name what was read once serves the rest of an operation.
    pub fn key(&self) -> RouteKey {
        let mut route = self.connection.own_route();
        if let CredentialSource::TenantKey(access) = self.credential {
            route.identity = crate::outbound::Identity(access.as_str().to_owned());
        }
        route.key()
    }

    /// Reads one object.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none; as every call.
    pub async fn find<T: Resource>(
        &self,
        operation: &Operation,
        id: ObjectId,
        expand: Option<&Expand>,
    ) -> Result<T> {
        let mut request = Request::get([T::COLLECTION.into(), id.into()])
            .cached_for(T::cache_ttl(&self.cache_ttl));
        if let Some(expand) = expand {
            request = request.with("expand", expand.options());
        }
        let (route, reply) =
            self.send(operation, &request).await.map_err(|error| self.named::<T>(error))?;
        let members = expand.and_then(Expand::members);
        self.understood(
            &route,
            reply.read_by(&route, false, Object::<T>::with(members)).and_then(|found| {
                match found.id() == id.0 {
                    true => Ok(found),
                    false => Err(client::malformed(
                        &route,
                        "another object than was asked for".to_owned(),
                    )),
                }
            }),
        )
    }

    /// What an answer says. One that cannot be understood is not told again: all that was
    /// remembered of the tenant is forgotten with it.
    pub(super) fn understood<T>(&self, route: &UpstreamRoute, said: Result<T>) -> Result<T> {
        if said.is_err() {
            self.service.outbound.note_malformed(route);
        }
        said
    }

    /// A missing object, called by its name.
    pub fn named<T: Resource>(&self, error: Error) -> Error {
        match error.upstream().and_then(|upstream| upstream.status) {
            Some(404) if error.code() == ErrorCode::NotFound => client::with_upstream(
                Error::not_found(T::KIND),
                &self.connection.own_route(),
                Some(404),
            ),
            _ => error,
        }
    }

    /// Makes a call and reads its answer.
    ///
    /// # Errors
    /// As every call.
    pub async fn read<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        request: &Request,
    ) -> Result<T> {
        let (route, reply) = self.send(operation, request).await?;
        self.understood(&route, reply.read(&route, request.writes()))
    }

    /// Makes a call. A key that is refused is replaced once and the call made once more: what was
    /// refused was not done, so that holds for writes too.
    ///
    /// # Errors
    /// `UPSTREAM_UNAUTHORIZED` if the gateway's own credential is refused, `UPSTREAM_REJECTED` if
    /// the key is good and its role lacks the right; as [`client::send`].
    pub async fn send(
        &self,
        operation: &Operation,
        request: &Request,
    ) -> Result<(UpstreamRoute, Reply)> {
        let CredentialSource::TenantKey(access) = self.credential else {
            return self.send_as_own(operation, request).await;
        };
        let key = self.service.keys.key(&self.connection, access, operation).await?;
        let route = key.route(&self.connection);
        let status = match self.attempt(operation, &route, &key.auth(), request).await? {
            Ok(reply) => return Ok((route, reply)),
            Err(status) => status,
        };
        // No source says which status means what: a key that still tells who it is was not refused,
        // its role was.
        let current = Request::get(["apikeys".into(), "current".into()]);
        if status == 403 && self.attempt(operation, &route, &key.auth(), &current).await?.is_ok() {
            return Err(client::lacks_right(&route, status));
        }
        let key = self.service.keys.replace(&self.connection, &key, operation).await?;
        let route = key.route(&self.connection);
        match self.attempt(operation, &route, &key.auth(), request).await? {
            Ok(reply) => Ok((route, reply)),
            Err(status) => Err(client::unauthorized(&route, status)),
        }
    }

    /// Sees whether the installation knows the gateway.
    pub(super) async fn probe(&self, operation: &Operation) -> Result<()> {
        match &*self.connection.credential {
            // These keys have no page of their own in every edition of the API
            // (`docs/reference/deep-security-api.md`, section 3).
            Credential::CloudOneApiKey(_) => {
                let one = Query::parse(Some(1), None, None, Vec::new())?.expanded(Expand::NONE);
                self.list::<Computer>(operation, &one).await.map(drop)
            }
            _ => {
                let current = Request::get(["apikeys".into(), "current".into()]);
                self.read::<CurrentKey>(operation, &current).await.map(drop)
            }
        }
    }

    /// The tenant that the link names, as the primary manager knows it; nothing where the link
    /// names none. The link keeps what this shows of it.
    ///
    /// # Errors
    /// `NOT_FOUND` naming the id if the installation has no such tenant; as every call.
    pub async fn remote_tenant_object(&self, operation: &Operation) -> Result<Option<Tenant>> {
        let Some(id) = self.remote_tenant()? else { return Ok(None) };
        let found = self.primary().find::<Tenant>(operation, id, None).await;
        let found = found.map_err(|error| self.missing_tenant(error, id));
        let exists = match &found {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(_) => return found.map(Some),
        };
        self.service.upstreams().note_use(&self.scope, &self.connection, exists).await;
        found.map(Some)
    }

    /// Verifies that the installation has the tenant that the link names. A primary manager is
    /// asked for the tenant; a link that names none means the tenant of the credential, which is
    /// asked who it is.
    ///
    /// # Errors
    /// `NOT_FOUND` or `BAD_USER_INPUT` naming the id if there is no such tenant; as every call.
    pub(super) async fn verify_link(&self, operation: &Operation) -> Result<()> {
        let Some(id) = self.connection.remote_tenant_id.as_deref() else {
            return self.probe(operation).await;
        };
        let id = ObjectId::parse("tenant", id).map_err(|_| {
            let must = format!("`{id}` is no tenant of Deep Security: its tenant ids are numbers");
            Error::bad_input("remoteTenantID", &must)
        })?;
        let Err(error) = self.find::<Tenant>(operation, id, None).await else { return Ok(()) };
        let status = error.upstream().and_then(|upstream| upstream.status);
        let Some(status @ (401 | 403 | 404)) = status else { return Err(error) };
        if !matches!(&*self.connection.credential, Credential::SecretKey(_)) {
            return Err(self.missing_tenant(error, id));
        }
        // A key of another tenant than the primary sees no tenants, not even its own.
        let current = Request::get(["apikeys".into(), "current".into()]);
        let own = match self.read::<CurrentKey>(operation, &current).await {
            Ok(own) => own,
            Err(_) => return Err(self.missing_tenant(error, id)),
        };
        if own.tenant_id == Some(id.0) {
            let must = format!(
                "leave it out: the upstream's credential is a key of tenant {} itself, \
                 so a link without it means that tenant",
                id.0
            );
            return Err(Error::bad_input("remoteTenantID", &must));
        }
        match status {
            404 => Err(self.missing_tenant(error, id)),
            _ => Err(client::lacks_right(&self.connection.own_route(), status)),
        }
    }

    fn missing_tenant(&self, error: Error, id: ObjectId) -> Error {
        if error.code() == ErrorCode::NotFound {
            client::no_such_tenant(&self.connection.own_route(), id)
        } else {
            error
        }
    }

    async fn send_as_own(
        &self,
        operation: &Operation,
        request: &Request,
    ) -> Result<(UpstreamRoute, Reply)> {
        let route = self.connection.own_route();
        let auth = AuthHeaders::own(&self.connection.credential)?;
        match self.attempt(operation, &route, &auth, request).await? {
            Ok(reply) => Ok((route, reply)),
            Err(status) => Err(client::unauthorized(&route, status)),
        }
    }

    /// The reply, or the status by which the credential was refused.
    async fn attempt(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        auth: &AuthHeaders,
        request: &Request,
    ) -> Result<Result<Reply, u16>> {
        match client::send(&self.service.outbound, operation, route, auth, request).await {
            Ok(reply) => Ok(Ok(reply)),
            Err(CallError::Credential(status)) => Ok(Err(status)),
            Err(CallError::Other(error)) => Err(error),
        }
    }
}

/// The path of an object.
pub fn path_of<T: Resource>(id: ObjectId) -> [Segment; 2] {
    [T::COLLECTION.into(), id.into()]
}
