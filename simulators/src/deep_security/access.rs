//! Authentication by API keys and sessions (reference, section 3).

use std::sync::Arc;

use super::config::Product;
use super::manager::{KeyID, Manager, Session};
use super::object::{Object, flag, number, reference, text};
use super::rates::Subject;
use super::refusal::Refusal;
use super::rights;
use crate::request::Request;

const SESSION_IDLE_MILLIS: i64 = 30 * 60 * 1000;

/// The caller of one request.
pub(crate) struct Caller {
    pub tenant: i32,
    /// Absent in a session.
    pub key: Option<i32>,
    pub role: Arc<Object>,
}

impl Caller {
    /// 403 unless the caller's role has that right of `platformRights`, such as
    /// `apikeyRights/canViewApiKeys`.
    pub fn require(&self, right: &str) -> Result<(), Refusal> {
        let refusal = || {
            Refusal::forbidden(format!(
                "The role {} lacks {right}.",
                text(&self.role, "name").unwrap_or("")
            ))
        };
        rights::has(&self.role, right).then_some(()).ok_or_else(refusal)
    }

    fn subject(&self) -> Subject {
        match self.key {
            Some(key) => Subject::Key { tenant: self.tenant, key },
            None => Subject::Administrator { tenant: self.tenant },
        }
    }
}

impl Manager {
    /// The secret key of a request, if this product accepts it there.
    pub fn secret_of<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let cloud_one = || request.header("authorization")?.strip_prefix("ApiKey ");
        let accepted = self.product == Product::CloudOne;
        request.header("api-secret-key").or_else(|| cloud_one().filter(|_| accepted))
    }

    /// Authenticates the caller, checks the tenant's state and applies the rate limits.
    pub fn admit(&mut self, request: &Request) -> Result<Caller, Refusal> {
        let caller = match (self.secret_of(request), request.cookie("sID")) {
            (Some(secret), _) => self.by_key(secret)?,
            (None, Some(id)) => self.by_session(id, request.header("rID"))?,
            (None, None) => return Err(self.refused("No credentials were given.")),
        };
        self.check_active(caller.tenant)?;
        if !flag(&caller.role, "allowWebService") {
            return Err(Refusal::forbidden("The role may not use the web service."));
        }
        let now = self.clock.now();
        if !self.rates.admit(caller.subject(), caller.tenant, now) {
            return Err(Refusal::new(429, "Too many API requests"));
        }
        Ok(caller)
    }

    pub fn refused(&self, message: &str) -> Refusal {
        Refusal::new(self.dialect.refused_credential, message)
    }

    /// Refuses a tenant that is not active.
    pub fn check_active(&self, tenant: i32) -> Result<(), Refusal> {
        match text(&self.tenants[&tenant].object, "tenantState") {
            Some("active") => Ok(()),
            state => {
                let message =
                    format!("The tenant is not active but {}.", state.unwrap_or("undefined"));
                Err(Refusal::new(self.dialect.inactive_tenant, message))
            }
        }
    }

    fn by_key(&mut self, secret: &str) -> Result<Caller, Refusal> {
        let wrong = self.refused("The API key is wrong, expired or locked.");
        let Some(&KeyID { tenant, key: id }) = self.secrets.get(secret) else { return Err(wrong) };
        let now = self.clock.now();
        let home = self.tenants.get_mut(&tenant).expect("secrets go with their tenant");
        let Some(key) = home.api_keys.get(id).filter(|key| usable(key, now)) else {
            return Err(wrong);
        };
        let role = reference(key, "roleID").and_then(|role| home.roles.get(role)).cloned();
        let mut key = Object::clone(key);
        key.insert("lastSignIn".to_owned(), now.into());
        home.api_keys.put(id, key);
        Ok(Caller { tenant, key: Some(id), role: role.ok_or(wrong)? })
    }

    fn by_session(&mut self, id: &str, rid: Option<&str>) -> Result<Caller, Refusal> {
        let now = self.clock.now();
        self.sessions.retain(|_, session| now - session.last_activity < SESSION_IDLE_MILLIS);
        let wrong = self.refused("There is no such session.");
        let Some(session) = self.sessions.get_mut(id) else { return Err(wrong) };
        if rid != Some(&session.rid) {
            return Err(Refusal::new(
                self.dialect.wrong_rid,
                "The rID does not belong to the session.",
            ));
        }
        session.last_activity = now;
        let Session { tenant, role, .. } = *session;
        let role = self.tenants.get(&tenant).and_then(|tenant| tenant.roles.get(role)).cloned();
        Ok(Caller { tenant, key: None, role: role.ok_or(wrong)? })
    }
}

fn usable(key: &Object, now: i64) -> bool {
    let over = number(key, "expiryDate").is_some_and(|expiry| expiry <= now);
    let locked_out = number(key, "unlockTime").is_some_and(|end| end > now);
    flag(key, "active") && !over && !locked_out
}
