//! `/roles` (reference, section 7).

use serde_json::json;

use super::{Context, find, id, many, one};
use crate::answer::Answer;
use crate::deep_security::object::{Object, flag, object, reference};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::rights;
use crate::deep_security::schemas::ROLE;

pub(super) fn handle(context: &mut Context, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            context.caller.require("administratorRoleRights/canViewAdministratorRoles")?;
            many(&ROLE, context.tenant().roles.all().cloned().collect())
        }
        ("POST", []) => create(context),
        ("POST", ["search"]) => {
            context.caller.require("administratorRoleRights/canViewAdministratorRoles")?;
            many(&ROLE, context.search(&ROLE, context.tenant().roles.all())?)
        }
        ("GET", [role]) => {
            context.caller.require("administratorRoleRights/canViewAdministratorRoles")?;
            one(find(&context.tenant().roles, id(role)?)?)
        }
        ("POST", [role]) => modify(context, id(role)?),
        ("DELETE", [role]) => delete(context, id(role)?),
        _ => Err(Refusal::not_found()),
    }
}

/// By default a new role applies to all computers and policies and has no rights.
fn create(context: &mut Context) -> Outcome {
    context.caller.require("administratorRoleRights/canCreateNewAdministratorRoles")?;
    let defaults = object(json!({
        "description": "",
        "immutable": false,
        "canOnlyManipulateUsersWithEqualOrLesserRights": false,
        "allComputers": true,
        "allPolicies": true,
        "allowUserInterface": true,
        "allowWebService": true,
        "rights": rights::tree(|_| false),
    }));
    let mut role = written(context, &defaults, None)?;
    let name = role["name"].as_str().unwrap_or_default();
    role.insert("urn".to_owned(), format!("urn:tmds:identity:us-east-ds-1::role/{name}").into());
    let id = context.tenant_mut().roles.add(role);
    one(find(&context.tenant().roles, id)?)
}

fn written(context: &Context, before: &Object, id: Option<i32>) -> Result<Object, Refusal> {
    let mut role = context.written(&ROLE, before)?;
    let tree = rights::written(&before["rights"], &role["rights"])?;
    if !rights::covers(&context.caller.role["rights"], &tree) {
        return Err(Refusal::forbidden("The role would have more rights than the caller."));
    }
    role.insert("rights".to_owned(), tree);
    context.check_name(&ROLE, &context.tenant().roles, id, &role)?;
    Ok(role)
}

fn modify(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("administratorRoleRights/canEditAdministratorRoleProperties")?;
    let before = find(&context.tenant().roles, id)?;
    check_mutable(context, before)?;
    let role = written(context, before, Some(id))?;
    context.tenant_mut().roles.put(id, role.clone());
    one(&role)
}

fn delete(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("administratorRoleRights/canDeleteAdministratorRoles")?;
    let Some(role) = context.tenant().roles.get(id) else { return context.nothing_to_delete() };
    check_mutable(context, role)?;
    let used = context.tenant().api_keys.all().any(|key| reference(key, "roleID") == Some(id));
    if used && context.manager.dialect.keeps_what_is_used {
        return Err(Refusal::bad("The role is in use."));
    }
    context.tenant_mut().roles.remove(id);
    Ok(Answer::empty(200))
}

fn check_mutable(context: &Context, role: &Object) -> Result<(), Refusal> {
    let refusal = || Refusal::new(context.manager.dialect.immutable_role, "The role is immutable.");
    (!flag(role, "immutable")).then_some(()).ok_or_else(refusal)
}
