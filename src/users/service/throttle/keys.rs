//! The keys under which a sign-in is counted.

use std::net::IpAddr;

use crate::ids::UserId;
use crate::secret::SecretHash;
use crate::source_networks::SourceNetwork;

/// The keys of one sign-in.
pub struct SignInKeys {
    pub(super) pair: Vec<u8>,
    pub(super) email: Vec<u8>,
    /// The networks around the address, each with its weight.
    pub(super) networks: Vec<(Vec<u8>, u32)>,
    /// The users with the address, and the network as one where they signed in.
    pub(super) known: Vec<(UserId, Vec<u8>)>,
}

impl SignInKeys {
    /// The keys of an attempt with this address, which these users have, from there.
    pub fn new(email_folded: &str, from: IpAddr, users: &[UserId]) -> Self {
        let network = SourceNetwork::of(from);
        let networks = SourceNetwork::around(from).into_iter();
        Self {
            known: users.iter().map(|user| (*user, known(network, *user))).collect(),
            pair: key("pair", &format!("{network} {email_folded}")),
            email: key("email", email_folded),
            networks: networks
                .map(|network| (key("network", &network.to_string()), network.weight()))
                .collect(),
        }
    }

    /// The keys under which an attempt is counted.
    pub(super) fn counted(&self) -> Vec<Vec<u8>> {
        let networks = self.networks.iter().map(|(id, _)| id);
        [&self.pair, &self.email].into_iter().chain(networks).cloned().collect()
    }
}

/// The key of a network where the user signed in.
pub(super) fn known(network: SourceNetwork, user: UserId) -> Vec<u8> {
    key("known", &format!("{network} {user}"))
}

/// The key of a text of that kind.
pub(super) fn key(kind: &str, text: &str) -> Vec<u8> {
    SecretHash::of(format!("{kind} {text}").as_bytes()).as_bytes().to_vec()
}
