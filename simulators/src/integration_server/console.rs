//! Requests of clients to a server.

use super::calls;
use super::installation::Installation;
use crate::answer::{Answer, BodyFormat};
use crate::host::Console;
use crate::request::Request;

impl Console for Installation {
    const BASE: &'static str = "/api/2.0/virtualization";
    const FORMAT: BodyFormat = BodyFormat::Xml;

    /// The tenant that the path or the query names: one account serves all.
    fn tenant(&self, request: &Request) -> Option<String> {
        let named = match request.segments().as_slice() {
            ["tenants", id, ..] => Some((*id).to_owned()),
            _ => request.parameters().find(|(name, _)| name == "tenantId").map(|(_, id)| id),
        };
        named.map(|id| id.to_lowercase())
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.settle();
        calls::carry_out(self, request).unwrap_or_else(|refusal| refusal.answer(&self.dialect))
    }
}
