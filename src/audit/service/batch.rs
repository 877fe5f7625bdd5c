//! Writes the records of a transaction as its last step, chained to those before them.
//!
//! The row of a tenant's chain is locked until the commit, so that over all nodes the records of a
//! tenant follow one another without a gap or a fork; transactions of other tenants do not wait.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::NotSet, EntityTrait, IntoActiveModel};

use crate::audit::canonical::hash_of;
use crate::audit::entity::chain::{self, Model as Chain};
use crate::audit::entity::{ActiveModel, Entity, Model, first_seq, last_position};
use crate::database::{LastStep, Transaction};
use crate::error::{Error, Result};
use crate::ids::TenantId;

/// Records in one statement: PostgreSQL and SQLite limit the number of its parameters.
const WRITTEN_AT_ONCE: usize = 100;

/// The most records of one transaction, which are held in memory until the commit.
const RECORDS_MAX: usize = 10_000;

/// The records of one transaction.
#[derive(Default)]
pub(super) struct Batch(Vec<Model>);

impl Batch {
    /// Adds records.
    ///
    /// # Errors
    /// If they are too many.
    pub fn add(&mut self, records: Vec<Model>) -> Result<()> {
        if self.0.len() + records.len() > RECORDS_MAX {
            return Err(Error::internal(format!(
                "a transaction would write more than {RECORDS_MAX} audit records"
            )));
        }
        self.0.extend(records);
        Ok(())
    }
}

impl LastStep for Batch {
    fn run(self: Box<Self>, on: &Transaction) -> BoxFuture<'_, Result<()>> {
        write(on, self.0).boxed()
    }
}

async fn write(on: &Transaction, mut records: Vec<Model>) -> Result<()> {
    let tenants: BTreeSet<TenantId> = records.iter().map(|record| record.tenant_id).collect();
    let mut chains = chain::lock(on, tenants).await?;
    let mut begun = Vec::new();
    for chain in chains.values_mut().filter(|chain| chain.position == 0) {
        // A chain whose row was lost, which no program does, goes on behind its records. The hash
        // before is missing, so that a verification finds the loss.
        chain.position = last_position(on, chain.tenant_id).await?.max(chain.anchor_position);
        begun.push(chain.tenant_id);
    }
    for record in &mut records {
        append(record, &mut chains)?;
    }
    insert(on, records).await?;
    for tenant in begun {
        if let Some(chain) = chains.get_mut(&tenant) {
            chain.first_seq = first_seq(on, tenant).await?;
        }
    }
    Ok(chain::store_heads(on, chains.into_values().collect()).await?)
}

/// Makes a record the newest of its chain.
fn append(record: &mut Model, chains: &mut BTreeMap<TenantId, Chain>) -> Result<()> {
    let chain = chains.get_mut(&record.tenant_id);
    let chain = chain.ok_or_else(|| Error::internal("the chain of an audit record is missing"))?;
    let position = chain.position.checked_add(1);
    let position =
        position.ok_or_else(|| Error::internal("an audit chain has no position left"))?;
    record.position = Some(position);
    record.previous_hash = Some(chain.hash.clone());
    let hash = hash_of(record);
    let hash = hash.ok_or_else(|| Error::internal("an audit record cannot be hashed"))?;
    record.hash = Some(hash.clone());
    chain.position = position;
    chain.hash = hash;
    Ok(())
}

async fn insert(on: &Transaction, mut records: Vec<Model>) -> Result<()> {
    while !records.is_empty() {
        let rest = records.split_off(records.len().min(WRITTEN_AT_ONCE));
        let rows = records
            .into_iter()
            .map(|record| ActiveModel { seq: NotSet, ..record.into_active_model() });
        Entity::insert_many(rows).exec_without_returning(on).await?;
        records = rest;
    }
    Ok(())
}
