//! The state of a manager: its tenants, their keys, the sessions.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::builtin_roles;
use super::config::{Config, Product};
use super::dialect::Dialect;
use super::object::{Collection, Object};
use super::rates::Rates;
use crate::clock::Clock;
use crate::random::Random;

/// A tenant with its own objects; each tenant numbers its ids from 1 (reference, section 2).
pub(crate) struct Tenant {
    pub object: Object,
    pub guid: String,
    pub api_keys: Collection,
    pub roles: Collection,
    pub computers: Collection,
    pub policies: Collection,
    /// The changes made through `/policies/default`.
    pub policy_defaults: Object,
    pub administrators: Vec<Administrator>,
    /// The pending change of state and its time, in milliseconds.
    pub becomes: Option<(i64, &'static str)>,
}

/// An administrator, who can open sessions.
pub(crate) struct Administrator {
    pub user_name: String,
    pub password: String,
    pub mfa_code: Option<String>,
    pub role: i32,
}

/// A session (reference, section 3).
pub(crate) struct Session {
    pub tenant: i32,
    pub role: i32,
    pub rid: String,
    pub last_activity: i64,
}

/// The key of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyID {
    pub tenant: i32,
    pub key: i32,
}

/// The whole state of a simulated manager.
pub(crate) struct Manager {
    pub dialect: Dialect,
    pub product: Product,
    pub clock: Clock,
    pub random: Random,
    pub rates: Rates,
    pub tenants: BTreeMap<i32, Tenant>,
    pub last_tenant: i32,
    pub secrets: HashMap<String, KeyID>,
    pub sessions: HashMap<String, Session>,
}

impl Manager {
    /// A manager without tenants.
    pub fn empty(config: &Config) -> Self {
        Self {
            dialect: config.dialect.clone(),
            product: config.product,
            clock: config.clock.clone(),
            random: Random::seeded(config.seed),
            rates: Rates::new(config.limits),
            tenants: BTreeMap::new(),
            last_tenant: config.dialect.primary_id,
            secrets: HashMap::new(),
            sessions: HashMap::new(),
        }
    }

    /// Switches the dialect; the primary tenant keeps its id.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = Dialect { primary_id: self.dialect.primary_id, ..dialect };
    }

    pub fn primary(&self) -> i32 {
        self.dialect.primary_id
    }

    /// Adds a tenant with the two built-in roles and without computers and policies.
    pub fn new_tenant(&mut self, id: i32, mut object: Object) {
        let guid = self.random.guid();
        object.insert("ID".to_owned(), id.into());
        object.insert("guid".to_owned(), guid.clone().into());
        let tenant = Tenant {
            object,
            guid,
            api_keys: Collection::default(),
            roles: builtin_roles::collection(),
            computers: Collection::default(),
            policies: Collection::default(),
            policy_defaults: Object::default(),
            administrators: Vec::new(),
            becomes: None,
        };
        self.tenants.insert(id, tenant);
    }

    /// Adds a key, created at `now`, to a tenant and returns its id and its secret.
    pub fn new_key(&mut self, tenant: i32, mut key: Object, now: i64) -> (i32, String) {
        key.insert("created".to_owned(), now.into());
        key.insert("unsuccessfulSignInAttempts".to_owned(), json!(0));
        key.entry("active").or_insert(json!(true));
        let id = self.tenants.get_mut(&tenant).expect("the tenant exists").api_keys.add(key);
        (id, self.new_secret(KeyID { tenant, key: id }))
    }

    /// Generates a new secret of a key.
    pub fn new_secret(&mut self, id: KeyID) -> String {
        if self.dialect.one_secret_a_key {
            self.forget_secrets(id);
        }
        let guid = &self.tenants[&id.tenant].guid;
        let secret = if self.dialect.long_tenant_secrets && id.tenant != self.primary() {
            format!("{guid}:{}:{}", self.random.guid(), self.random.base64())
        } else {
            format!("{}:{}", id.key, self.random.base64())
        };
        self.secrets.insert(secret.clone(), id);
        secret
    }

    pub fn forget_secrets(&mut self, id: KeyID) {
        self.secrets.retain(|_, key| *key != id);
    }
}
