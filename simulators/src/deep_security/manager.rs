//! The state of a manager: its tenants, their keys, the sessions.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::config::{Config, Product};
use super::dialect::Dialect;
use super::object::{Collection, Object};
use super::rates::Rates;
use super::{calls, seeding};
use crate::answer::Answer;
use crate::clock::Clock;
use crate::corrupt::BodyFormat;
use crate::host::Console;
use crate::random::Random;
use crate::request::Request;

/// One tenant with a world of its own: ids are counted in each (reference, section 2).
pub(crate) struct Tenant {
    pub object: Object,
    pub guid: String,
    pub api_keys: Collection,
    pub roles: Collection,
    pub computers: Collection,
    pub policies: Collection,
    /// What `/policies/default` changed.
    pub policy_defaults: Object,
    pub administrators: Vec<Administrator>,
    /// The state that it takes by itself at that moment.
    pub becomes: Option<(i64, &'static str)>,
}

/// Somebody who may open sessions.
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

/// Which key a secret belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyID {
    pub tenant: i32,
    pub key: i32,
}

/// The whole state.
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
    /// A manager with the tenants of `config`.
    pub fn new(config: &Config) -> Self {
        let mut manager = Self {
            dialect: config.dialect.clone(),
            product: config.product,
            clock: config.clock.clone(),
            random: Random::seeded(config.seed),
            rates: Rates::new(config.limits),
            tenants: BTreeMap::new(),
            last_tenant: config.dialect.primary_id,
            secrets: HashMap::new(),
            sessions: HashMap::new(),
        };
        seeding::fill(&mut manager, config);
        manager
    }

    /// Answers by other readings from now on; the primary tenant keeps its id.
    pub fn speak(&mut self, dialect: Dialect) {
        self.dialect = Dialect { primary_id: self.dialect.primary_id, ..dialect };
    }

    pub fn primary(&self) -> i32 {
        self.dialect.primary_id
    }

    /// Makes a tenant without computers and policies; it has the two built-in roles.
    pub fn new_tenant(&mut self, id: i32, mut object: Object) {
        let guid = self.random.guid();
        object.insert("ID".to_owned(), id.into());
        object.insert("guid".to_owned(), guid.clone().into());
        let tenant = Tenant {
            object,
            guid,
            api_keys: Collection::default(),
            roles: seeding::roles(),
            computers: Collection::default(),
            policies: Collection::default(),
            policy_defaults: Object::default(),
            administrators: Vec::new(),
            becomes: None,
        };
        self.tenants.insert(id, tenant);
    }

    /// Stores a key of that tenant and gives its id and its secret.
    pub fn new_key(&mut self, tenant: i32, mut key: Object) -> (i32, String) {
        key.insert("created".to_owned(), self.clock.now().into());
        key.insert("unsuccessfulSignInAttempts".to_owned(), json!(0));
        key.entry("active").or_insert(json!(true));
        let id = self
            .tenants
            .get_mut(&tenant)
            .expect("keys are made for tenants that exist")
            .api_keys
            .add(key);
        (id, self.new_secret(KeyID { tenant, key: id }))
    }

    /// Gives a key another secret.
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

    /// Changes that time alone brings.
    fn settle(&mut self) {
        let now = self.clock.now();
        for tenant in self.tenants.values_mut() {
            if let Some((_, state)) = tenant.becomes.take_if(|(moment, _)| *moment <= now) {
                tenant.object.insert("tenantState".to_owned(), state.into());
            }
        }
    }
}

impl Console for Manager {
    const BASE: &'static str = "/api";
    const FORMAT: BodyFormat = BodyFormat::Json;

    fn tenant(&self, request: &Request) -> Option<String> {
        let by_key = self
            .shown_secret(request)
            .and_then(|secret| self.secrets.get(secret))
            .map(|key| key.tenant);
        let by_session = || {
            request.cookie("sID").and_then(|id| self.sessions.get(id)).map(|session| session.tenant)
        };
        by_key.or_else(by_session).map(|tenant| tenant.to_string())
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.settle();
        let mut answer = calls::carry_out(self, request).unwrap_or_else(|refusal| refusal.answer());
        if answer.status == 429 {
            answer.headers.extend(
                self.dialect.retry_after.map(|seconds| ("retry-after", seconds.to_string())),
            );
        }
        answer.headers.push(("cache-control", "no-cache,no-store".to_owned()));
        answer.headers.push(("x-frame-options", "SAMEORIGIN".to_owned()));
        answer
    }
}
