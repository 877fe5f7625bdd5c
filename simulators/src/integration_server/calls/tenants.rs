//! `/tenants` (reference, section 3).

use super::parameter;
use crate::integration_server::installation::Installation;
use crate::integration_server::objects::Tenant;
use crate::integration_server::read;
use crate::integration_server::refusal::{Outcome, Refusal};
use crate::integration_server::task::TaskKind;
use crate::integration_server::work::Work;
use crate::request::Request;

pub(super) fn carry_out(
    installation: &mut Installation,
    request: &Request,
    method: &str,
    path: &[&str],
) -> Outcome {
    match (method, path) {
        ("GET", []) => installation
            .many(0, installation.visible().map(|tenant| installation.tenant_element(tenant))),
        ("GET", [id]) => {
            let tenant = installation.tenant(id).ok_or_else(Refusal::unknown_tenant)?;
            installation.one(&installation.tenant_element(tenant))
        }
        ("POST", []) => create(installation, &request.body),
        ("POST", [id, "activate"]) => activation(installation, id, true),
        ("POST", [id, "deactivate"]) => activation(installation, id, false),
        ("DELETE", [id]) => delete(installation, id, request),
        _ => Err(Refusal::not_found()),
    }
}

fn create(installation: &mut Installation, body: &[u8]) -> Outcome {
    let new = read::tenant(body, installation.dialect.default_kind)?;
    installation
        .passwords
        .extend(new.administrator.iter().map(|administrator| administrator.password.clone()));
    let now = installation.clock.now();
    let tenant = Box::new(Tenant {
        id: installation.random.uuid(),
        created: now,
        updated: now,
        name: new.name,
        description: new.description,
        user_data: new.user_data,
        address: new.address,
        server: None,
        active: false,
        kind: new.kind,
        machines: Vec::new(),
        finished: false,
    });
    start(
        installation,
        TaskKind::CreateTenant,
        Work::Create { tenant, administrator: new.administrator },
    )
}

/// An unknown tenant is found out by the task.
fn activation(installation: &mut Installation, id: &str, active: bool) -> Outcome {
    start(
        installation,
        TaskKind::ChangeTenantActivation,
        Work::Activation { tenant: id.to_owned(), active },
    )
}

/// An unknown tenant is found out by the task.
fn delete(installation: &mut Installation, id: &str, request: &Request) -> Outcome {
    let artifacts = match parameter(request, "removeTenantArtifacts").as_deref() {
        Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Refusal::new(400, "removeTenantArtifacts is true or false")),
        None => installation.dialect.removes_artifacts,
    };
    start(installation, TaskKind::DeleteTenant, Work::Delete { tenant: id.to_owned(), artifacts })
}

fn start(installation: &mut Installation, kind: TaskKind, work: Work) -> Outcome {
    let task = installation.start(kind.name(), work);
    installation.accepted(&task)
}
