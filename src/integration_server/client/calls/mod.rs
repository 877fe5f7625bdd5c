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
        self.get(&["tenants", id.as_str()])
    }

    pub(super) fn tenants(&self) -> Call {
        self.get(&["tenants"])
    }

    pub(super) fn machines(&self, tenant: &RemoteId) -> Call {
        self.get(&["tenants", tenant.as_str(), "vms"])
    }

    pub(super) fn create_tenant(&self, new: &NewTenant) -> Call {
        self.post_xml(&["tenants"], XmlBody::tenant(new))
    }

    pub(super) fn activate_tenant(&self, id: &RemoteId) -> Call {
        self.post(&["tenants", id.as_str(), "activate"])
    }

    pub(super) fn deactivate_tenant(&self, id: &RemoteId) -> Call {
        self.post(&["tenants", id.as_str(), "deactivate"])
    }

    pub(super) fn register_machine(&self, tenant: &RemoteId, new: &NewVirtualMachine) -> Call {
        self.post_xml(&["tenants", tenant.as_str(), "vms", "register"], XmlBody::machine(new))
    }

    pub(super) fn unregister_machine(&self, tenant: &RemoteId, key: &MachineKey) -> Call {
        let query = match key {
            MachineKey::Id(id) => ("vmId", id.to_string().into()),
            MachineKey::Bios(id) => ("biosId", id.to_string().into()),
        };
        let call = self.post(&["tenants", tenant.as_str(), "vms", "unregister"]);
        Call { query: vec![query], ..call }
    }

    /// `removeTenantArtifacts` has no documented default, so it is always sent.
    pub(super) fn delete_tenant(&self, id: &RemoteId, artifacts: bool) -> Call {
        let query =
            vec![("removeTenantArtifacts", if artifacts { "true" } else { "false" }.into())];
        Call { query, ..self.call("DELETE", &["tenants", id.as_str()], Kind::Write) }
    }

    pub(super) fn task(&self, id: &RemoteId) -> Call {
        self.get(&["tasks", id.as_str()])
    }

    pub(super) fn tasks(&self, filter: &TaskFilter) -> Call {
        let mut query: Vec<(&'static str, Cow<'static, str>)> = Vec::new();
        query.extend(
            filter.created_from.map(|from| ("createdFrom", wire::written(from, &self.zone).into())),
        );
        query
            .extend(filter.state.as_ref().map(|state| ("state", state.as_str().to_owned().into())));
        query.extend(filter.kind.as_ref().map(|kind| ("type", kind.as_str().to_owned().into())));
        Call { query, ..self.get(&["tasks"]) }
    }

    pub(super) fn cancel_task(&self, id: &RemoteId) -> Call {
        self.post(&["tasks", id.as_str(), "cancel"])
    }

    /// Without a tenant the report would cover all of them, so there is no such call.
    pub(super) fn create_report(&self, tenant: &RemoteId, range: &ReportRange) -> Call {
        let mut query: Vec<(&'static str, Cow<'static, str>)> =
            vec![("tenantId", tenant.to_string().into())];
        query.extend(range.from().map(|from| ("from", wire::written(from, &self.zone).into())));
        query.push(("to", wire::written(range.to(), &self.zone).into()));
        let call = self.post(&["reports", "tenants"]);
        accepting_csv(Call { query, ..call })
    }

    pub(super) fn report(&self, id: &RemoteId) -> Call {
        let call = self.get(&["reports", "tenants", id.as_str()]);
        accepting_csv(Call { answer_limit: REPORT_MAX, ..call })
    }

    fn get(&self, path: &[&str]) -> Call {
        self.call("GET", path, Kind::Read)
    }

    /// A POST without a body. Servers on Windows HTTP.sys refuse it with 411 unless it has
    /// `Content-Length: 0`.
    fn post(&self, path: &[&str]) -> Call {
        let mut call = self.call("POST", path, Kind::Write);
        call.headers.push(("Content-Length", "0".to_owned()));
        call
    }

    fn post_xml(&self, path: &[&str], body: XmlBody) -> Call {
        let mut call = self.call("POST", path, Kind::Write);
        call.headers.push(("Content-Type", "application/xml; charset=utf-8".to_owned()));
        Call { body: Some(Bytes::from(body.into_bytes())), ..call }
    }

    fn call(&self, method: &'static str, path: &[&str], kind: Kind) -> Call {
        let below = ["api", "2.0", "virtualization"].into_iter().map(Cow::Borrowed);
        Call {
            method,
            path: below
                .chain(path.iter().map(|segment| Cow::Owned((*segment).to_owned())))
                .collect(),
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

fn accepting_csv(mut call: Call) -> Call {
    call.headers.retain(|(name, _)| *name != "Accept");
    call.headers.push(("Accept", CSV.to_owned()));
    call
}

#[cfg(test)]
mod tests;
