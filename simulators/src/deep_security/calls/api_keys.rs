//! `/apikeys` (reference, section 7).

use serde_json::{Value, json};

use super::{Context, find, id, many, one};
use crate::answer::Answer;
use crate::deep_security::config::Product;
use crate::deep_security::manager::KeyID;
use crate::deep_security::object::{Object, object, reference, text};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::rights;
use crate::deep_security::schemas::API_KEY;

/// The members of a key that the key itself may change.
const OWN_MEMBERS: [&str; 4] = ["keyName", "description", "locale", "timeZone"];

pub(super) fn handle(context: &mut Context, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            context.caller.require("apikeyRights/canViewApiKeys")?;
            many(&API_KEY, context.tenant().api_keys.all().cloned().collect())
        }
        ("POST", []) => create(context),
        ("POST", ["search"]) => {
            context.caller.require("apikeyRights/canViewApiKeys")?;
            many(&API_KEY, context.search(&API_KEY, context.tenant().api_keys.all())?)
        }
        ("GET", ["current"]) => current(context, own(context)?),
        ("POST", ["current"]) => modify_current(context),
        ("POST", ["current", "secretkey"]) => renew(context, own(context)?),
        ("GET", [key]) => {
            context.caller.require("apikeyRights/canViewApiKeys")?;
            one(find(&context.tenant().api_keys, id(key)?)?)
        }
        ("POST", [key]) => modify(context, id(key)?),
        ("POST", [key, "secretkey"]) => {
            context.caller.require("apikeyRights/canEditApiKeyProperties")?;
            renew(context, id(key)?)
        }
        ("DELETE", [key]) => delete(context, id(key)?),
        _ => Err(Refusal::not_found()),
    }
}

fn create(context: &mut Context) -> Outcome {
    context.caller.require("apikeyRights/canCreateNewApiKeys")?;
    let defaults = json!({
        "description": "",
        "locale": "en-US",
        "timeZone": "UTC",
        "active": true,
        "serviceAccount": false,
    });
    let key = context.written(&API_KEY, &object(defaults))?;
    check(context, &key)?;
    let now = context.manager.clock.now();
    let (id, secret) = context.manager.new_key(context.caller.tenant, key, now);
    with_secret(context, context.caller.tenant, id, secret)
}

/// A key needs a name, and a role of its tenant whose rights the caller has.
fn check(context: &Context, key: &Object) -> Result<(), Refusal> {
    check_name(key)?;
    let role = reference(key, "roleID").and_then(|role| context.tenant().roles.get(role));
    let role = role.ok_or_else(|| Refusal::bad("roleID is missing or unknown."))?;
    if !rights::covers(&context.caller.role["rights"], &role["rights"]) {
        return Err(Refusal::forbidden("The role grants more than the caller has."));
    }
    Ok(())
}

fn own(context: &Context) -> Result<i32, Refusal> {
    context.caller.key.ok_or_else(|| Refusal::forbidden("A session has no current API key."))
}

fn current(context: &Context, id: i32) -> Outcome {
    let tenant = context.tenant();
    let mut key = Object::clone(find(&tenant.api_keys, id)?);
    let mut add = |name: &str, value: Value| key.insert(name.to_owned(), value);
    add("roleURN", context.caller.role.get("urn").cloned().unwrap_or_default());
    add("tenantID", context.caller.tenant.into());
    add("tenantGUID", tenant.guid.clone().into());
    if context.manager.product == Product::CloudOne {
        add("cloudOneAccountID", format!("{:012}", context.caller.tenant).into());
    }
    one(&key)
}

fn modify_current(context: &mut Context) -> Outcome {
    let id = own(context)?;
    let mut body = context.body()?;
    body.retain(|name, _| OWN_MEMBERS.contains(&name.as_str()));
    let mut key = Object::clone(find(&context.tenant().api_keys, id)?);
    API_KEY.write(&mut key, &body, false)?;
    check_name(&key)?;
    context.tenant_mut().api_keys.put(id, key);
    current(context, id)
}

pub(super) fn check_name(key: &Object) -> Result<(), Refusal> {
    let named = text(key, "keyName").is_some_and(|name| !name.is_empty());
    named.then_some(()).ok_or_else(|| Refusal::bad("keyName is required."))
}

fn modify(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("apikeyRights/canEditApiKeyProperties")?;
    let key = context.written(&API_KEY, find(&context.tenant().api_keys, id)?)?;
    check(context, &key)?;
    context.tenant_mut().api_keys.put(id, key.clone());
    one(&key)
}

fn renew(context: &mut Context, id: i32) -> Outcome {
    find(&context.tenant().api_keys, id)?;
    let tenant = context.caller.tenant;
    let secret = context.manager.new_secret(KeyID { tenant, key: id });
    with_secret(context, tenant, id, secret)
}

/// The answer with a secret, after a creation or a rotation only.
pub(super) fn with_secret(context: &Context, tenant: i32, id: i32, secret: String) -> Outcome {
    let mut key = Object::clone(find(&context.manager.tenants[&tenant].api_keys, id)?);
    key.insert("secretKey".to_owned(), secret.into());
    one(&key)
}

fn delete(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("apikeyRights/canDeleteApiKeys")?;
    if context.tenant_mut().api_keys.remove(id).is_none() {
        return context.nothing_to_delete();
    }
    let tenant = context.caller.tenant;
    context.manager.forget_secrets(KeyID { tenant, key: id });
    Ok(Answer::empty(200))
}
