//! Where a call goes, for whom and as whom, and how that route is doing.

mod address;
mod base_url;
mod status;
mod upstream_route;

pub use address::AddressPolicy;
pub use base_url::BaseUrl;
pub use status::{Circuit, Status};
pub use upstream_route::{Endpoint, Identity, RouteKey, UpstreamRoute};
