//! The request of a task as it is stored: enough to recognise its effect, without secrets.

use serde::{Deserialize, Serialize};

use super::StoredTenant;
use crate::error::{Error, Result};
use crate::integration_server::model::{
    NewTenant, NewTenantKind, RemoteTenant, ReportRange, TenantKind,
};

/// The requested change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Intent {
    /// The name of the tenant to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `Complete` or `Simple`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name of its administrator's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// The address of the server for its agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_server_address: Option<String>,
    /// Whether no tenant had the name just before the call. Only then does the name identify the
    /// new tenant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub name_was_free: bool,
    /// The tenant to be changed, removed or reported on, as it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<StoredTenant>,
    /// Whether the objects in Security Center are removed too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_artifacts: Option<bool>,
    /// The start of a report's period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The end of a report's period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Intent {
    /// To make that tenant.
    pub fn to_create(new: &NewTenant, name_was_free: bool) -> Self {
        let (kind, administrator) = match &new.kind {
            NewTenantKind::Simple => ("Simple", None),
            NewTenantKind::Complete(administrator) => {
                ("Complete", Some(administrator.name.as_str().to_owned()))
            }
        };
        Self {
            name: Some(new.name.as_str().to_owned()),
            description: new.description.as_ref().map(|text| text.as_str().to_owned()),
            kind: Some(kind.to_owned()),
            administrator,
            preferred_server_address: new.preferred_address.map(|address| address.to_string()),
            name_was_free,
            ..Self::default()
        }
    }

    /// To do something to that tenant.
    pub fn about(tenant: &RemoteTenant) -> Self {
        Self { before: Some(tenant.into()), ..Self::default() }
    }

    /// To make a report.
    pub fn to_report(range: &ReportRange) -> Self {
        Self {
            from: range.from().map(|from| from.to_string()),
            to: Some(range.to().to_string()),
            ..Self::default()
        }
    }

    /// Whether this is the tenant that the task was to create.
    pub fn is_met_by(&self, tenant: &RemoteTenant) -> bool {
        let kind = match &tenant.kind {
            Some(TenantKind::Complete) => Some("Complete"),
            Some(TenantKind::Simple) => Some("Simple"),
            _ => None,
        };
        let administrator = tenant
            .administration_server
            .as_ref()
            .and_then(|server| server.administrator.as_deref());
        let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.name_was_free
            && self.name.as_deref() == Some(&tenant.name)
            && self.kind.as_deref() == kind
            && filled(self.description.as_deref()) == filled(tenant.description.as_deref())
            && self.administrator.as_deref() == administrator
    }

    /// Reads the intent from a record's text.
    ///
    /// # Errors
    /// If what stands there is none.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::internal)
    }

    /// The text for a record.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self)
    }
}
