//! `/sessions`, with which a client creates its first key (reference, section 3).

use serde::Serialize;

use super::read_body;
use crate::answer::Answer;
use crate::deep_security::manager::{Manager, Session, Tenant};
use crate::deep_security::object::{Object, text};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::request::Request;

#[derive(Serialize)]
struct Opened<'a> {
    #[serde(rename = "administratorID")]
    administrator_id: usize,
    created: i64,
    #[serde(rename = "lastActivity")]
    last_activity: i64,
    #[serde(rename = "accessType")]
    access_type: &'a str,
    #[serde(rename = "RID")]
    rid: &'a str,
}

pub(super) fn create(manager: &mut Manager, request: &Request) -> Outcome {
    if request.method != "POST" {
        return Err(Refusal::not_found());
    }
    let body = read_body(manager, request)?;
    let (tenant, administrator_id, role) = sign_in(manager, &body)
        .ok_or_else(|| manager.refused("The user name, the password or the code is wrong."))?;
    manager.check_active(tenant)?;
    let now = manager.clock.now();
    let id = manager.random.hex();
    let rid = manager.random.hex();
    let opened = Opened {
        administrator_id,
        created: now,
        last_activity: now,
        access_type: "webService",
        rid: &rid,
    };
    let mut answer = Answer::value(200, &opened);
    answer.headers.push(("set-cookie", format!("sID={id}; Path=/; Secure; HttpOnly")));
    manager.sessions.insert(id, Session { tenant, role, rid, last_activity: now });
    Ok(answer)
}

/// The tenant, the administrator's number in it, and the role.
fn sign_in(manager: &Manager, body: &Object) -> Option<(i32, usize, i32)> {
    let named = |tenant: &&Tenant| text(&tenant.object, "name") == text(body, "tenantName");
    let tenant = match text(body, "tenantName") {
        None | Some("") => manager.primary(),
        Some(_) => *manager.tenants.iter().find(|(_, tenant)| named(tenant))?.0,
    };
    let mut administrators = (1..).zip(&manager.tenants[&tenant].administrators);
    let (number, administrator) = administrators.find(|(_, administrator)| {
        text(body, "userName") == Some(&administrator.user_name)
            && text(body, "password") == Some(&administrator.password)
            && (administrator.mfa_code.is_none()
                || text(body, "mfaCode") == administrator.mfa_code.as_deref())
    })?;
    Some((tenant, number, administrator.role))
}
