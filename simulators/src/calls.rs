//! Which calls are meant: by a fault order, or by a question about what was seen.

use serde::Deserialize;

use crate::wildcards::fits;

/// A set of calls. What is not set matches every call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Calls {
    method: Option<String>,
    path: Option<String>,
    tenant: Option<String>,
}

impl Calls {
    /// Every call.
    pub fn all() -> Self {
        Self::default()
    }

    /// Calls of a method to a path below the base URL; in both `*` stands for any text:
    /// `/tenants/*/apikeys`.
    pub fn to(method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), tenant: None }
    }

    /// Only those of that tenant: made with its credential, or, where one credential serves all,
    /// naming it.
    #[must_use]
    pub fn of(self, tenant: impl ToString) -> Self {
        Self { tenant: Some(tenant.to_string()), ..self }
    }

    /// Whether a call is among them.
    pub(crate) fn include(&self, method: &str, path: &str, tenant: Option<&str>) -> bool {
        self.method.as_ref().is_none_or(|wanted| fits(wanted, method, '*', None))
            && self.path.as_ref().is_none_or(|wanted| fits(wanted, path, '*', None))
            && self.tenant.as_ref().is_none_or(|wanted| Some(wanted.as_str()) == tenant)
    }
}
