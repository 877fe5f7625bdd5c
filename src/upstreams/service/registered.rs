//! The installations of all tenants, as the operator of the machine sees them.

use sea_orm::{QueryOrder, QuerySelect};

use crate::database::Database;
use crate::error::Result;
use crate::upstreams::entity::upstream::{Column, Entity};
use crate::upstreams::model::Upstream;

/// The installations of all tenants by name, `at_most` of them. For the command line only: no
/// caller may learn of the installations of others.
///
/// # Errors
/// If the database cannot be asked.
pub async fn registered(database: &Database, at_most: u64) -> Result<Vec<Upstream>> {
    let all = Entity::of_all_tenants().order_by_asc(Column::Name).order_by_asc(Column::Id);
    Ok(all.limit(at_most).all(database.reader()).await?)
}
