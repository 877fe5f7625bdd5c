//! Room for undecided codes, shared out among networks: the one with most makes room for others, so
//! that nobody is shut out by those who ask for many.

use sea_orm::{ColumnTrait, ConnectionTrait, PaginatorTrait, QueryFilter, Select};

use crate::clock::Timestamp;
use crate::device_authorization::entity::{self, Column, Entity};
use crate::error::Result;
use crate::ids::{DeviceCodeId, TenantId};

/// Undecided codes over all nodes; each is a row of a few hundred bytes.
const OPEN_CODES_MAX: u64 = 20_000;

/// Undecided codes that name one tenant, a tenth of all.
const OPEN_CODES_PER_TENANT: u64 = 2_000;

/// Room for one more code.
enum Room {
    /// There is some.
    Free,
    /// There is some once this code is deleted.
    InPlaceOf(DeviceCodeId),
    /// There is none: no network has more codes than the one that asks.
    None,
}

/// Makes room for one more code of a network. Returns whether there is some.
pub(super) async fn make_room(
    on: &impl ConnectionTrait,
    network: &str,
    tenant: Option<TenantId>,
    now: Timestamp,
) -> Result<bool> {
    // The tenant first: a code that it gives up makes room for all.
    let of_tenant = tenant.map(|tenant| (Entity::naming(tenant, now), OPEN_CODES_PER_TENANT));
    let of_all = (Entity::open(now), OPEN_CODES_MAX);
    for (codes, most) in of_tenant.into_iter().chain([of_all]) {
        match room(on, codes, most, network).await? {
            Room::Free => {}
            Room::InPlaceOf(id) => entity::delete_undecided(on, id).await?,
            Room::None => return Ok(false),
        }
    }
    Ok(true)
}

async fn room(
    on: &impl ConnectionTrait,
    codes: Select<Entity>,
    most: u64,
    network: &str,
) -> Result<Room> {
    if codes.clone().count(on).await? < most {
        return Ok(Room::Free);
    }
    let of = |network: &str| codes.clone().filter(Column::Network.eq(network));
    let own = of(network).count(on).await?;
    let Some((greediest, count)) = entity::greediest(on, codes.clone()).await? else {
        return Ok(Room::Free);
    };
    if u64::try_from(count).unwrap_or(0) <= own {
        return Ok(Room::None);
    }
    let oldest = entity::oldest(on, of(&greediest)).await?;
    Ok(oldest.map_or(Room::Free, Room::InPlaceOf))
}
