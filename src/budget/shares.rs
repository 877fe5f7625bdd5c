//! The rule by which a pool is shared out.
//!
//! The rule is that of shared-memory switches with dynamic thresholds (Choudhury and Hahne, 1998):
//! an account may hold at most [`RATIO`] times the units still free. A lone caller gets most of the
//! pool, and the next one always finds some units, without reserving shares for idle accounts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The factor of the dynamic threshold: an account gets more units as long as it then holds at most
/// this many times the units that are still free.
const RATIO: usize = 3;

/// The account that a permit is charged to. The pool is divided among owners, and the share of an
/// owner among its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account<K> {
    /// Holds a share of the pool, such as a tenant.
    pub owner: K,
    /// Holds a share of what its owner may hold, such as a client of the tenant.
    pub member: K,
}

impl<K: Copy> Account<K> {
    /// An owner without members.
    pub fn alone(owner: K) -> Self {
        Self { owner, member: owner }
    }
}

/// The units that each account holds of a pool.
pub struct Shares<K> {
    total: usize,
    /// The most units of one owner, however many are free.
    cap: usize,
    in_use: usize,
    owners: HashMap<K, usize>,
    members: HashMap<Account<K>, usize>,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    /// Shares of `total` units, none of them held. One owner may hold at most `cap`.
    pub fn new(total: usize, cap: usize) -> Self {
        Self { total, cap, in_use: 0, owners: HashMap::new(), members: HashMap::new() }
    }

    /// How many units are held.
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// How many units there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The most units that one account ever gets: those that the thresholds of owner and member
    /// leave it while no other account holds any.
    pub fn largest(&self) -> usize {
        let alone = self.total / (1 + RATIO + RATIO * RATIO) * RATIO * RATIO;
        alone.max(1).min(self.cap)
    }

    /// Whether an account may take that many units more.
    pub fn admit(&self, account: &Account<K>, units: usize) -> bool {
        let Some(free) = self.total.checked_sub(self.in_use.saturating_add(units)) else {
            return false;
        };
        let threshold = free.saturating_mul(RATIO).min(self.cap);
        let of_owner = self.owners.get(&account.owner).copied().unwrap_or_default() + units;
        let of_member = self.members.get(account).copied().unwrap_or_default() + units;
        // An account that holds nothing may take one unit: the share of a nearly empty pool rounds
        // to zero.
        let Some(left) = threshold.checked_sub(of_owner) else { return of_owner == 1 };
        let is_alone = account.owner == account.member;
        is_alone || of_member == 1 || of_member <= left.min(free).saturating_mul(RATIO)
    }

    /// Adds units to an account without checking its share.
    pub fn add(&mut self, account: Account<K>, units: usize) {
        self.in_use += units;
        *self.owners.entry(account.owner).or_default() += units;
        *self.members.entry(account).or_default() += units;
    }

    /// Removes units from an account.
    pub fn remove(&mut self, account: Account<K>, units: usize) {
        self.in_use -= units;
        subtract(&mut self.owners, account.owner, units);
        subtract(&mut self.members, account, units);
    }
}

/// Subtracts units, and removes the entry of an account that holds none any more: the map would grow
/// with every account that was ever seen.
fn subtract<K: Eq + Hash>(held: &mut HashMap<K, usize>, key: K, units: usize) {
    if let Entry::Occupied(mut left) = held.entry(key) {
        *left.get_mut() -= units;
        if *left.get() == 0 {
            left.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(shares: &mut Shares<u8>, account: Account<u8>) -> usize {
        let mut taken = 0;
        while shares.admit(&account, 1) {
            shares.add(account, 1);
            taken += 1;
        }
        taken
    }

    #[test]
    fn one_client_leaves_room_for_its_tenant_and_its_tenant_for_others() {
        let mut shares = Shares::new(1300, usize::MAX);
        let first = fill(&mut shares, Account { owner: 1, member: 11 });
        assert!((890..=910).contains(&first), "{first}");
        let same_tenant = fill(&mut shares, Account { owner: 1, member: 12 });
        let neighbour = fill(&mut shares, Account { owner: 2, member: 21 });
        assert!(same_tenant > 50 && neighbour > 100, "{same_tenant} {neighbour}");
        assert!(fill(&mut shares, Account { owner: 3, member: 31 }) > 20);
    }

    #[test]
    fn largest_share_equals_units_of_a_lone_account() {
        let mut shares = Shares::new(1300, usize::MAX);
        let account = Account { owner: 1, member: 2 };
        assert!(shares.admit(&account, shares.largest()));
        assert!(!shares.admit(&account, shares.largest() + 13));
        shares.add(account, shares.largest());
        shares.remove(account, shares.largest());
        assert!(shares.owners.is_empty() && shares.members.is_empty());
    }

    #[test]
    fn cap_holds_however_much_is_free() {
        let mut shares = Shares::new(1000, 16);
        assert_eq!(fill(&mut shares, Account::alone(1)), 16);
        assert_eq!(fill(&mut shares, Account::alone(2)), 16);
    }

    #[test]
    fn small_pool_is_used_to_its_last_unit_by_accounts_that_hold_nothing() {
        let mut shares = Shares::new(2, usize::MAX);
        for owner in 1..=2 {
            assert!(shares.admit(&Account::alone(owner), 1));
            shares.add(Account::alone(owner), 1);
        }
        assert!(!shares.admit(&Account::alone(3), 1));
    }
}
