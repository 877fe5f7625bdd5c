//! The initial state of a server.

use serde::Serialize;

use super::config::TenantSeed;
use super::installation::Installation;
use super::objects::{Machine, Period, Tenant, TenantKind, VirtualServer};

const DAY: i64 = 24 * 60 * 60 * 1000;
const WEEK: i64 = 7 * DAY;

/// A tenant that was there at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededTenant {
    /// In lower case.
    pub id: String,
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: TenantKind,
}

/// Puts tenants into a server, in their order.
pub(crate) fn plant_all(
    installation: &mut Installation,
    seeds: &[TenantSeed],
) -> Vec<SeededTenant> {
    let seeded = seeds.iter().map(|seed| SeededTenant {
        id: plant(installation, seed),
        name: seed.name.clone(),
        kind: seed.kind,
    });
    seeded.collect()
}

/// Puts a tenant into a server; returns its identifier.
pub(crate) fn plant(installation: &mut Installation, seed: &TenantSeed) -> String {
    let created = installation.clock.now() - WEEK;
    let server =
        (seed.kind == TenantKind::Complete).then(|| virtual_server(installation, &seed.name));
    let tenant = Tenant {
        id: installation.random.uuid(),
        created,
        updated: created,
        name: seed.name.clone(),
        description: seed.description.clone(),
        user_data: seed.user_data.clone(),
        address: None,
        server,
        active: seed.active,
        kind: seed.kind,
        machines: (1..=seed.machines)
            .map(|number| machine(installation, number, created))
            .collect(),
        finished: true,
    };
    let id = tenant.id.clone();
    installation.tenants.push(tenant);
    id
}

fn virtual_server(installation: &mut Installation, name: &str) -> VirtualServer {
    let administrator = format!("{}-admin", name.to_lowercase().replace(' ', "-"));
    let center = &mut installation.security_center;
    center.folders.insert(name.to_owned());
    center.administrators.insert(administrator.clone());
    VirtualServer { id: center.new_server(), administrator }
}

/// Protected for a week, but not on its third day.
fn machine(installation: &mut Installation, number: usize, created: i64) -> Machine {
    let first = Period { from: created, to: Some(created + 2 * DAY) };
    let second = Period { from: created + 3 * DAY, to: None };
    Machine {
        id: installation.random.uuid(),
        bios_id: installation.random.uuid(),
        created,
        updated: created,
        name: Some(format!("web-{number:02}")),
        user_data: number.is_multiple_of(2).then(|| format!("rack={number}")),
        periods: vec![first, second],
    }
}
