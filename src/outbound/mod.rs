//! The one way out: every call of a legacy system goes through [`Outbound::send`], which knows none of them by name.
//!
//! | file | what it holds |
//! |---|---|
//! | [`base_url`] | where an installation may stand (feature F21) |
//! | [`line`] | for whom a call goes where: the key of everything that is shared, counted or remembered |
//! | [`call`] | one call and its answer |
//! | [`failure`] | how a call can fail, and what that means for the caller |
//! | [`operation`] | what one operation of a caller may spend: calls, time, tenants at once |
//! | [`status`] | how a tenant's line to an installation is doing, as data |

pub mod base_url;
pub mod call;
pub mod failure;
pub mod line;
pub mod operation;
mod send;
pub mod status;

pub use base_url::{AddressPolicy, BaseUrl};
pub use call::{Answer, Call, Kind};
pub use failure::Failure;
pub use line::{Endpoint, Identity, Line};
pub use operation::{Allowance, Operation, Turn};
pub use send::{Outbound, Settings};
pub use status::{Circuit, Status};
