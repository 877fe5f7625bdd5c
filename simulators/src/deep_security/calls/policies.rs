//! `/policies` (reference, section 7).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Context, id, settings};
use crate::answer::{Answer, json};
use crate::deep_security::inheritance::Inheritance;
use crate::deep_security::object::{Object, flag, object, reference};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::schemas::POLICY;
use crate::deep_security::serialize::policy as serialized;
use crate::deep_security::view::query_flag;

pub(super) fn handle(context: &mut Context, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => many(context, seen(context).cloned().collect()),
        ("POST", []) => create(context),
        ("POST", ["search"]) => many(context, context.search(&POLICY, seen(context))?),
        ("GET", ["default"]) => one(context, &context.tenant().policy_defaults),
        ("POST", ["default"]) => modify_defaults(context),
        (_, ["default", "settings", name]) => default_setting(context, method, name),
        ("GET", [policy]) => one(context, find(context, id(policy)?)?),
        ("POST", [policy]) => modify(context, id(policy)?),
        ("DELETE", [policy]) => delete(context, id(policy)?),
        (_, [policy, "settings", name]) => setting(context, method, id(policy)?, name),
        _ => Err(Refusal::not_found()),
    }
}

/// The policies that the caller's role applies to.
fn seen<'a>(context: &'a Context) -> impl Iterator<Item = &'a Arc<Object>> {
    context.tenant().policies.all().filter(|policy| reaches(context, policy))
}

fn reaches(context: &Context, policy: &Object) -> bool {
    let listed = || {
        context
            .caller
            .role
            .get("policyIDs")
            .and_then(Value::as_array)
            .is_some_and(|ids| ids.contains(&policy["ID"]))
    };
    flag(&context.caller.role, "allPolicies") || listed()
}

fn find<'a>(context: &'a Context, id: i32) -> Result<&'a Arc<Object>, Refusal> {
    let policy = super::find(&context.tenant().policies, id)?;
    reaches(context, policy)
        .then_some(policy)
        .ok_or_else(|| Refusal::forbidden("Not among the role's policies."))
}

fn inheritance(context: &Context) -> Inheritance {
    Inheritance::new(context.tenant().policies.clone(), &context.tenant().policy_defaults)
}

fn overrides(context: &Context) -> Result<bool, Refusal> {
    query_flag(context.request, "overrides", false, &context.manager.dialect)
}

fn one(context: &Context, policy: &Object) -> Outcome {
    super::one(&serialized(policy, &mut inheritance(context), overrides(context)?))
}

fn many(context: &Context, policies: Vec<Arc<Object>>) -> Outcome {
    let mut inheritance = inheritance(context);
    let overrides = overrides(context)?;
    let items = policies
        .into_iter()
        .map(move |policy| json(&serialized(&policy, &mut inheritance, overrides)));
    Ok(Answer::list(POLICY.member, items))
}

fn create(context: &mut Context) -> Outcome {
    context.caller.require("policyRights/canCreateNewPolicies")?;
    overrides(context)?;
    let fresh = json!({ "description": "" });
    let policy = written(context, &object(fresh), None)?;
    let id = context.tenant_mut().policies.add(policy);
    one(context, super::find(&context.tenant().policies, id)?)
}

fn written(context: &Context, before: &Object, id: Option<i32>) -> Result<Object, Refusal> {
    let policy = context.written(&POLICY, before)?;
    let policies = &context.tenant().policies;
    context.check_name(&POLICY, policies, id, &policy)?;
    let mut above = reference(&policy, "parentID");
    while let Some(parent) = above {
        let found = policies.get(parent).filter(|_| Some(parent) != id);
        let found = found
            .ok_or_else(|| Refusal::bad("parentID is unknown or lies below the policy itself."))?;
        above = reference(found, "parentID");
    }
    Ok(policy)
}

fn modify(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("policyRights/canEditPolicyProperties")?;
    overrides(context)?;
    let policy = written(context, find(context, id)?, Some(id))?;
    context.tenant_mut().policies.put(id, policy.clone());
    one(context, &policy)
}

fn delete(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("policyRights/canDeletePolicies")?;
    let tenant = context.tenant();
    if tenant.policies.get(id).is_none() {
        return context.nothing_to_delete();
    }
    find(context, id)?;
    let assigned =
        tenant.computers.all().any(|computer| reference(computer, "policyID") == Some(id));
    let parent = tenant.policies.all().any(|policy| reference(policy, "parentID") == Some(id));
    if (assigned || parent) && context.manager.dialect.keeps_what_is_used {
        return Err(Refusal::bad("The policy is in use."));
    }
    context.tenant_mut().policies.remove(id);
    Ok(Answer::empty(200))
}

fn setting(context: &mut Context, method: &str, id: i32, name: &str) -> Outcome {
    may_set(context, method)?;
    let mut policy = Object::clone(find(context, id)?);
    let above = inheritance(context).below(reference(&policy, "parentID"));
    let answer = settings::handle(context, method, &mut policy, &above, name)?;
    context.tenant_mut().policies.put(id, policy);
    Ok(answer)
}

fn modify_defaults(context: &mut Context) -> Outcome {
    may_set(context, "POST")?;
    let mut body = context.body()?;
    // Unlike a policy, the defaults have neither a name nor a parent.
    body.retain(|member, _| !matches!(member.as_str(), "name" | "description" | "parentID"));
    let mut defaults = context.tenant().policy_defaults.clone();
    POLICY.write(&mut defaults, &body, context.manager.dialect.strict_bodies)?;
    context.tenant_mut().policy_defaults = defaults.clone();
    one(context, &defaults)
}

fn default_setting(context: &mut Context, method: &str, name: &str) -> Outcome {
    may_set(context, method)?;
    let mut defaults = context.tenant().policy_defaults.clone();
    let above = Inheritance::new(Default::default(), &Object::default()).below(None);
    let answer = settings::handle(context, method, &mut defaults, &above, name)?;
    context.tenant_mut().policy_defaults = defaults;
    Ok(answer)
}

fn may_set(context: &Context, method: &str) -> Result<(), Refusal> {
    match method {
        "GET" => Ok(()),
        _ => context.caller.require("policyRights/canEditPolicyProperties"),
    }
}
