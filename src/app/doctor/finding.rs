//! The result of one check.

use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// Nothing to do.
    Ok,
    /// The gateway works, but something should be changed.
    Warning,
    /// The gateway does not work, or is not safe.
    Failed,
}

/// The result of one check. It never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The name of the check, such as `database`.
    pub check: &'static str,
    /// How it ended.
    pub state: FindingState,
    /// The observation.
    pub detail: String,
    /// The step that mends it; absent if nothing has to be done.
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: FindingState::Ok, detail: detail.into(), advice: None }
    }

    pub(super) fn warning(
        check: &'static str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { check, state: FindingState::Warning, detail: detail.into(), advice }
    }

    pub(super) fn failed(
        check: &'static str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { check, state: FindingState::Failed, detail: detail.into(), advice }
    }
}
