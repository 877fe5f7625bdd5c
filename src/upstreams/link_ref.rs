//! Proof that a link was read.

use super::model::Link;
use crate::ids::{LinkId, UpstreamId};

/// A link that the caller has read within a scope. It is made from a [`Link`] only: an id from
/// input opens neither the installation nor the keys behind a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkRef {
    id: LinkId,
    upstream_id: UpstreamId,
}

impl LinkRef {
    /// The link's id.
    pub fn id(self) -> LinkId {
        self.id
    }

    /// The installation that the link leads to.
    pub fn upstream_id(self) -> UpstreamId {
        self.upstream_id
    }
}

impl From<&Link> for LinkRef {
    fn from(link: &Link) -> Self {
        Self { id: link.id, upstream_id: link.upstream_id }
    }
}
