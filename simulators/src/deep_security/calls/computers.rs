//! `/computers` (reference, section 7).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Context, id, settings};
use crate::answer::{Answer, JSON};
use crate::deep_security::access::Caller;
use crate::deep_security::inheritance::Inheritance;
use crate::deep_security::object::{Object, flag, object, reference};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::schemas::COMPUTER;
use crate::deep_security::serialize::ComputerView;
use crate::deep_security::view::View;

pub(super) fn handle(context: &mut Context, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => many(context, seen(context).cloned().collect()),
        ("POST", []) => create(context),
        ("POST", ["search"]) => many(context, context.search(&COMPUTER, seen(context))?),
        ("GET", [computer]) => one(context, find(context, id(computer)?)?),
        ("POST", [computer]) => modify(context, id(computer)?),
        ("DELETE", [computer]) => delete(context, id(computer)?),
        (_, [computer, "settings", name]) => setting(context, method, id(computer)?, name),
        _ => Err(Refusal::not_found()),
    }
}

/// The computers that the caller's role applies to.
fn seen<'a>(context: &'a Context) -> impl Iterator<Item = &'a Arc<Object>> {
    context.tenant().computers.all().filter(|computer| reaches(&context.caller, computer))
}

fn reaches(caller: &Caller, computer: &Object) -> bool {
    let listed = |list: &str, member: &str| {
        let ids = caller.role.get(list).and_then(Value::as_array);
        ids.zip(computer.get(member)).is_some_and(|(ids, id)| ids.contains(id))
    };
    flag(&caller.role, "allComputers")
        || listed("computerIDs", "ID")
        || listed("computerGroupIDs", "groupID")
}

fn find<'a>(context: &'a Context, id: i32) -> Result<&'a Arc<Object>, Refusal> {
    let computer = super::find(&context.tenant().computers, id)?;
    reaches(&context.caller, computer)
        .then_some(computer)
        .ok_or_else(|| Refusal::forbidden("Not among the role's computers."))
}

fn view(context: &Context) -> Result<ComputerView, Refusal> {
    let tenant = context.tenant();
    let view = View::read(context.request, &context.manager.dialect)?;
    Ok(ComputerView::new(view, Inheritance::new(tenant.policies.clone(), &tenant.policy_defaults)))
}

fn one(context: &Context, computer: &Object) -> Outcome {
    Ok(Answer::raw(JSON, view(context)?.show(computer)))
}

fn many(context: &Context, computers: Vec<Arc<Object>>) -> Outcome {
    let mut view = view(context)?;
    Ok(Answer::list(
        COMPUTER.member,
        computers.into_iter().map(move |computer| view.show(&computer)),
    ))
}

fn create(context: &mut Context) -> Outcome {
    context.caller.require("computerRights/canCreateNewComputers")?;
    view(context)?;
    let mut fresh = object(json!({
        "displayName": "",
        "description": "",
        "lastIPUsed": "",
        "platform": "Unknown",
        "groupID": 0,
        "relayListID": 0,
        "agentVersion": "0.0.0.0",
    }));
    let guid = context.manager.random.guid();
    fresh.insert("hostGUID".to_owned(), guid.into());
    let computer = written(context, &fresh, None)?;
    let id = context.tenant_mut().computers.add(computer);
    one(context, super::find(&context.tenant().computers, id)?)
}

fn written(context: &Context, before: &Object, id: Option<i32>) -> Result<Object, Refusal> {
    let computer = context.written(&COMPUTER, before)?;
    context.check_name(&COMPUTER, &context.tenant().computers, id, &computer)?;
    match reference(&computer, "policyID") {
        Some(policy) if context.tenant().policies.get(policy).is_none() => {
            Err(Refusal::bad("policyID is unknown."))
        }
        _ => Ok(computer),
    }
}

fn modify(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("computerRights/canEditComputerProperties")?;
    view(context)?;
    let computer = written(context, find(context, id)?, Some(id))?;
    context.tenant_mut().computers.put(id, computer.clone());
    one(context, &computer)
}

fn delete(context: &mut Context, id: i32) -> Outcome {
    context.caller.require("computerRights/canDeleteComputers")?;
    if context.tenant().computers.get(id).is_none() {
        return context.nothing_to_delete();
    }
    find(context, id)?;
    context.tenant_mut().computers.remove(id);
    Ok(Answer::empty(200))
}

fn setting(context: &mut Context, method: &str, id: i32, name: &str) -> Outcome {
    if method != "GET" {
        context.caller.require("computerRights/canEditComputerProperties")?;
    }
    let mut computer = Object::clone(find(context, id)?);
    let tenant = context.tenant();
    let mut inheritance = Inheritance::new(tenant.policies.clone(), &tenant.policy_defaults);
    let above = inheritance.below(reference(&computer, "policyID"));
    let answer = settings::handle(context, method, &mut computer, &above, name)?;
    context.tenant_mut().computers.put(id, computer);
    Ok(answer)
}
