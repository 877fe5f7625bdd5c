//! The behaviours that the reference leaves open (section 10), as options of the simulator.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One choice for every behaviour that the reference leaves open. The default is what the reference
/// considers likely; [`Dialect::other`] is the opposite. In JSON, absent members have the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Dialect {
    /// Status for missing, wrong, expired and locked credentials.
    pub refused_credential: u16,
    /// Whether a missing or unknown `api-version` is refused before the credential is checked;
    /// otherwise after.
    pub version_before_credential: bool,
    /// Status for a session with a missing or wrong `rID`.
    pub wrong_rid: u16,
    /// Status for using and creating keys of a tenant that is not active.
    pub inactive_tenant: u16,
    /// Whether `GET /tenants` lists the primary as well.
    pub tenants_include_primary: bool,
    /// Id of the primary tenant; customers are numbered from 1, or from the next one.
    pub primary_id: i32,
    /// Whether a deleted tenant disappears at once; otherwise it becomes `pending-deletion` and its
    /// keys are refused.
    pub tenants_vanish: bool,
    /// How long an asynchronously created tenant stays `created`, in milliseconds.
    pub tenant_creation_millis: i64,
    /// Whether searches are sorted by name by default; otherwise by ID, like lists.
    pub searches_by_name: bool,
    /// Whether `stringTest` ignores case.
    pub ignores_case: bool,
    /// Whether null satisfies `not-equal`.
    pub null_differs: bool,
    /// Whether an unknown search field and a test that does not suit its field are 400; otherwise
    /// they are ignored.
    pub strict_search: bool,
    /// Whether `maxItems` above 5000 is 400; otherwise it is reduced to 5000.
    pub refuses_large_pages: bool,
    /// Whether an unknown or comma-separated `expand` and a wrong boolean are 400; otherwise they
    /// are ignored.
    pub strict_query: bool,
    /// Whether unknown members of a body are 400.
    pub strict_bodies: bool,
    /// Whether names of roles, policies and tenants, and host names, must be unique.
    pub unique_names: bool,
    /// Whether deleting a policy or role in use is 400; otherwise it is deleted and references to it
    /// remain.
    pub keeps_what_is_used: bool,
    /// Status for changing and deleting an immutable role.
    pub immutable_role: u16,
    /// Status for `DELETE` of an unknown id.
    pub delete_unknown: u16,
    /// Whether a body of another content type is 415; otherwise it is read as JSON.
    pub strict_content_type: bool,
    /// Whether a rotation invalidates the previous secret.
    pub one_secret_a_key: bool,
    /// Whether secrets of tenants have the form `<tenant GUID>:<GUID>:<base64>`; otherwise `<key
    /// ID>:<base64>`.
    pub long_tenant_secrets: bool,
    /// The seconds of `Retry-After` with a 429.
    pub retry_after: Option<u32>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            refused_credential: 401,
            version_before_credential: true,
            wrong_rid: 403,
            inactive_tenant: 403,
            tenants_include_primary: false,
            primary_id: 0,
            tenants_vanish: true,
            tenant_creation_millis: 500,
            searches_by_name: true,
            ignores_case: true,
            null_differs: false,
            strict_search: true,
            refuses_large_pages: false,
            strict_query: true,
            strict_bodies: false,
            unique_names: true,
            keeps_what_is_used: true,
            immutable_role: 403,
            delete_unknown: 404,
            strict_content_type: true,
            one_secret_a_key: true,
            long_tenant_secrets: true,
            retry_after: None,
        }
    }
}

impl Dialect {
    /// The opposite choice for every behaviour; a client must handle it too.
    pub fn other() -> Self {
        Self {
            refused_credential: 403,
            version_before_credential: false,
            wrong_rid: 401,
            inactive_tenant: 401,
            tenants_include_primary: true,
            primary_id: 1,
            tenants_vanish: false,
            tenant_creation_millis: 0,
            searches_by_name: false,
            ignores_case: false,
            null_differs: true,
            strict_search: false,
            refuses_large_pages: true,
            strict_query: false,
            strict_bodies: true,
            unique_names: false,
            keeps_what_is_used: false,
            immutable_role: 400,
            delete_unknown: 200,
            strict_content_type: false,
            one_secret_a_key: false,
            long_tenant_secrets: false,
            retry_after: Some(1),
        }
    }
}

impl FromStr for Dialect {
    type Err = String;

    /// Parses `default` or `other`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::default()),
            "other" => Ok(Self::other()),
            _ => Err("a dialect is `default` or `other`".to_owned()),
        }
    }
}
