//! The HTTP client of the OpenID Connect library, on the gateway's own: a provider is called under
//! the same rules as a legacy system.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use openidconnect::http::header::CONTENT_TYPE;
use openidconnect::http::{HeaderName, Method, Response};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;
use url::Url;

use super::entity::provider;
use super::fault::ProviderFault;
use crate::auth::RequestId;
use crate::ids::UpstreamId;
use crate::outbound::{
    AddressPolicy, Allowance, BaseUrl, Call, Endpoint, Identity, Kind, Operation, Outbound,
    UpstreamRoute,
};

/// How providers are named in figures, log lines and errors, beside the kinds of legacy systems.
const SYSTEM: &str = "IDENTITY_PROVIDER";

/// The longest answer that is read, in bytes. Key sets of large providers have some ten thousand.
const ANSWER_MAX: usize = 256 * 1024;

/// The most calls of one sign-in: metadata, keys, both once more after a rotation of keys, token,
/// user information; retries count too.
const CALLS_MAX: u64 = 12;

/// How long the calls of one sign-in may take together: a person waits for them.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls one provider.
#[derive(Clone)]
pub(super) struct ProviderClient {
    outbound: Arc<Outbound>,
    policy: AddressPolicy,
    operation: Operation,
    provider: Arc<provider::Model>,
}

impl ProviderClient {
    /// The client for the calls of one sign-in, or of one test.
    pub(super) fn new(
        outbound: Arc<Outbound>,
        policy: AddressPolicy,
        provider: Arc<provider::Model>,
        request_id: &RequestId,
    ) -> Self {
        let allowance = Allowance {
            calls_per_tenant: CALLS_MAX,
            calls: CALLS_MAX,
            concurrent_tenants: 1,
            tenant_deadline: PATIENCE,
        };
        let deadline = Instant::now() + PATIENCE;
        let request_id = request_id.as_str().to_owned();
        let operation = Operation::new(request_id, None, allowance, deadline);
        Self { outbound, policy, operation, provider }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ProviderFault> {
        let (head, body) = request.into_parts();
        let (base_url, path) = self.place(&head.uri.to_string())?;
        let (method, kind) = match head.method {
            Method::GET => ("GET", Kind::Read),
            // It redeems a code, which works once.
            Method::POST => ("POST", Kind::Write),
            _ => return Err(ProviderFault::Endpoint("is called by an unknown method".to_owned())),
        };
        let headers = head.headers.iter().filter_map(|(name, value)| {
            Some((header_name(name)?, value.to_str().ok()?.to_owned()))
        });
        let call = Call {
            method,
            path,
            query: Vec::new(),
            headers: headers.collect(),
            body: (!body.is_empty()).then(|| body.into()),
            kind,
            answer_limit: ANSWER_MAX,
            cache_ttl: None,
        };
        let answer = self.outbound.send(&self.operation, &self.route(base_url), call).await?;
        let mut response = Response::builder().status(answer.status);
        if let Some(content_type) = &answer.content_type {
            response = response.header(CONTENT_TYPE, content_type);
        }
        let response = response.body(answer.body.to_vec());
        response.map_err(|_| ProviderFault::Malformed("a header cannot be read".to_owned()))
    }

    /// Takes the URL of an endpoint apart. Its provider chose it: the address is checked like that
    /// of an installation, and an issuer behind TLS has no endpoint without.
    fn place(&self, url: &str) -> Result<(BaseUrl, Vec<Cow<'static, str>>), ProviderFault> {
        let refused = |why: &str| ProviderFault::Endpoint(why.to_owned());
        let url = Url::parse(url).map_err(|_| refused("has no valid URL"))?;
        let scheme = self.provider.issuer.split(':').next();
        if scheme.is_none_or(|scheme| !scheme.eq_ignore_ascii_case(url.scheme())) {
            return Err(refused("has another scheme than the issuer"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("has a query or a fragment, which is not supported"));
        }
        let mut origin = url.clone();
        origin.set_path("");
        let base_url = BaseUrl::parse("issuer", origin.as_str(), self.policy)
            .map_err(|error| refused(error.message().trim_start_matches("issuer: ")))?;
        let segments = url.path_segments().into_iter().flatten();
        let decoded = segments.map(|segment| percent_decode_str(segment).decode_utf8());
        let path = decoded.map(|segment| segment.map(|text| Cow::Owned(text.into_owned())));
        let path = path.collect::<Result<_, _>>().map_err(|_| refused("has a path in no UTF-8"))?;
        Ok((base_url, path))
    }

    /// The route is the provider's own: its circuit, connections and rate are no other's.
    fn route(&self, base_url: BaseUrl) -> UpstreamRoute {
        let endpoint = Endpoint {
            upstream: UpstreamId(self.provider.id.0),
            owner: self.provider.tenant_id,
            system: SYSTEM,
            revision: self.provider.revision,
            base_url,
            ca_certificate: self.provider.ca_certificate.clone(),
        };
        UpstreamRoute {
            tenant: self.provider.tenant_id,
            // Reads are shared by route and path: another host is another identity.
            identity: Identity::new(endpoint.base_url.as_str()),
            endpoint: Arc::new(endpoint),
        }
    }
}

/// The headers that the library sends.
fn header_name(name: &HeaderName) -> Option<&'static str> {
    ["accept", "authorization", "content-type"].into_iter().find(|known| name == *known)
}

impl<'c> AsyncHttpClient<'c> for ProviderClient {
    type Error = ProviderFault;
    type Future = BoxFuture<'c, Result<HttpResponse, ProviderFault>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}
