//! `/tenants/{id}/vms` (reference, section 3).

use super::parameter;
use crate::integration_server::installation::Installation;
use crate::integration_server::objects::{Machine, Period};
use crate::integration_server::read;
use crate::integration_server::refusal::{Outcome, Refusal};
use crate::request::Request;

pub(super) fn list(installation: &Installation, tenant: &str) -> Outcome {
    let tenant = installation.tenant(tenant).ok_or_else(Refusal::unknown_tenant)?;
    installation.many(1, tenant.machines.iter().map(|machine| installation.machine(machine)))
}

pub(super) fn register(installation: &mut Installation, tenant: &str, body: &[u8]) -> Outcome {
    installation.tenant(tenant).ok_or_else(Refusal::unknown_tenant)?;
    let new = read::machine(body)?;
    let mut registered = installation.tenants.iter().flat_map(|tenant| &tenant.machines);
    if registered.any(|machine| machine.bios_id.eq_ignore_ascii_case(&new.bios_id)) {
        return Err(Refusal::coded(409, "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"));
    }
    let now = installation.clock.now();
    installation
        .stray_machines
        .retain(|machine| !machine.bios_id.eq_ignore_ascii_case(&new.bios_id));
    let machine = Machine {
        id: installation.random.uuid(),
        bios_id: new.bios_id,
        created: now,
        updated: now,
        name: new.name,
        user_data: new.user_data,
        periods: vec![Period { from: now, to: None }],
    };
    let element = installation.machine(&machine);
    installation.tenant_mut(tenant).ok_or_else(Refusal::unknown_tenant)?.machines.push(machine);
    installation.echo(200, &element)
}

/// The machine stays protected, of no tenant.
pub(super) fn unregister(
    installation: &mut Installation,
    tenant: &str,
    request: &Request,
) -> Outcome {
    let own = installation.tenant(tenant).ok_or_else(Refusal::unknown_tenant)?.id.clone();
    let meant: Box<dyn Fn(&Machine) -> bool> =
        match (parameter(request, "biosId"), parameter(request, "vmId")) {
            (Some(id), None) => Box::new(move |machine| machine.bios_id.eq_ignore_ascii_case(&id)),
            (None, Some(id)) => Box::new(move |machine| machine.id.eq_ignore_ascii_case(&id)),
            _ => return Err(Refusal::missing_parameter()),
        };
    let anywhere = installation.dialect.unregisters_anywhere;
    for tenant in installation.tenants.iter_mut().filter(|tenant| anywhere || tenant.id == own) {
        if let Some(place) = tenant.machines.iter().position(&meant) {
            let machine = tenant.machines.remove(place);
            let element = installation.machine(&machine);
            installation.stray_machines.push(machine);
            return installation.echo(200, &element);
        }
    }
    Err(Refusal::coded(404, "VIRMT_VmWithSpecifiedIdNotFound"))
}
