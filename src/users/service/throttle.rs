//! Slows failed sign-ins down, on all nodes together.
//!
//! Failures are counted for each pair of address and network, for each address, for each network
//! and for each wider one around it; each attempt counts as failed until it succeeds, so that
//! concurrent attempts are counted. The address is counted as it was typed, whether anybody has it
//! or not. From a network where the person signed in lately only the count of the pair holds:
//! somebody else's guesses do not keep them out. Users of several tenants may share an address:
//! then a sign-in as one of them takes back no guess at another, and makes no network known.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};

use super::Limits;
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::UserId;
use crate::secret::SecretHash;
use crate::source_networks::SourceNetwork;
use crate::users::entity::failure::{Column, Entity, Model};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How long a network counts as one where the person signed in.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// The most networks of an address that count as known, those used last.
const KNOWN_MAX: u64 = 10;

/// The most rows of the table after a sweep, the newest: about a hundred megabytes.
const ROWS_MAX: u64 = 1_000_000;

/// How many failures are free under a key, and how long the next attempts wait at most: the wait
/// doubles with each failure.
#[derive(Clone, Copy)]
struct Allowance {
    free: i64,
    wait_max: Duration,
    forgotten_after: Duration,
}

/// Guesses at one address from many networks. The longest wait is one that a person bears.
const PER_EMAIL: Allowance =
    Allowance { free: 50, wait_max: Duration::from_secs(30), forgotten_after: HOUR };

/// Guesses at a code of six digits by somebody who knows the password: a hundred a day at most.
const PER_CODE: Allowance =
    Allowance { free: 5, wait_max: Duration::from_mins(15), forgotten_after: DAY };

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

/// The keys of one sign-in.
pub struct SignInKeys {
    pair: Vec<u8>,
    email: Vec<u8>,
    /// The networks around the address, each with its weight.
    networks: Vec<(Vec<u8>, u32)>,
    known: Vec<u8>,
    /// Whether users of several tenants have the address.
    is_shared: bool,
}

impl SignInKeys {
    /// The keys of an attempt with this address from there.
    pub fn new(email_folded: &str, from: IpAddr, is_shared: bool) -> Self {
        let network = SourceNetwork::of(from);
        let pair = format!("{network} {email_folded}");
        let networks = SourceNetwork::around(from).into_iter();
        Self {
            known: key("known", &pair),
            pair: key("pair", &pair),
            email: key("email", email_folded),
            networks: networks
                .map(|network| (key("network", &network.to_string()), network.weight()))
                .collect(),
            is_shared,
        }
    }

    fn is_network(&self, id: &[u8]) -> bool {
        self.networks.iter().any(|(network, _)| network == id)
    }
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
            let known = !keys.is_shared && self.is_known(&write, keys).await?;
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

    /// Takes back what [`Throttle::admit`] counted for an attempt that succeeded, `of_network` as
    /// it said, and the failures of before where nobody else has the address. More would let an own
    /// account take back guesses at others.
    pub async fn succeeded(&self, keys: &SignInKeys, of_network: bool) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let mut own = Vec::new();
            if of_network {
                own.extend(keys.networks.iter().map(|(id, _)| id.clone()));
            }
            if keys.is_shared {
                own.push(keys.pair.clone());
                own.extend(of_network.then(|| keys.email.clone()));
            } else {
                let ended = [keys.pair.clone(), keys.email.clone()];
                Entity::delete_many().filter(Column::Id.is_in(ended)).exec(write.on()).await?;
            }
            self.take_back(&write, &own).await?;
            if !keys.is_shared {
                self.remember(&write, keys).await?;
            }
            Ok(())
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

    /// Makes the network known for the address, in place of the one that was used longest ago.
    async fn remember(&self, write: &Write<'_>, keys: &SignInKeys) -> Result<()> {
        let now = self.clock.now();
        let known = Model {
            id: keys.known.clone(),
            identity: Some(keys.email.clone()),
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
        let surplus = Entity::known_to(&keys.email)
            .offset(KNOWN_MAX)
            .limit(KNOWN_MAX)
            .all(write.on())
            .await?;
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
        let rows = Entity::locked(std::slice::from_ref(&keys.known)).all(write.on()).await?;
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

    /// The counts: missing ones are created, expired ones start again.
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
            let forgotten = now.since(row.last_at) >= allowance.forgotten_after;
            let failures = if forgotten { 0 } else { row.failures };
            Some((Model { failures, ..row }, *allowance))
        });
        Ok(rows.collect())
    }

    async fn count(&self, write: &Write<'_>, rows: Vec<(Model, Allowance)>) -> Result<()> {
        let now = self.clock.now();
        for (row, allowance) in rows {
            let failures = row.failures.saturating_add(1);
            let mut row = row.into_active_model();
            row.failures = Set(failures);
            row.blocked_until = Set(now.plus(allowance.wait(failures)));
            row.last_at = Set(now);
            row.kept_until = Set(Some(now.plus(allowance.forgotten_after)));
            row.update(write.on()).await?;
        }
        Ok(())
    }

    /// Deletes what is forgotten, and the oldest rows beyond a million: whoever has many networks
    /// must not fill the disk.
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

impl Allowance {
    /// The same for so many times the failures.
    fn times(self, weight: u32) -> Self {
        Self { free: self.free.saturating_mul(weight.into()), ..self }
    }

    /// The wait after so many failures.
    fn wait(self, failures: i64) -> Duration {
        let beyond = failures - self.free;
        if beyond < 0 {
            return Duration::ZERO;
        }
        let doubled = u32::try_from(beyond).ok().and_then(|beyond| 1_u64.checked_shl(beyond));
        doubled.map_or(self.wait_max, Duration::from_secs).min(self.wait_max)
    }
}

fn key(kind: &str, text: &str) -> Vec<u8> {
    SecretHash::of(format!("{kind} {text}").as_bytes()).as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_doubles_up_to_its_end_and_never_becomes_a_lock() {
        let waits: Vec<u64> =
            [1, 4, 5, 6, 7, 14, 15, 70, i64::MAX].map(|n| PER_CODE.wait(n).as_secs()).into();
        assert_eq!(waits, [0, 0, 1, 2, 4, 512, 900, 900, 900]);
    }
}
