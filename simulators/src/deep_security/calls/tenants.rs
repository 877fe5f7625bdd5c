//! `/tenants`, for the primary tenant only (reference, section 7).

use std::sync::Arc;

use serde_json::{Value, json};

use super::api_keys::{check_name as check_key_name, with_secret};
use super::{Context, id, many, one};
use crate::answer::Answer;
use crate::deep_security::builtin_roles::FULL_ACCESS;
use crate::deep_security::manager::Administrator;
use crate::deep_security::object::{Object, object, reference, text};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::schemas::{API_KEY, TENANT};
use crate::deep_security::view::query_flag;

const TENANT_KEY_MILLIS: i64 = 6 * 60 * 60 * 1000;

pub(super) fn handle(context: &mut Context, method: &str, path: &[&str]) -> Outcome {
    if context.caller.tenant != context.manager.primary() {
        return Err(Refusal::forbidden("Only the primary tenant manages tenants."));
    }
    match (method, path) {
        ("GET", []) => many(&TENANT, listed(context)?),
        ("POST", []) => create(context),
        ("POST", ["search"]) => many(&TENANT, context.search(&TENANT, listed(context)?.iter())?),
        ("GET", [tenant]) => {
            context.caller.require("multiTenantRights/canViewTenants")?;
            one(find(context, id(tenant)?)?)
        }
        ("POST", [tenant]) => modify(context, id(tenant)?),
        ("DELETE", [tenant]) => delete(context, id(tenant)?),
        ("POST", [tenant, "apikeys"]) => create_key(context, id(tenant)?),
        _ => Err(Refusal::not_found()),
    }
}

fn listed(context: &Context) -> Result<Vec<Arc<Object>>, Refusal> {
    context.caller.require("multiTenantRights/canViewTenants")?;
    let shown = |id: &i32| {
        context.manager.dialect.tenants_include_primary || *id != context.manager.primary()
    };
    let tenants = context.manager.tenants.iter().filter(|(id, _)| shown(id));
    Ok(tenants.map(|(_, tenant)| Arc::new(tenant.object.clone())).collect())
}

fn find<'a>(context: &'a Context, id: i32) -> Result<&'a Object, Refusal> {
    context.manager.tenants.get(&id).map(|tenant| &tenant.object).ok_or_else(Refusal::not_found)
}

fn create(context: &mut Context) -> Outcome {
    context.caller.require("multiTenantRights/canCreateTenants")?;
    let confirmation =
        query_flag(context.request, "confirmationRequired", true, &context.manager.dialect)?;
    let asynchronous =
        query_flag(context.request, "asynchronous", false, &context.manager.dialect)?;
    query_flag(context.request, "bypassTenantCache", false, &context.manager.dialect)?;
    let state = if confirmation { "confirmation-required" } else { "active" };
    let tenant = context.written(&TENANT, &fresh(if asynchronous { "created" } else { state }))?;
    check_name(context, &tenant, None)?;
    let administrator = administrator(&context.body()?)?;
    context.manager.last_tenant += 1;
    let id = context.manager.last_tenant;
    context.manager.new_tenant(id, tenant);
    let moment = context.manager.clock.now() + context.manager.dialect.tenant_creation_millis;
    let created = context.manager.tenants.get_mut(&id).expect("it was just created");
    created.administrators.extend(administrator);
    created.becomes = asynchronous.then_some((moment, state));
    one(&created.object)
}

fn fresh(state: &str) -> Object {
    object(json!({
        "description": "",
        "locale": "en-US",
        "timeZone": "UTC",
        "demoMode": false,
        "hideUnlicensedModules": false,
        "modulesVisible": ["all"],
        "databaseServerID": 1,
        "tenantState": state,
    }))
}

/// The new tenant's first administrator, who can open sessions.
fn administrator(body: &Object) -> Result<Option<Administrator>, Refusal> {
    let Some(administrator) = body.get("administrator") else { return Ok(None) };
    let member = |name: &str| administrator.get(name).and_then(Value::as_str).map(str::to_owned);
    let (user_name, password) = member("username")
        .zip(member("password"))
        .ok_or_else(|| Refusal::bad("The administrator needs a username and a password."))?;
    Ok(Some(Administrator { user_name, password, mfa_code: None, role: FULL_ACCESS }))
}

fn check_name(context: &Context, tenant: &Object, id: Option<i32>) -> Result<(), Refusal> {
    let name = text(tenant, "name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::bad("name is required."))?;
    let mut others = context.manager.tenants.iter().filter(|(other, _)| Some(**other) != id);
    if context.manager.dialect.unique_names
        && others.any(|(_, other)| text(&other.object, "name") == Some(name))
    {
        return Err(Refusal::bad(format!("{name} exists already.")));
    }
    Ok(())
}

fn modify(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("multiTenantRights/canEditTenantGeneralProperties")?;
    let tenant = context.written(&TENANT, find(context, id)?)?;
    check_name(context, &tenant, Some(id))?;
    if id == context.manager.primary() && text(&tenant, "tenantState") != Some("active") {
        return Err(Refusal::bad("The primary tenant stays active."));
    }
    let changed = context.manager.tenants.get_mut(&id).expect("it was just found");
    changed.object = tenant;
    changed.becomes = None;
    one(&changed.object)
}

fn delete(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("multiTenantRights/canDeleteTenants")?;
    if id == context.manager.primary() {
        return Err(Refusal::bad("The primary tenant cannot be deleted."));
    }
    let manager = &mut *context.manager;
    let Some(tenant) = manager.tenants.get_mut(&id) else { return context.nothing_to_delete() };
    if manager.dialect.tenants_vanish {
        manager.tenants.remove(&id);
        manager.secrets.retain(|_, key| key.tenant != id);
        manager.sessions.retain(|_, session| session.tenant != id);
    } else {
        tenant.object.insert("tenantState".to_owned(), "pending-deletion".into());
        tenant.becomes = None;
    }
    Ok(Answer::empty(200))
}

/// Creates a key in another tenant: by default with full access for 6 hours.
fn create_key(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("multiTenantRights/canManageTenantAPIKeys")?;
    find(context, id)?;
    context.manager.check_active(id)?;
    let now = context.manager.clock.now();
    let defaults = json!({
        "description": "",
        "locale": "en-US",
        "timeZone": "UTC",
        "active": true,
        "serviceAccount": true,
        "roleID": FULL_ACCESS,
        "expiryDate": now + TENANT_KEY_MILLIS,
    });
    let key = context.written(&API_KEY, &object(defaults))?;
    check_key_name(&key)?;
    let role =
        reference(&key, "roleID").and_then(|role| context.manager.tenants[&id].roles.get(role));
    role.ok_or_else(|| Refusal::bad("roleID is not a role of the tenant."))?;
    let (key, secret) = context.manager.new_key(id, key, now);
    with_secret(context, id, key, secret)
}
