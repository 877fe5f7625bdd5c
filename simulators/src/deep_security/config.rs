//! The configuration and the initial content of a simulator.

use std::net::{Ipv4Addr, SocketAddr};

use super::dialect::Dialect;
use crate::clock::Clock;

/// The simulated product (reference, section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Product {
    /// Deep Security Manager: `api-secret-key`, and `/tenants` for the primary.
    #[default]
    OnPremises,
    /// Workload Security with a Cloud One account: `Authorization: ApiKey` as well, no `/tenants`.
    CloudOne,
}

/// The calls allowed in 60 seconds; `None` for no limit (reference, section 4).
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
    /// No limits, for tests and benchmarks of other things.
    pub const NONE: Self = Self { key: None, tenant: None, node: None };
}

impl Default for Limits {
    /// The vendor's default of 500 for each key; the defaults for tenants and nodes are unknown.
    fn default() -> Self {
        Self { key: Some(500), ..Self::NONE }
    }
}

/// A tenant that exists at the start. Its objects have the same ids as those of every other tenant,
/// but different names.
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

    /// The number of computers, with ids from 1. With `expand=all` each has about 20 kB.
    #[must_use]
    pub fn computers(self, computers: usize) -> Self {
        Self { computers, ..self }
    }

    /// The number of policies, with ids from 1. The first is the parent of all others; computers are
    /// assigned to them in turn.
    #[must_use]
    pub fn policies(self, policies: usize) -> Self {
        Self { policies, ..self }
    }

    /// The number of intrusion prevention rules in each policy; 3,000 add 20 kB to each computer that
    /// is expanded by that module.
    #[must_use]
    pub fn rules(self, rules: usize) -> Self {
        Self { rules, ..self }
    }

    /// The administrator, who can open sessions.
    #[must_use]
    pub fn administrator(self, user_name: &str, password: &str) -> Self {
        Self { user_name: user_name.to_owned(), password: password.to_owned(), ..self }
    }

    /// The code of a second factor that sessions require.
    #[must_use]
    pub fn mfa_code(self, code: &str) -> Self {
        Self { mfa_code: Some(code.to_owned()), ..self }
    }
}

/// The configuration of a simulator.
#[derive(Clone)]
pub struct Config {
    /// The listener; by default a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// Determines every GUID and secret.
    pub seed: u64,
    /// The clock of expiry and rate limits.
    pub clock: Clock,
    /// The readings of open questions.
    pub dialect: Dialect,
    /// The product that the manager reports to be.
    pub product: Product,
    /// The limits of rates and sizes.
    pub limits: Limits,
    /// Whether `/_control` is enabled.
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
    /// Adds a customer.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantSeed) -> Self {
        self.tenants.push(tenant);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the dialect.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Sets the product.
    #[must_use]
    pub fn product(self, product: Product) -> Self {
        Self { product, ..self }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}
