//! Slows failed sign-ins down, on all nodes together.
//!
//! Failures are counted for each pair of address and network, for each address, for each network
//! and for each wider one around it; each attempt counts as failed until it succeeds, so that
//! concurrent attempts are counted. The address is counted as it was typed, whether anybody has it
//! or not. From a network where a user with the address signed in lately only the count of the pair
//! holds: somebody else's guesses do not keep them out. Users of several tenants may share an
//! address, which nobody may find out: a sign-in takes back its own attempt alone, whoever else has
//! the address. Counts fade: each free failure returns after its share of the time.

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
    /// The network as one where a user with the address signed in, for each such user.
    known: Vec<Vec<u8>>,
}

impl SignInKeys {
    /// The keys of an attempt with this address, which these users have, from there.
    pub fn new(email_folded: &str, from: IpAddr, users: &[UserId]) -> Self {
        let network = SourceNetwork::of(from);
        let networks = SourceNetwork::around(from).into_iter();
        Self {
            known: users.iter().map(|user| known(network, *user)).collect(),
            pair: key("pair", &format!("{network} {email_folded}")),
            email: key("email", email_folded),
            networks: networks
                .map(|network| (key("network", &network.to_string()), network.weight()))
                .collect(),
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

impl Allowance {
    /// The same for so many times the failures.
    fn times(self, weight: u32) -> Self {
        Self { free: self.free.saturating_mul(weight.into()), ..self }
    }

    /// The count as it is now: each free failure returns after its share of the time, so that a
    /// network that many share does not fill up over months. The rest of a share stays in `last_at`.
    fn faded(self, row: Model, now: Timestamp) -> Model {
        let idle = now.since(row.last_at);
        let free = u32::try_from(self.free.max(1)).unwrap_or(u32::MAX);
        let share = (self.forgotten_after / free).max(Duration::from_millis(1));
        let returned = i64::try_from(idle.as_millis() / share.as_millis()).unwrap_or(i64::MAX);
        // Beyond, the wait grows no further: higher counts would only fade later.
        let most = self
            .free
            .saturating_add(i64::from(u64::BITS - self.wait_max.as_secs().leading_zeros()));
        let failures = row.failures.min(most).saturating_sub(returned);
        if failures <= 0 || idle >= self.forgotten_after {
            return Model { failures: 0, last_at: now, ..row };
        }
        let shares = u32::try_from(returned).unwrap_or(u32::MAX);
        Model { failures, last_at: row.last_at.plus(share * shares), ..row }
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

/// The key of a network where the user signed in.
fn known(network: SourceNetwork, user: UserId) -> Vec<u8> {
    key("known", &format!("{network} {user}"))
}

fn key(kind: &str, text: &str) -> Vec<u8> {
    SecretHash::of(format!("{kind} {text}").as_bytes()).as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_failures_return_one_by_one() {
        let allowance = PER_CODE;
        let at = |hours: u64| Timestamp::from_millis(0).plus(Duration::from_secs(hours * 3600));
        let row = |failures: i64| Model {
            id: Vec::new(),
            identity: None,
            failures,
            blocked_until: at(0),
            last_at: at(0),
            kept_until: None,
        };
        let faded = |failures: i64, hours: u64| allowance.faded(row(failures), at(hours)).failures;
        assert_eq!([faded(5, 0), faded(5, 4), faded(5, 5), faded(5, 15)], [5, 5, 4, 2]);
        assert_eq!(faded(1_000_000, 0), 15, "the wait grows no further");
        assert_eq!(faded(1_000_000, 24), 0);
        // Attempts in between do not keep the rest of a share from returning.
        let early = allowance.faded(row(5), at(4));
        assert_eq!(allowance.faded(early, at(5)).failures, 4);
    }

    #[test]
    fn wait_doubles_up_to_its_end_and_never_becomes_a_lock() {
        let waits: Vec<u64> =
            [1, 4, 5, 6, 7, 14, 15, 70, i64::MAX].map(|n| PER_CODE.wait(n).as_secs()).into();
        assert_eq!(waits, [0, 0, 1, 2, 4, 512, 900, 900, 900]);
    }
}
