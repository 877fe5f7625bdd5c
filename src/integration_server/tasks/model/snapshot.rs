//! The reported state of a task, in the gateway's words.

use serde::{Deserialize, Serialize};

use super::Purpose;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::TaskId;
use crate::integration_server::model::{
    AdministrationServer, Moment, RemoteId, RemoteTenant, Task, TaskOutcome, TaskState, TenantKind,
    TenantStatus, VendorCode,
};

/// Replaces a vendor code that is not documented.
const UNKNOWN: &str = "UNKNOWN";

/// The state of a task at one moment. Of the server's own texts it holds only the stage, without
/// hosts, addresses and paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The identifier, as the server writes it; the gateway's own of the record, where the server
    /// named none.
    pub id: String,
    /// The state, as the list of states writes it; an unlisted one as the server does.
    pub state: String,
    /// The current stage.
    pub stage: Option<String>,
    /// The progress in percent.
    pub progress: Option<u8>,
    /// When it was made, in milliseconds since 1970 UTC; so for all that follow.
    pub created: Option<i64>,
    /// When its state last changed.
    pub state_changed: Option<i64>,
    /// When anything of it last changed.
    pub changed: Option<i64>,
    /// Why it did not succeed, or not wholly.
    pub error: Option<TaskErrorText>,
    /// The object that the task created.
    pub result: Option<CreatedObject>,
}

/// An error of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskErrorText {
    /// The vendor's code, `UNKNOWN` for an unlisted one; absent if the vendor gave no reason.
    pub code: Option<String>,
    /// A message of the gateway.
    pub message: String,
}

/// The result of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreatedObject {
    /// The tenant that was made or removed.
    Tenant(StoredTenant),
    /// A report, by its identifier as the server writes it.
    Report(String),
    /// The requested change took effect; there is no object to show.
    Confirmation,
}

/// A tenant, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTenant {
    id: String,
    name: String,
    description: Option<String>,
    user_data: Option<String>,
    server: Option<(Option<String>, Option<String>)>,
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    created: Option<i64>,
    updated: Option<i64>,
}

impl Snapshot {
    /// A task of which nothing is known but that it was accepted.
    pub fn accepted(id: &RemoteId) -> Self {
        Self::bare(id.as_str(), &TaskState::Created)
    }

    /// The snapshot of a task that the server no longer lists, or never listed, and whose effect
    /// was found.
    pub fn completed(id: &str, made: CreatedObject) -> Self {
        Self { progress: Some(100), result: Some(made), ..Self::bare(id, &TaskState::Completed) }
    }

    fn bare(id: &str, state: &TaskState) -> Self {
        Self {
            id: id.to_owned(),
            state: state.as_str().to_owned(),
            stage: None,
            progress: None,
            created: None,
            state_changed: None,
            changed: None,
            error: None,
            result: None,
        }
    }

    /// The snapshot of a task as the server describes it; its result is added when known.
    pub fn from_task(task: &Task) -> Self {
        let millis =
            |moment: &Option<Moment>| moment.as_ref().and_then(Moment::at).map(Timestamp::millis);
        Self {
            id: task.id.as_str().to_owned(),
            state: task.state.as_str().to_owned(),
            stage: task.stage.as_deref().map(without_places),
            progress: if task.state == TaskState::Completed { Some(100) } else { task.progress },
            created: millis(&task.created),
            state_changed: millis(&task.state_changed),
            changed: millis(&task.changed),
            error: error(task),
            result: None,
        }
    }

    /// The vendor's id of the task of that record, in the one text that all equal ids share; none
    /// where the vendor named none.
    pub fn remote_id(&self, record: TaskId) -> Option<String> {
        let id = RemoteId::read(&self.id).map_or_else(|| self.id.clone(), |id| id.canonical());
        Some(id).filter(|id| *id != record.to_string())
    }

    /// The state.
    pub fn state(&self) -> TaskState {
        TaskState::read(&self.state)
    }

    /// Whether nothing more will happen.
    pub fn has_ended(&self) -> bool {
        self.state().has_ended()
    }

    /// The canonical identifier of the created object.
    pub fn result_id(&self) -> Option<String> {
        let id = match self.result.as_ref()? {
            CreatedObject::Tenant(tenant) => &tenant.id,
            CreatedObject::Report(id) => id,
            CreatedObject::Confirmation => return None,
        };
        RemoteId::read(id).map(|id| id.canonical())
    }

    /// Reads the snapshot from a record's text.
    ///
    /// # Errors
    /// If what stands there is none.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::internal)
    }

    /// The text for a record.
    ///
    /// # Errors
    /// None that could be met: all of it can be written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

impl CreatedObject {
    /// The object that a task of that purpose created, if the server names it in the task itself.
    pub fn reported(purpose: Purpose, outcome: Option<&TaskOutcome>) -> Option<Self> {
        match (purpose, outcome) {
            (Purpose::Activate | Purpose::Deactivate, _) => Some(Self::Confirmation),
            (Purpose::Report, Some(TaskOutcome::Id(id))) => {
                Some(Self::Report(id.as_str().to_owned()))
            }
            (Purpose::Create, Some(TaskOutcome::Tenant(tenant))) => {
                Some(Self::Tenant((&**tenant).into()))
            }
            _ => None,
        }
    }
}

fn error(task: &Task) -> Option<TaskErrorText> {
    let code = match &task.outcome {
        Some(TaskOutcome::Error(error)) => error.code.as_ref(),
        _ => None,
    };
    match task.state {
        TaskState::Canceled => {
            Some(TaskErrorText { code: None, message: "the task was canceled".to_owned() })
        }
        TaskState::Failed => Some(TaskErrorText {
            code: Some(code.and_then(VendorCode::as_str).unwrap_or(UNKNOWN).to_owned()),
            message: code.map_or("the task failed", VendorCode::sentence).to_owned(),
        }),
        _ => None,
    }
}

/// Free text without words that could be hosts, addresses or paths.
fn without_places(text: &str) -> String {
    let is_place = |word: &str| {
        let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
        let begins_path = |(at, _)| !word[..at].ends_with(char::is_alphanumeric);
        word.contains(['\\', '@'])
            || inner.contains(['.', ':'])
            || word.match_indices('/').any(begins_path)
    };
    text.split_whitespace()
        .map(|word| if is_place(word) { "…" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

impl From<&RemoteTenant> for StoredTenant {
    fn from(tenant: &RemoteTenant) -> Self {
        let millis =
            |moment: &Option<Moment>| moment.as_ref().and_then(Moment::at).map(Timestamp::millis);
        let server = tenant.administration_server.as_ref();
        Self {
            id: tenant.id.as_str().to_owned(),
            name: tenant.name.clone(),
            description: tenant.description.clone(),
            user_data: tenant.user_data.clone(),
            server: server.map(|server| (server.id.clone(), server.administrator.clone())),
            status: tenant.status.as_ref().map(|status| status.as_str().to_owned()),
            kind: tenant.kind.as_ref().map(|kind| kind.as_str().to_owned()),
            created: millis(&tenant.created),
            updated: millis(&tenant.updated),
        }
    }
}

impl StoredTenant {
    /// The tenant.
    ///
    /// # Errors
    /// If its identifier is none.
    pub fn tenant(self) -> Result<RemoteTenant> {
        let moment =
            |millis: Option<i64>| millis.map(|millis| Moment::At(Timestamp::from_millis(millis)));
        Ok(RemoteTenant {
            id: RemoteId::read(&self.id)
                .ok_or_else(|| Error::internal("a stored tenant has no identifier"))?,
            name: self.name,
            description: self.description,
            user_data: self.user_data,
            administration_server: self
                .server
                .map(|(id, administrator)| AdministrationServer { id, administrator }),
            status: self.status.map(|status| TenantStatus::read(&status)),
            kind: self.kind.map(|kind| TenantKind::read(&kind)),
            created: moment(self.created),
            updated: moment(self.updated),
        })
    }

    /// Whether it was active.
    pub fn was_active(&self) -> bool {
        self.status.as_deref().map(TenantStatus::read) == Some(TenantStatus::Active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_is_cleaned_of_hosts_addresses_and_paths() {
        for (text, cleaned) in [
            ("Creating folder", "Creating folder"),
            ("Connecting to Security Center on ksc.internal", "Connecting to Security Center on …"),
            ("Waiting for https://ksc:13000/x now", "Waiting for … now"),
            (r"Reading \\ksc\share at 10.0.0.1:7271.", "Reading … at …"),
            ("Copying to fe80::1 and ksc:13000", "Copying to … and …"),
            ("Reading\tksc.internal\nnow", "Reading … now"),
            ("Opening (/opt/viis) or path=/etc/x", "Opening … or …"),
            ("Step 2/3: done, 12 of 14", "Step 2/3: done, 12 of 14"),
            ("Step 2/3.", "Step 2/3."),
        ] {
            assert_eq!(without_places(text), cleaned);
        }
    }
}
