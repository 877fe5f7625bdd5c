//! The route of a call: destination, tenant, credential, and the state of its limits.

mod address;
mod base_url;
mod status;
mod upstream_route;

pub use address::AddressPolicy;
pub use base_url::BaseUrl;
pub use status::{Circuit, Status};
pub use upstream_route::{Endpoint, Identity, RouteKey, UpstreamRoute};
