//! The request of each method (reference, sections 1 and 2).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::tz::TimeZone;

use crate::integration_server::model::{
    MachineKey, NewTenant, NewVirtualMachine, RemoteId, ReportRange, TaskFilter,
};
use crate::integration_server::wire::{self, XML_MAX, XmlBody};
use crate::outbound::{Call, Kind};

const XML: &str = "application/xml";
const CSV: &str = "application/csv";
const REPORT_MAX: usize = 32 * 1024 * 1024;

/// A segment of a path: a constant, or an id.
type Segment = Cow<'static, str>;

/// Makes calls under one account.
pub(super) struct Calls {
    authorization: String,
    zone: TimeZone,
}

impl Calls {
    pub(super) fn new(user_name: &str, password: &str, zone: TimeZone) -> Self {
        Self {
            authorization: format!("Basic {}", STANDARD.encode(format!("{user_name}:{password}"))),
            zone,
        }
    }

    pub(super) fn tenant(&self, id: &RemoteId) -> Call {
        self.get(["tenants".into(), id_segment(id)])
    }

    pub(super) fn tenants(&self) -> Call {
        self.get(["tenants".into()])
    }

    pub(super) fn machines(&self, tenant: &RemoteId) -> Call {
        self.get(["tenants".into(), id_segment(tenant), "vms".into()])
    }

    pub(super) fn create_tenant(&self, new: &NewTenant) -> Call {
        self.post_xml(["tenants".into()], XmlBody::tenant(new))
    }

    pub(super) fn activate_tenant(&self, id: &RemoteId) -> Call {
        self.post(["tenants".into(), id_segment(id), "activate".into()])
    }

    pub(super) fn deactivate_tenant(&self, id: &RemoteId) -> Call {
        self.post(["tenants".into(), id_segment(id), "deactivate".into()])
    }

    pub(super) fn register_machine(&self, tenant: &RemoteId, new: &NewVirtualMachine) -> Call {
        self.post_xml(
            ["tenants".into(), id_segment(tenant), "vms".into(), "register".into()],
            XmlBody::machine(new),
        )
    }

    pub(super) fn unregister_machine(&self, tenant: &RemoteId, key: &MachineKey) -> Call {
        let query = match key {
            MachineKey::Id(id) => ("vmId", id.to_string().into()),
            MachineKey::Bios(id) => ("biosId", id.to_string().into()),
        };
        let call =
            self.post(["tenants".into(), id_segment(tenant), "vms".into(), "unregister".into()]);
        Call { query: vec![query], ..call }
    }

    /// `removeTenantArtifacts` has no documented default, so it is always sent.
    pub(super) fn delete_tenant(&self, id: &RemoteId, artifacts: bool) -> Call {
        let query =
            vec![("removeTenantArtifacts", if artifacts { "true" } else { "false" }.into())];
        Call { query, ..self.call("DELETE", ["tenants".into(), id_segment(id)], Kind::Write) }
    }

    pub(super) fn task(&self, id: &RemoteId) -> Call {
        self.get(["tasks".into(), id_segment(id)])
    }

    pub(super) fn tasks(&self, filter: &TaskFilter) -> Call {
        let mut query: Vec<(&'static str, Cow<'static, str>)> = Vec::new();
        query.extend(
            filter.created_from.map(|from| ("createdFrom", wire::written(from, &self.zone).into())),
        );
        query
            .extend(filter.state.as_ref().map(|state| ("state", state.as_str().to_owned().into())));
        query.extend(filter.kind.as_ref().map(|kind| ("type", kind.as_str().to_owned().into())));
        Call { query, ..self.get(["tasks".into()]) }
    }

    pub(super) fn cancel_task(&self, id: &RemoteId) -> Call {
        self.post(["tasks".into(), id_segment(id), "cancel".into()])
    }

    /// Without a tenant the report would cover all of them, so there is no such call.
    pub(super) fn create_report(&self, tenant: &RemoteId, range: &ReportRange) -> Call {
        let mut query: Vec<(&'static str, Cow<'static, str>)> =
            vec![("tenantId", tenant.to_string().into())];
        query.extend(range.from().map(|from| ("from", wire::written(from, &self.zone).into())));
        query.push(("to", wire::written(range.to(), &self.zone).into()));
        let call = self.post(["reports".into(), "tenants".into()]);
        accepting_csv(Call { query, ..call })
    }

    pub(super) fn report(&self, id: &RemoteId) -> Call {
        let call = self.get(["reports".into(), "tenants".into(), id_segment(id)]);
        accepting_csv(Call { answer_limit: REPORT_MAX, ..call })
    }

    fn get(&self, path: impl IntoIterator<Item = Segment>) -> Call {
        self.call("GET", path, Kind::Read)
    }

    /// A POST without a body. Servers on Windows HTTP.sys refuse it with 411 unless it has
    /// `Content-Length: 0`.
    fn post(&self, path: impl IntoIterator<Item = Segment>) -> Call {
        let mut call = self.call("POST", path, Kind::Write);
        call.headers.push(("Content-Length", "0".to_owned()));
        call
    }

    fn post_xml(&self, path: impl IntoIterator<Item = Segment>, body: XmlBody) -> Call {
        let mut call = self.call("POST", path, Kind::Write);
        call.headers.push(("Content-Type", "application/xml; charset=utf-8".to_owned()));
        Call { body: Some(Bytes::from(body.into_bytes())), ..call }
    }

    fn call(
        &self,
        method: &'static str,
        path: impl IntoIterator<Item = Segment>,
        kind: Kind,
    ) -> Call {
        let below = ["api", "2.0", "virtualization"].into_iter().map(Cow::Borrowed);
        Call {
            method,
            path: below.chain(path).collect(),
            query: Vec::new(),
            headers: vec![
                ("Authorization", self.authorization.clone()),
                ("Accept", XML.to_owned()),
            ],
            body: None,
            kind,
            answer_limit: XML_MAX,
            cache_ttl: None,
        }
    }
}

/// Owned, so that traces show a place for the id instead of the id.
fn id_segment(id: &RemoteId) -> Segment {
    Cow::Owned(id.as_str().to_owned())
}

fn accepting_csv(mut call: Call) -> Call {
    call.headers.retain(|(name, _)| *name != "Accept");
    call.headers.push(("Accept", CSV.to_owned()));
    call
}

#[cfg(test)]
mod tests;
