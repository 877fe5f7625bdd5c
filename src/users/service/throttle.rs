//! Slows failed sign-ins down, on all nodes together.
//!
//! Failures are counted for each pair of address and network, for each address, and for each
//! network; each attempt counts as failed until it succeeds, so that concurrent attempts are counted.
//! The address is counted as it was typed, whether anybody has it or not. From a network where the
//! person signed in lately only the count of the pair holds: somebody else's guesses do not keep
//! them out.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, Set,
};

use super::Limits;
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::UserId;
use crate::secret::SecretHash;
use crate::users::entity::failure::{Column, Entity, Model};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How long a network counts as one where the person signed in.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

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
    network: Vec<u8>,
    known: Vec<u8>,
}

impl SignInKeys {
    /// The keys of an attempt with this address from there.
    pub fn new(email_folded: &str, from: IpAddr) -> Self {
        let network = network(from);
        let pair = format!("{network} {email_folded}");
        Self {
            known: key("known", &pair),
            pair: key("pair", &pair),
            email: key("email", email_folded),
            network: key("network", &network.to_string()),
        }
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
            self.prune(&write).await?;
            let known = self.is_known(&write, keys).await?;
            let mut counted = vec![(&keys.pair, self.per_pair)];
            if !known {
                counted.push((&keys.email, PER_EMAIL));
                counted.push((&keys.network, self.per_network));
            }
            self.admit_under(&write, &counted, &keys.network).await
        };
        self.database.transaction(work).await
    }

    /// Takes back what [`Throttle::admit`] counted for an attempt that succeeded: `of_network` as it
    /// said. More would let an own account take back guesses at others.
    pub async fn succeeded(&self, keys: &SignInKeys, of_network: bool) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let ended = [keys.pair.clone(), keys.email.clone()];
            Entity::delete_many().filter(Column::Id.is_in(ended)).exec(write.on()).await?;
            let now = self.clock.now();
            let counted: &[Vec<u8>] =
                if of_network { std::slice::from_ref(&keys.network) } else { &[] };
            for row in Entity::locked(counted).all(write.on()).await? {
                let failures = (row.failures - 1).max(0);
                let mut row = row.into_active_model();
                row.failures = Set(failures);
                row.blocked_until = Set(now);
                row.update(write.on()).await?;
            }
            let known =
                Model { id: keys.known.clone(), failures: 0, blocked_until: now, last_at: now };
            let again = OnConflict::column(Column::Id).update_column(Column::LastAt).to_owned();
            let insert = Entity::insert(known.into_active_model()).on_conflict(again);
            insert.exec_without_returning(write.on()).await?;
            Ok(())
        };
        self.database.transaction(work).await
    }

    /// Counts an attempt with a code of a user.
    pub async fn admit_code(&self, user: UserId) -> Result<Admission> {
        let code = key("code", &user.to_string());
        let work =
            async |write: Arc<Write<'_>>| self.admit_under(&write, &[(&code, PER_CODE)], &[]).await;
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
        network: &[u8],
    ) -> Result<Admission> {
        let now = self.clock.now();
        let ids: Vec<Vec<u8>> = keys.iter().map(|(id, _)| (*id).clone()).collect();
        let rows = Entity::locked(&ids).all(write.on()).await?;
        let waits: Vec<_> = rows.iter().filter(|row| now < row.blocked_until).collect();
        if let Some(end) = waits.iter().map(|row| row.blocked_until).max() {
            let by_network = waits.iter().all(|row| row.id == network);
            return Ok(Admission::Blocked { retry_after: end.since(now), by_network });
        }
        let rows = self.locked(write, keys).await?;
        self.count(write, rows).await?;
        let of_network = keys.iter().any(|(id, _)| id.as_slice() == network);
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
            let new = Model { id: id.clone(), failures: 0, blocked_until: now, last_at: now };
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
            row.update(write.on()).await?;
        }
        Ok(())
    }

    /// Deletes expired counts, so that the table holds those of one day.
    async fn prune(&self, write: &Write<'_>) -> Result<()> {
        let now = self.clock.now();
        let old = |age: Duration| Column::LastAt.lt(Timestamp::minus(now, age));
        let forgotten = Condition::any()
            .add(Condition::all().add(Column::Failures.gt(0)).add(old(DAY)))
            .add(old(KNOWN_FOR));
        Entity::delete_many().filter(forgotten).exec(write.on()).await?;
        Ok(())
    }
}

impl Allowance {
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

/// The holder of an IPv6 address usually holds its whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
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

    #[test]
    fn ipv6_network_and_embedded_ipv4_count_as_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
