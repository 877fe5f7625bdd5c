//! The API keys that the gateway mints for the tenants of an installation through its primary
//! manager.
//!
//! Each module imports only from those below it in this table.
//!
//! | module | contents |
//! |---|---|
//! | [`service`] | returns a tenant's key: cached, stored, or minted by one node while others wait |
//! | `cleanup` | deletes keys that are no longer used, and stray keys |
//! | `remover` | a temporary key that deletes stray keys where no other key can |
//! | `mint` | mints a key under a claim that one node holds |
//! | `verify` | requests a key of the manager, and checks its tenant, role and rights before it is used |
//! | `remnants` | whether a failed mint may have left a key at the manager |
//! | `rewrap` | seals stored keys with a new master key |
//! | `lease` | keeps a node's claim while it mints the key |
//! | `tenant_state` | requires that a tenant is active before a key is minted for it |
//! | `state` | the dependencies, the cached keys and the backoff of this node |
//! | `entity` | the table: pending, live, spent and stray keys |
//! | [`key`], `settings` | a key of this process; how keys are minted |

mod cleanup;
mod entity;
pub mod key;
mod lease;
mod mint;
mod remnants;
mod remover;
mod rewrap;
pub mod service;
mod settings;
mod state;
mod tenant_state;
mod verify;

pub use entity::{KeyFigures, figures};
pub use key::TenantKey;
pub use rewrap::rewrap;
pub use settings::KeySettings;
pub use state::{Dependencies, Keys};
