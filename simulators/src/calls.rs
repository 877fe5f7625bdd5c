//! Filters of calls, for fault orders and for queries of the journal.

use serde::Deserialize;

use crate::wildcards::fits;

/// A filter of calls. Criteria that are not set match every call.
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

    /// Calls of a method to a path below the base URL. In both, `*` matches any text:
    /// `/tenants/*/apikeys`.
    pub fn to(method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), tenant: None }
    }

    /// Only calls of that tenant: authenticated with its credential or, where one credential serves
    /// all tenants, naming it.
    #[must_use]
    pub fn of(self, tenant: impl ToString) -> Self {
        Self { tenant: Some(tenant.to_string()), ..self }
    }

    /// Whether a call matches.
    pub(crate) fn include(&self, method: &str, path: &str, tenant: Option<&str>) -> bool {
        self.method.as_ref().is_none_or(|wanted| fits(wanted, method, '*', None))
            && self.path.as_ref().is_none_or(|wanted| fits(wanted, path, '*', None))
            && self.tenant.as_ref().is_none_or(|wanted| Some(wanted.as_str()) == tenant)
    }
}
