//! How a simulator starts, and what is in it then.

use std::net::{Ipv4Addr, SocketAddr};

use super::dialect::Dialect;
use crate::clock::Clock;

/// Which product is shown (reference, section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Product {
    /// Deep Security Manager: `api-secret-key`, and `/tenants` for the primary.
    #[default]
    OnPremises,
    /// Workload Security with a Cloud One account: `Authorization: ApiKey` as well, no `/tenants`.
    CloudOne,
}

/// Calls allowed in 60 seconds; `None` is no limit (reference, section 4).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For each API key or session.
    pub key: Option<usize>,
    /// For all keys of a tenant together, the primary's included.
    pub tenant: Option<usize>,
    /// For the whole manager node.
    pub node: Option<usize>,
}

impl Limits {
    /// For tests and benchmarks that have other things to show.
    pub const NONE: Self = Self { key: None, tenant: None, node: None };
}

impl Default for Limits {
    /// The vendor's default: 500 for each key; those of tenants and nodes are not known.
    fn default() -> Self {
        Self { key: Some(500), ..Self::NONE }
    }
}

/// A tenant that is there at the start. Its objects have the same ids as those of every other
/// tenant, and names of its own.
#[derive(Clone, Debug)]
pub struct TenantSeed {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) computers: usize,
    pub(crate) policies: usize,
    pub(crate) rules: usize,
    pub(crate) user_name: String,
    pub(crate) password: String,
    pub(crate) mfa_code: Option<String>,
}

impl TenantSeed {
    /// An active tenant with 3 policies and no computers. Its administrator `MasterAdmin` has the
    /// password `<name> password`.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: "active".to_owned(),
            computers: 0,
            policies: 3,
            rules: 12,
            user_name: "MasterAdmin".to_owned(),
            password: format!("{name} password"),
            mfa_code: None,
        }
    }

    /// The tenant's `tenantState`, such as `suspended`.
    #[must_use]
    pub fn state(self, state: &str) -> Self {
        Self { state: state.to_owned(), ..self }
    }

    /// So many computers, with the ids from 1. With `expand=all` each is about 20 kB.
    #[must_use]
    pub fn computers(self, computers: usize) -> Self {
        Self { computers, ..self }
    }

    /// So many policies, with the ids from 1: the first is the parent of all others, and the
    /// computers take turns at them.
    #[must_use]
    pub fn policies(self, policies: usize) -> Self {
        Self { policies, ..self }
    }

    /// So many intrusion prevention rules in each policy: 3,000 make a computer 20 kB heavier
    /// wherever that module is shown.
    #[must_use]
    pub fn rules(self, rules: usize) -> Self {
        Self { rules, ..self }
    }

    /// The administrator that may open sessions.
    #[must_use]
    pub fn administrator(self, user_name: &str, password: &str) -> Self {
        Self { user_name: user_name.to_owned(), password: password.to_owned(), ..self }
    }

    /// The code that sessions have to bring as well.
    #[must_use]
    pub fn mfa_code(self, code: &str) -> Self {
        Self { mfa_code: Some(code.to_owned()), ..self }
    }
}

/// How a simulator starts.
#[derive(Clone)]
pub struct Config {
    /// Where it listens: any free port of 127.0.0.1, unless told otherwise.
    pub listen: SocketAddr,
    /// Decides every GUID and secret.
    pub seed: u64,
    /// The clock that expiry and rate limits go by.
    pub clock: Clock,
    pub dialect: Dialect,
    pub product: Product,
    pub limits: Limits,
    /// Whether `/_control` answers.
    pub control: bool,
    /// The primary tenant.
    pub primary: TenantSeed,
    /// Its customers.
    pub tenants: Vec<TenantSeed>,
}

impl Default for Config {
    /// A manager without customers.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            clock: Clock::system(),
            dialect: Dialect::default(),
            product: Product::default(),
            limits: Limits::default(),
            control: false,
            primary: TenantSeed::named("Primary"),
            tenants: Vec::new(),
        }
    }
}

impl Config {
    /// One customer more.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantSeed) -> Self {
        self.tenants.push(tenant);
        self
    }

    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    #[must_use]
    pub fn product(self, product: Product) -> Self {
        Self { product, ..self }
    }

    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}
