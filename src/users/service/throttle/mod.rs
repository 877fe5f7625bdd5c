//! Slows failed sign-ins down, on all nodes together.
//!
//! Failures are counted for each pair of address and network, for each address, for each network
//! and for each wider one around it; each attempt counts as failed until it succeeds, or until
//! nobody could compare its password, so that concurrent attempts are counted. The address is
//! counted as it was typed, whether anybody has it or not. Where a user with the address signed in
//! lately, the count of the pair alone keeps that user out: somebody else's guesses do not. Users
//! of several tenants may share an address, which nobody may find out: such a network admits nobody
//! else with the address, attempts from it count as everywhere, and a sign-in takes back its own
//! attempt alone. Counts fade: each free failure returns after its share of the time.
//!
//! | module | contents |
//! |---|---|
//! | `allowance` | how many failures are free, how the wait grows, how counts fade |
//! | `keys` | the keys under which a sign-in is counted |
//! | `sweep` | which rows are deleted |

mod allowance;
mod keys;
mod sweep;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set,
};

use self::allowance::{Allowance, HOUR, PER_CODE, PER_EMAIL};
pub use self::keys::SignInKeys;
use self::keys::{key, known};
use super::Limits;
use crate::clock::Clock;
use crate::database::{Database, Write};
use crate::error::Result;
use crate::ids::UserId;
use crate::source_networks::SourceNetwork;
use crate::users::entity::failure::{ActiveModel, Column, Entity, Model};

/// How long a network counts as one where the person signed in.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// The most networks of an address that count as known, those used last.
const KNOWN_MAX: u64 = 10;

/// Whether an attempt is admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The attempt is admitted, and counted under every key.
    Admitted,
    /// The attempt is admitted for these users alone, who signed in from the network lately, and
    /// counted for the pair alone: others with the address have to wait.
    AdmittedFor(Vec<UserId>),
    /// The attempt has to wait; `by_network` if the network alone is the reason.
    Blocked { retry_after: Duration, by_network: bool },
}

impl Admission {
    /// Whether the password may be that of the user.
    pub fn admits(&self, user: UserId) -> bool {
        match self {
            Self::Admitted => true,
            Self::AdmittedFor(users) => users.contains(&user),
            Self::Blocked { .. } => false,
        }
    }

    /// The keys under which the attempt was counted.
    fn counted(&self, keys: &SignInKeys) -> Vec<Vec<u8>> {
        match self {
            Self::Admitted => keys.counted(),
            Self::AdmittedFor(_) => vec![keys.pair.clone()],
            Self::Blocked { .. } => Vec::new(),
        }
    }
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

    /// Counts an attempt with a password. Nothing is written for a refused one, so that refused
    /// attempts do not fill the table.
    pub async fn admit(&self, keys: &SignInKeys) -> Result<Admission> {
        let work = async |write: Arc<Write<'_>>| {
            let known = self.known_users(&write, keys).await?;
            let present = Entity::under(&keys.counted()).all(write.on()).await?;
            let admission = self.decide(keys, &known, &present);
            if matches!(admission, Admission::Blocked { .. }) {
                return Ok(admission);
            }
            // Decided again: others may have counted before the rows were locked.
            let mut rows = self.locked(&write, keys.counted()).await?;
            let admission = self.decide(keys, &known, &rows);
            match admission {
                Admission::Admitted => {}
                Admission::AdmittedFor(_) => rows.retain(|row| row.id == keys.pair),
                Admission::Blocked { .. } => rows.clear(),
            }
            self.count(&write, rows, |id| self.allowance(keys, id)).await?;
            Ok(admission)
        };
        self.database.transaction(work).await
    }

    /// Whether an attempt is admitted with these counts. A known network admits the users alone to
    /// whom it is known: otherwise a user with the address in a tenant of an attacker's own would
    /// admit guesses at all others with the address.
    fn decide(&self, keys: &SignInKeys, known: &[UserId], rows: &[Model]) -> Admission {
        let wait_under = |key: &[u8]| self.wait(rows.iter().filter(|row| row.id == key));
        let by_pair = wait_under(&keys.pair);
        let by_email = wait_under(&keys.email);
        let Some(retry_after) = self.wait(rows) else { return Admission::Admitted };
        if known.is_empty() {
            let by_network = by_pair.is_none() && by_email.is_none();
            return Admission::Blocked { retry_after, by_network };
        }
        match by_pair {
            Some(retry_after) => Admission::Blocked { retry_after, by_network: false },
            None => Admission::AdmittedFor(known.to_vec()),
        }
    }

    fn allowance(&self, keys: &SignInKeys, id: &[u8]) -> Allowance {
        let network = keys.networks.iter().find(|(network, _)| network == id);
        match network {
            Some((_, weight)) => self.per_network.times(*weight),
            None if id == keys.email => PER_EMAIL,
            None => self.per_pair,
        }
    }

    /// Takes back what [`Throttle::admit`] counted for an attempt of the user that succeeded, and
    /// makes the network known. More would let an own account take back guesses at others.
    pub async fn succeeded(
        &self,
        keys: &SignInKeys,
        admission: &Admission,
        user: UserId,
        from: IpAddr,
    ) -> Result<()> {
        let counted = admission.counted(keys);
        let work = async |write: Arc<Write<'_>>| {
            for mut row in take_back(&write, &counted).await? {
                row.blocked_until = Set(self.clock.now());
                row.update(write.on()).await?;
            }
            self.remember(&write, user, from).await
        };
        self.database.transaction(work).await
    }

    /// Takes back what [`Throttle::admit`] counted for an attempt whose password was not compared.
    /// Returns how long the next one has to wait: a wait stays, since other attempts may have caused
    /// it. An attempt of a client that leaves meanwhile stays counted.
    pub async fn not_compared(&self, keys: &SignInKeys, admission: &Admission) -> Result<Duration> {
        if let Admission::Blocked { retry_after, .. } = admission {
            return Ok(*retry_after);
        }
        let counted = admission.counted(keys);
        let work = async |write: Arc<Write<'_>>| {
            let mut rows = Vec::new();
            for row in take_back(&write, &counted).await? {
                rows.push(row.update(write.on()).await?);
            }
            Ok(self.wait(&rows).unwrap_or_default())
        };
        self.database.transaction(work).await
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

    /// Counts an attempt with a code of a user. Returns how long it has to wait instead.
    pub async fn admit_code(&self, user: UserId) -> Result<Option<Duration>> {
        let code = vec![key("code", &user.to_string())];
        let work = async |write: Arc<Write<'_>>| {
            let present = Entity::under(&code).all(write.on()).await?;
            if let Some(wait) = self.wait(&present) {
                return Ok(Some(wait));
            }
            let rows = self.locked(&write, code.clone()).await?;
            let wait = self.wait(&rows);
            if wait.is_none() {
                self.count(&write, rows, |_| PER_CODE).await?;
            }
            Ok(wait)
        };
        self.database.transaction(work).await
    }

    /// Takes back what [`Throttle::admit_code`] counted, in the transaction that used the code.
    pub async fn code_succeeded(&self, write: &Write<'_>, user: UserId) -> Result<()> {
        let code = key("code", &user.to_string());
        Entity::delete_many().filter(Column::Id.eq(code)).exec(write.on()).await?;
        Ok(())
    }

    /// The users with the address who signed in from the network lately.
    async fn known_users(&self, write: &Write<'_>, keys: &SignInKeys) -> Result<Vec<UserId>> {
        let now = self.clock.now();
        let ids: Vec<Vec<u8>> = keys.known.iter().map(|(_, id)| id.clone()).collect();
        // Not locked: a sign-in writes it after the counts that are locked here.
        let rows = Entity::under(&ids).all(write.on()).await?;
        let is_known = |id: &Vec<u8>| {
            rows.iter().any(|row| row.id == *id && now.since(row.last_at) < KNOWN_FOR)
        };
        let known = keys.known.iter().filter(|(_, id)| is_known(id));
        Ok(known.map(|(user, _)| *user).collect())
    }

    /// How long an attempt has to wait that is counted under these rows.
    fn wait<'a>(&self, rows: impl IntoIterator<Item = &'a Model>) -> Option<Duration> {
        let now = self.clock.now();
        let waits = rows.into_iter().map(|row| row.blocked_until.since(now));
        waits.max().filter(|wait| !wait.is_zero())
    }

    /// The counts, locked until the transaction ends; missing ones are created. One statement does
    /// both, in the order of the keys: no two transactions wait for each other, as they would if one
    /// locked a count that is there while another created those before it.
    async fn locked(&self, write: &Write<'_>, mut ids: Vec<Vec<u8>>) -> Result<Vec<Model>> {
        let now = self.clock.now();
        ids.sort_unstable();
        let new = ids.into_iter().map(|id| {
            let row = Model {
                id,
                identity: None,
                failures: 0,
                blocked_until: now,
                last_at: now,
                kept_until: Some(now),
            };
            row.into_active_model()
        });
        let unchanged = Expr::col((Entity, Column::Failures));
        let lock = OnConflict::column(Column::Id).value(Column::Failures, unchanged).to_owned();
        let rows = Entity::insert_many(new).on_conflict(lock);
        Ok(rows.exec_with_returning(write.on()).await?)
    }

    /// Counts an attempt in locked rows.
    async fn count(
        &self,
        write: &Write<'_>,
        rows: Vec<Model>,
        allowance: impl Fn(&[u8]) -> Allowance,
    ) -> Result<()> {
        let now = self.clock.now();
        for row in rows {
            let allowance = allowance(&row.id);
            let faded = allowance.faded(row, now);
            let failures = faded.failures.saturating_add(1);
            let last_at = faded.last_at;
            let mut row = faded.into_active_model();
            row.failures = Set(failures);
            row.blocked_until = Set(now.plus(allowance.wait(failures)));
            row.last_at = Set(last_at);
            row.kept_until = Set(Some(now.plus(allowance.forgotten_after)));
            row.update(write.on()).await?;
        }
        Ok(())
    }

    /// Deletes rows that count nothing any more, and the surplus beyond `most`.
    pub async fn forget_expired(&self, write: &Write<'_>, most: u64) -> Result<()> {
        sweep::forget_expired(write, self.clock.now(), most).await
    }
}

/// The counts without one attempt, locked and not yet written.
async fn take_back(write: &Write<'_>, counted: &[Vec<u8>]) -> Result<Vec<ActiveModel>> {
    let rows = Entity::locked(counted).all(write.on()).await?;
    let without_one = |row: Model| {
        let failures = (row.failures - 1).max(0);
        ActiveModel { failures: Set(failures), ..row.into_active_model() }
    };
    Ok(rows.into_iter().map(without_one).collect())
}
