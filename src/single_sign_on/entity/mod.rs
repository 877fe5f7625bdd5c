//! The tables of single sign-on and the finders of their rows.
//!
//! | module | contents |
//! |---|---|
//! | `provider` | the identity provider of a tenant |
//! | `domain` | the domains whose e-mail addresses a provider may vouch for |
//! | `identity` | links of users to accounts at a provider |
//! | `request` | sign-ins that were sent to a provider |
//! | `person` | users, as single sign-on looks for them |

pub mod domain;
pub mod identity;
pub mod person;
pub mod provider;
pub mod request;
