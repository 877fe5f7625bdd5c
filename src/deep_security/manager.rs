//! The manager of one tenant, as one caller may use it.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::cache_ttl::CacheTtl;
use super::client::{self, ApiRequest, ApiResponse, AuthHeaders, CallError, PathSegment};
use super::keys::Keys;
use super::model::{Expand, IdScope, KeyAccess, ObjectId};
use super::wire::{ObjectSeed, Resource, Tenant};
use crate::auth::TenantScope;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;
use crate::outbound::{Identity, Operation, Outbound, RouteKey, UpstreamRoute};
use crate::projection::{Plan, ProjectedObject};
use crate::upstreams::{Connection, Upstreams};

/// The services that all managers share.
pub(super) struct Backend {
    pub outbound: Arc<Outbound>,
    pub keys: Arc<Keys>,
    pub upstreams: Arc<Upstreams>,
    /// How long responses are cached where the caller accepts cached responses.
    pub cache_ttl: CacheTtl,
}

/// The manager of one tenant. It is opened from a scope, and every call is authenticated with a key
/// of that tenant which has no more access than the caller.
#[derive(Clone)]
pub struct Manager {
    pub(super) backend: Arc<Backend>,
    pub(super) scope: TenantScope,
    pub(super) connection: Arc<Connection>,
    pub(super) cache_ttl: CacheTtl,
    credential: CredentialSource,
}

/// The credential that authenticates the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialSource {
    /// The installation's own credential.
    Installation,
    /// A key of the tenant, minted through the primary manager.
    TenantKey(KeyAccess),
}

impl Manager {
    /// A manager whose calls are never answered from the cache.
    pub(super) fn new(
        backend: Arc<Backend>,
        scope: TenantScope,
        connection: Arc<Connection>,
        credential: CredentialSource,
    ) -> Self {
        Self { backend, scope, connection, cache_ttl: CacheTtl::default(), credential }
    }

    /// The gateway's tenant.
    pub fn tenant(&self) -> TenantId {
        self.connection.tenant
    }

    /// The scope within which the manager's ids are unique: the link, which stands for one tenant
    /// of the installation.
    pub fn ids(&self) -> IdScope {
        let upstream = self.connection.endpoint.upstream;
        IdScope::new(self.connection.link.map_or(upstream.0, |link| link.0), upstream)
    }

    /// The tenant of the installation, if the link names one.
    ///
    /// # Errors
    /// `NOT_FOUND` if the link's text is not an id.
    pub fn remote_tenant(&self) -> Result<Option<ObjectId>> {
        let id = self.connection.remote_tenant_id.as_deref();
        id.map(|id| ObjectId::parse(Tenant::KIND, id)).transpose()
    }

    /// The tenant that the link names, as the primary manager knows it; `None` if the link names
    /// none. The link records whether the tenant exists.
    ///
    /// # Errors
    /// `NOT_FOUND` naming the id if the installation has no such tenant; as [`Manager::send`].
    pub async fn remote_tenant_object(&self, operation: &Operation) -> Result<Option<Tenant>> {
        let Some(id) = self.remote_tenant()? else { return Ok(None) };
        let found = self.primary().find::<Tenant>(operation, id, None).await;
        let found = found.map_err(|error| self.name_missing_tenant(error, id));
        let exists = match &found {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(_) => return found.map(Some),
        };
        self.backend.upstreams.note_use(&self.scope, &self.connection, exists).await;
        found.map(Some)
    }

    /// Names the link's tenant in a `NOT_FOUND` of the manager.
    pub(super) fn name_missing_tenant(&self, error: Error, id: ObjectId) -> Error {
        if error.code() == ErrorCode::NotFound {
            client::no_such_tenant(&self.connection.installation_route(), id)
        } else {
            error
        }
    }

    /// The primary manager of the same installation, with the installation's own credential.
    pub fn primary(&self) -> Self {
        Self { credential: CredentialSource::Installation, ..self.clone() }
    }

    /// The same manager, whose reads may be answered from the cache. Never used to read what is
    /// about to be changed.
    pub fn cached(self) -> Self {
        Self { cache_ttl: self.backend.cache_ttl, ..self }
    }

    /// The key under which an operation shares reads: the route and the access.
    pub fn key(&self) -> RouteKey {
        let mut route = self.connection.installation_route();
        if let CredentialSource::TenantKey(access) = self.credential {
            route.identity = Identity::new(access.as_str());
        }
        route.key()
    }

    /// Reads one object.
    ///
    /// # Errors
    /// `NOT_FOUND`; as [`Manager::send`].
    pub async fn find<T: Resource>(
        &self,
        operation: &Operation,
        id: ObjectId,
        expand: Option<&Expand>,
    ) -> Result<T> {
        let response = self.get::<T>(operation, id, expand).await?;
        let seed = ObjectSeed::<T>::with(expand.and_then(Expand::projection));
        self.requested(&response, id, response.read_with(seed), T::id)
    }

    /// Requests one object.
    ///
    /// # Errors
    /// As [`Manager::find`].
    pub async fn get<T: Resource>(
        &self,
        operation: &Operation,
        id: ObjectId,
        expand: Option<&Expand>,
    ) -> Result<ApiResponse> {
        let mut request =
            ApiRequest::get(path_of::<T>(id)).cached_for(T::cache_ttl(&self.cache_ttl));
        if let Some(expand) = expand {
            request = request.with("expand", expand.options());
        }
        let response = self.send(operation, &request).await;
        response.map_err(|error| self.name_missing::<T>(error))
    }

    /// Projects the object of that id by a plan of the type `T`, from the response to its request,
    /// into at most `largest` bytes of text.
    ///
    /// # Errors
    /// `UPSTREAM_MALFORMED`.
    pub fn project<T: Resource>(
        &self,
        response: &ApiResponse,
        id: ObjectId,
        plan: &Plan,
        largest: usize,
    ) -> Result<Arc<ProjectedObject>> {
        let place = self.ids().scope_of(T::NODE_KIND);
        let projected = response.project_object(plan, place, largest);
        self.requested(response, id, projected, |object| object.id)
    }

    /// Checks that a response contains the object that was requested.
    fn requested<O>(
        &self,
        response: &ApiResponse,
        id: ObjectId,
        read: Result<O>,
        id_of: impl FnOnce(&O) -> i64,
    ) -> Result<O> {
        let found = read.and_then(|found| {
            if id_of(&found) == id.0 {
                Ok(found)
            } else {
                let cause = "the response contains another object than requested".to_owned();
                Err(client::malformed(&response.route, cause))
            }
        });
        self.note_malformed(&response.route, found)
    }

    /// Drops the tenant's cached responses if this one was malformed, so that it is not served
    /// again.
    pub(super) fn note_malformed<T>(&self, route: &UpstreamRoute, read: Result<T>) -> Result<T> {
        if read.is_err() {
            self.backend.outbound.note_malformed(route);
        }
        read
    }

    /// Names the kind of object in a `NOT_FOUND` of the manager.
    pub fn name_missing<T: Resource>(&self, error: Error) -> Error {
        let status = error.upstream().and_then(|upstream| upstream.status);
        if status == Some(404) && error.code() == ErrorCode::NotFound {
            let route = self.connection.installation_route();
            client::with_upstream(Error::not_found(T::KIND), &route, status)
        } else {
            error
        }
    }

    /// Sends a request and deserializes the response.
    ///
    /// # Errors
    /// As [`Manager::send`].
    pub async fn read<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        request: &ApiRequest,
    ) -> Result<T> {
        let response = self.send(operation, request).await?;
        self.note_malformed(&response.route, response.read())
    }

    /// Sends a request. If the manager refuses the tenant's key, the key is replaced and the
    /// request sent once more, also a write: a refused request was not carried out.
    ///
    /// # Errors
    /// `UPSTREAM_UNAUTHORIZED` if the gateway's credential is refused, `UPSTREAM_REJECTED` if the
    /// key is valid and its role lacks the right; as [`client::send`].
    pub async fn send(&self, operation: &Operation, request: &ApiRequest) -> Result<ApiResponse> {
        let access = match self.credential {
            CredentialSource::Installation => return self.send_as_owner(operation, request).await,
            CredentialSource::TenantKey(access) => access,
        };
        let key = self.backend.keys.key(&self.connection, access, operation).await?;
        let route = key.route(&self.connection);
        let status = match self.attempt(operation, &route, &key.auth(), request).await {
            Ok(response) => return Ok(response),
            Err(CallError::Other(error)) => return Err(error),
            Err(CallError::Credential(status)) => status,
        };
        if status == 403 && self.is_valid(operation, &route, &key.auth()).await? {
            return Err(client::lacks_right(&route, status));
        }
        let key = self.backend.keys.replace(&self.connection, &key, operation).await?;
        let route = key.route(&self.connection);
        let response = self.attempt(operation, &route, &key.auth(), request).await;
        response.map_err(|error| error.into_error(&route))
    }

    /// Whether the manager still accepts a key. No source says which of 401 and 403 means what: if
    /// the key can read itself, the manager refused its role and not the key.
    async fn is_valid(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        auth: &AuthHeaders,
    ) -> Result<bool> {
        match self.attempt(operation, route, auth, &ApiRequest::current_key()).await {
            Ok(_) => Ok(true),
            Err(CallError::Credential(_)) => Ok(false),
            Err(CallError::Other(error)) => Err(error),
        }
    }

    async fn send_as_owner(
        &self,
        operation: &Operation,
        request: &ApiRequest,
    ) -> Result<ApiResponse> {
        let route = self.connection.installation_route();
        let auth = AuthHeaders::installation(&self.connection.credential)?;
        let response = self.attempt(operation, &route, &auth, request).await;
        response.map_err(|error| error.into_error(&route))
    }

    async fn attempt(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        auth: &AuthHeaders,
        request: &ApiRequest,
    ) -> Result<ApiResponse, CallError> {
        client::send(&self.backend.outbound, operation, route, auth, request).await
    }
}

/// The path of an object.
pub fn path_of<T: Resource>(id: ObjectId) -> [PathSegment; 2] {
    [T::COLLECTION.into(), id.into()]
}
