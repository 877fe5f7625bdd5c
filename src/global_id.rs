//! Global ids: opaque texts that are unique over the objects of all types, tenants and installations
//! of legacy systems.
//!
//! A vendor's id is unique within its tenant or its installation only: caches that find objects by
//! `id` would mix customers. Objects of the gateway itself (tenants, clients, upstreams, links,
//! tasks) have UUIDs, which need no wrapping.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The version of the layout.
const VERSION: u8 = 1;
const HEAD: usize = 2;
const PLACE: usize = 16;
const CHECKSUM: usize = 4;

/// A vendor's id has at most 200 characters, of four bytes each.
const LENGTH_MAX: usize = (HEAD + PLACE + 200 * 4 + CHECKSUM) * 4 / 3 + 1;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal),* $(,)?) => {
        /// The type of an object that has a global id. The codes are stored in callers' caches and
        /// never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum NodeKind {$(
            $(#[$doc])*
            $kind = $code,
        )*}

        impl NodeKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];
        }
    };
}

kinds! {
    /// Deep Security of a tenant. Its place is the tenant.
    DeepSecurity = 1,
    /// A tenant of a Deep Security installation. Its place is the upstream.
    DeepSecurityTenant = 2,
    /// A computer. Its place is the link, as that of all objects within a tenant.
    DeepSecurityComputer = 3,
    /// A policy.
    DeepSecurityPolicy = 4,
    /// A role of administrators and API keys.
    DeepSecurityRole = 5,
    /// An API key.
    DeepSecurityApiKey = 6,
    /// The Integration Server of a tenant. Its place is the tenant.
    IntegrationServer = 7,
    /// A tenant of an Integration Server. Its place is the upstream.
    IntegrationServerTenant = 8,
    /// A virtual machine. Its place is the link.
    IntegrationServerVirtualMachine = 9,
    /// A virtual Administration Server. Its place is the upstream.
    IntegrationServerAdministrationServer = 10,
    /// A report. Its place is the task that made it.
    IntegrationServerReport = 11,
}

/// A global id: the type, where the vendor's id is unique, and the vendor's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GlobalId {
    /// The type.
    pub kind: NodeKind,
    /// A tenant, an upstream or a link, depending on the type. A link connects a gateway tenant with
    /// one tenant of an upstream: under another link the same vendor's id is another object.
    pub place: Uuid,
    /// The vendor's id; empty where the place identifies the object.
    pub remote: String,
}

impl GlobalId {
    /// Parses a text of [`GlobalId::write`]; `None` for any other text, including one that was
    /// truncated or altered.
    pub fn read(text: &str) -> Option<Self> {
        let bytes =
            URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= LENGTH_MAX)?).ok()?;
        let (signed, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
        let ([version, kind], rest) = signed.split_first_chunk::<HEAD>()?;
        let (place, remote) = rest.split_first_chunk::<PLACE>()?;
        let is_intact = *version == VERSION && crc32fast::hash(signed).to_be_bytes() == *checksum;
        Some(Self {
            kind: NodeKind::ALL.iter().copied().find(|known| is_intact && *known as u8 == *kind)?,
            place: Uuid::from_bytes(*place),
            remote: std::str::from_utf8(remote).ok()?.to_owned(),
        })
    }

    /// Writes the global id of an object as a text of `[A-Za-z0-9_-]`, always the same.
    pub fn write(kind: NodeKind, place: Uuid, remote: &str) -> String {
        URL_SAFE_NO_PAD.encode(Self::bytes(kind, place, remote))
    }

    /// Appends what [`GlobalId::write`] returns.
    pub fn write_to(kind: NodeKind, place: Uuid, remote: &str, to: &mut Vec<u8>) {
        let bytes = Self::bytes(kind, place, remote);
        let start = to.len();
        // Three bytes become four characters.
        to.resize(start + (bytes.len() * 4).div_ceil(3), 0);
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut to[start..]);
        to.truncate(start + written.unwrap_or_default());
    }

    fn bytes(kind: NodeKind, place: Uuid, remote: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + PLACE + remote.len() + CHECKSUM);
        bytes.extend([VERSION, kind as u8]);
        bytes.extend(place.as_bytes());
        bytes.extend(remote.as_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_be_bytes());
        bytes
    }

    /// The vendor's id, if this is an object of that type in that place.
    pub fn remote_of(self, kind: NodeKind, place: Uuid) -> Option<String> {
        (self.kind == kind && self.place == place).then_some(self.remote)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const PLACE_OF_TEST: Uuid = Uuid::from_u128(7);

    fn kind() -> impl Strategy<Value = NodeKind> {
        prop::sample::select(NodeKind::ALL)
    }

    proptest! {
        #[test]
        fn global_id_is_read_as_it_was_written(kind in kind(), place: u128, remote in "\\PC{0,200}") {
            let place = Uuid::from_u128(place);
            let text = GlobalId::write(kind, place, &remote);
            prop_assert!(text.len() <= LENGTH_MAX);
            let mut appended = b"before".to_vec();
            GlobalId::write_to(kind, place, &remote, &mut appended);
            prop_assert_eq!(appended, format!("before{text}").into_bytes());
            prop_assert_eq!(GlobalId::read(&text), Some(GlobalId { kind, place, remote }));
        }

        #[test]
        fn changed_or_shortened_global_id_is_none(kind in kind(), remote in "[0-9]{0,19}", at: prop::sample::Index) {
            let text = GlobalId::write(kind, PLACE_OF_TEST, &remote);
            let at = at.index(text.len());
            prop_assert_eq!(GlobalId::read(&text[..at]), None);
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            prop_assert_eq!(GlobalId::read(&changed), None);
        }

        #[test]
        fn no_other_text_is_a_global_id(text in "\\PC{0,100}") {
            prop_assert_eq!(GlobalId::read(&text), None);
        }
    }

    #[test]
    fn overlong_text_is_refused_before_it_is_decoded() {
        assert_eq!(GlobalId::read(&"A".repeat(LENGTH_MAX + 1)), None);
    }

    #[test]
    fn vendor_id_is_given_for_its_own_type_and_place_only() {
        let id =
            GlobalId::read(&GlobalId::write(NodeKind::DeepSecurityComputer, PLACE_OF_TEST, "7"))
                .unwrap();
        let computer = NodeKind::DeepSecurityComputer;
        assert_eq!(id.clone().remote_of(computer, PLACE_OF_TEST).as_deref(), Some("7"));
        assert_eq!(id.clone().remote_of(NodeKind::DeepSecurityPolicy, PLACE_OF_TEST), None);
        assert_eq!(id.remote_of(computer, Uuid::from_u128(8)), None);
    }

    #[test]
    fn codes_are_distinct() {
        let codes: HashSet<_> = NodeKind::ALL.iter().map(|kind| *kind as u8).collect();
        assert_eq!(codes.len(), NodeKind::ALL.len());
    }
}
