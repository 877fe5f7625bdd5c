//! Slows failed sign-ins down, on all nodes together.
//!
//! Failures are counted for each pair of address and network, for each address, for each network
//! and for each wider one around it; each attempt counts as failed until it succeeds, so that
//! concurrent attempts are counted. The address is counted as it was typed, whether anybody has it
//! or not. From a network where a user with the address signed in lately only the count of the pair
//! holds: somebody else's guesses do not keep them out. Users of several tenants may share an
//! address, which nobody may find out: a sign-in takes back its own attempt alone, whoever else has
//! the address. Counts fade: each free failure returns after its share of the time.
//!
//! | module | contents |
//! |---|---|
//! | `allowance` | how many failures are free, how the wait grows, how counts fade |
//! | `keys` | the keys under which a sign-in is counted |

mod allowance;
mod keys;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};

use self::allowance::{Allowance, DAY, HOUR, PER_CODE, PER_EMAIL};
pub use self::keys::SignInKeys;
use self::keys::{key, known};
use super::Limits;
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::UserId;
use crate::source_networks::SourceNetwork;
use crate::users::entity::failure::{Column, Entity, Model};

/// How long a network counts as one where the person signed in.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// The most networks of an address that count as known, those used last.
const KNOWN_MAX: u64 = 10;

/// The most rows of the table after a sweep, the newest: about a hundred megabytes.
const ROWS_MAX: u64 = 1_000_000;

/// Whether an attempt is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The attempt is admitted; `of_network` if it was counted under the network too.
    Admitted { of_network: bool },
    /// The attempt has to wait; `by_network` if the network alone is the reason.
    Blocked { retry_after: Duration, by_network: bool },
}

/// Counts failures in the database.
pub struct Throttle {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    per_pair: Allowance,
    per_network: Allowance,
}

impl Throttle {
    pub fn new(database: Arc<Database>, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let allowance = |free: u32| Allowance {
            free: free.into(),
            wait_max: Duration::from_mins(1),
            forgotten_after: HOUR,
        };
        Self {
            database,
            clock,
            per_pair: allowance(limits.failures_per_user),
            per_network: allowance(limits.failures_per_address),
        }
    }

    /// Counts an attempt with a password.
    pub async fn admit(&self, keys: &SignInKeys) -> Result<Admission> {
        let work = async |write: Arc<Write<'_>>| {
            let known = self.is_known(&write, keys).await?;
            let mut counted = vec![(&keys.pair, self.per_pair)];
            if !known {
                counted.push((&keys.email, PER_EMAIL));
                let networks = keys.networks.iter();
                counted.extend(networks.map(|(id, weight)| (id, self.per_network.times(*weight))));
            }
            self.admit_under(&write, &counted, Some(keys)).await
        };
        self.database.transaction(work).await
    }

    /// Takes back what [`Throttle::admit`] counted for an attempt of the user that succeeded, and
    /// makes the network known; `of_network` as it said. More would let an own account take back
    /// guesses at others.
    pub async fn succeeded(
        &self,
        keys: &SignInKeys,
        of_network: bool,
        user: UserId,
        from: IpAddr,
    ) -> Result<()> {
        let mut own = vec![keys.pair.clone()];
        if of_network {
            own.push(keys.email.clone());
            own.extend(keys.networks.iter().map(|(id, _)| id.clone()));
        }
        let work = async |write: Arc<Write<'_>>| {
            self.take_back(&write, &own).await?;
            self.remember(&write, user, from).await
        };
        self.database.transaction(work).await
    }

    async fn take_back(&self, write: &Write<'_>, counted: &[Vec<u8>]) -> Result<()> {
        for row in Entity::locked(counted).all(write.on()).await? {
            let failures = (row.failures - 1).max(0);
            let mut row = row.into_active_model();
            row.failures = Set(failures);
            row.blocked_until = Set(self.clock.now());
            row.update(write.on()).await?;
        }
        Ok(())
    }

    /// Makes the network known for the user, in place of the one that was used longest ago.
    async fn remember(&self, write: &Write<'_>, user: UserId, from: IpAddr) -> Result<()> {
        let now = self.clock.now();
        let identity = key("user", &user.to_string());
        let known = Model {
            id: known(SourceNetwork::of(from), user),
            identity: Some(identity.clone()),
            failures: 0,
            blocked_until: now,
            last_at: now,
            kept_until: Some(now.plus(KNOWN_FOR)),
        };
        let again = OnConflict::column(Column::Id)
            .update_columns([Column::LastAt, Column::Identity, Column::KeptUntil])
            .to_owned();
        let insert = Entity::insert(known.into_active_model()).on_conflict(again);
        insert.exec_without_returning(write.on()).await?;
        let surplus =
            Entity::known_to(&identity).offset(KNOWN_MAX).limit(KNOWN_MAX).all(write.on()).await?;
        let surplus = surplus.into_iter().map(|row| row.id);
        Entity::delete_many().filter(Column::Id.is_in(surplus)).exec(write.on()).await?;
        Ok(())
    }

    /// Counts an attempt with a code of a user.
    pub async fn admit_code(&self, user: UserId) -> Result<Admission> {
        let code = key("code", &user.to_string());
        let work = async |write: Arc<Write<'_>>| {
            self.admit_under(&write, &[(&code, PER_CODE)], None).await
        };
        self.database.transaction(work).await
    }

    /// Takes back what [`Throttle::admit_code`] counted, in the transaction that used the code.
    pub async fn code_succeeded(&self, write: &Write<'_>, user: UserId) -> Result<()> {
        let code = key("code", &user.to_string());
        Entity::delete_many().filter(Column::Id.eq(code)).exec(write.on()).await?;
        Ok(())
    }

    async fn is_known(&self, write: &Write<'_>, keys: &SignInKeys) -> Result<bool> {
        // Not locked: a sign-in writes it after the counts that are locked here.
        let rows = Entity::under(&keys.known).all(write.on()).await?;
        Ok(rows.iter().any(|row| self.clock.now().since(row.last_at) < KNOWN_FOR))
    }

    /// Counts an attempt under each key, unless it has to wait under one of them: then nothing is
    /// written, so that refused attempts do not fill the table.
    async fn admit_under(
        &self,
        write: &Write<'_>,
        keys: &[(&Vec<u8>, Allowance)],
        sign_in: Option<&SignInKeys>,
    ) -> Result<Admission> {
        let is_network = |id: &[u8]| sign_in.is_some_and(|keys| keys.is_network(id));
        let now = self.clock.now();
        let ids: Vec<Vec<u8>> = keys.iter().map(|(id, _)| (*id).clone()).collect();
        let rows = Entity::locked(&ids).all(write.on()).await?;
        let waits: Vec<_> = rows.iter().filter(|row| now < row.blocked_until).collect();
        if let Some(end) = waits.iter().map(|row| row.blocked_until).max() {
            let by_network = waits.iter().all(|row| is_network(&row.id));
            return Ok(Admission::Blocked { retry_after: end.since(now), by_network });
        }
        let rows = self.locked(write, keys).await?;
        self.count(write, rows).await?;
        let of_network = keys.iter().any(|(id, _)| is_network(id));
        Ok(Admission::Admitted { of_network })
    }

    /// The counts, faded by now; missing ones are created.
    async fn locked(
        &self,
        write: &Write<'_>,
        keys: &[(&Vec<u8>, Allowance)],
    ) -> Result<Vec<(Model, Allowance)>> {
        let now = self.clock.now();
        let mut ids: Vec<Vec<u8>> = keys.iter().map(|(id, _)| (*id).clone()).collect();
        // In one order, so that no two transactions wait for each other.
        ids.sort_unstable();
        for id in &ids {
            let new = Model {
                id: id.clone(),
                identity: None,
                failures: 0,
                blocked_until: now,
                last_at: now,
                kept_until: Some(now),
            };
            let taken = OnConflict::column(Column::Id).do_nothing().to_owned();
            let insert = Entity::insert(new.into_active_model()).on_conflict(taken).try_insert();
            insert.exec_without_returning(write.on()).await?;
        }
        let rows = Entity::locked(&ids).all(write.on()).await?;
        let rows = rows.into_iter().filter_map(|row| {
            let (_, allowance) = keys.iter().find(|(id, _)| **id == row.id)?;
            Some((allowance.faded(row, now), *allowance))
        });
        Ok(rows.collect())
    }

    async fn count(&self, write: &Write<'_>, rows: Vec<(Model, Allowance)>) -> Result<()> {
        let now = self.clock.now();
        for (row, allowance) in rows {
            let failures = row.failures.saturating_add(1);
            let last_at = row.last_at;
            let mut row = row.into_active_model();
            row.failures = Set(failures);
            row.blocked_until = Set(now.plus(allowance.wait(failures)));
            row.last_at = Set(last_at);
            row.kept_until = Set(Some(now.plus(allowance.forgotten_after)));
            row.update(write.on()).await?;
        }
        Ok(())
    }

    /// Deletes expired rows, and the oldest beyond a million, so that an attacker with many networks
    /// cannot fill the disk.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        let now = self.clock.now();
        let old = |age: Duration| Column::LastAt.lt(Timestamp::minus(now, age));
        // Older versions write no end.
        let without_end = Condition::any()
            .add(Condition::all().add(Column::Failures.gt(0)).add(old(DAY)))
            .add(old(KNOWN_FOR));
        let forgotten = Condition::any()
            .add(Column::KeptUntil.lte(now))
            .add(Condition::all().add(Column::KeptUntil.is_null()).add(without_end));
        Entity::delete_many().filter(forgotten).exec(write.on()).await?;
        let surplus = Entity::newest_first().offset(ROWS_MAX).limit(1).one(write.on()).await?;
        if let Some(surplus) = surplus {
            let older = Entity::delete_many().filter(Column::LastAt.lte(surplus.last_at));
            older.exec(write.on()).await?;
        }
        Ok(())
    }
}
