//! The keys that the gateway makes for the tenants of an installation through its primary manager
//! (feature F6).
//!
//! | file | what it holds |
//! |---|---|
//! | `entity` | the table: what was asked for, what is used, what is to be removed |
//! | [`key`] | a key in the hand of this process |
//! | [`service`] | finding a tenant's key: remembered, stored, or made by one node while the others wait |
//! | `mint` | making one |
//! | `verify` | proving whose it is and what its role may, before it is used |
//! | `remover` | a key for one moment, which removes others where no other key can |
//! | `cleanup` | removing those that are no longer used, and those of which nobody knows |

mod cleanup;
mod entity;
pub mod key;
mod mint;
mod remover;
pub mod service;
mod verify;

pub use key::TenantKey;
pub use service::{Dependencies, Keys, Settings, rewrap};
