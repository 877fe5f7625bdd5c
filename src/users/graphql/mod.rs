//! Users in the graph. `TDRUser` follows the contract of the Taegis Python SDK
//! (`docs/reference/taegis-client-contract.md`, section 9).

mod inputs;
mod mutation;
mod objects;
mod query;
mod tdr_user;

pub use mutation::UserMutation;
pub use objects::User;
pub use query::{UserQuery, find};
pub use tdr_user::TdrUser;
