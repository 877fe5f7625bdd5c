//! The headers that choose the tenant of a request.

use crate::error::{Error, ErrorCode, Result};

/// The value of the header `X-Tenant-Context`; `None` if it is not UTF-8, which names no tenant.
pub struct TenantHeader(pub Option<String>);

/// Reads the tenant headers of a request: `X-Tenant-Context`, also accepted as `X-Tenant-ID`.
///
/// # Errors
/// `BAD_REQUEST` for an empty value, several values, a list, or two names that disagree.
pub fn tenant_header<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
    per_name: [usize; 2],
) -> Result<Option<TenantHeader>> {
    let bad = |message| Err(Error::new(ErrorCode::BadRequest, message));
    if per_name.iter().any(|count| *count > 1) {
        return bad("X-Tenant-Context: one tenant at a time");
    }
    let mut values = values.into_iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return bad("X-Tenant-Context and X-Tenant-ID disagree");
    }
    if first.is_empty() {
        return bad("X-Tenant-Context: must not be empty");
    }
    if first.contains(&b',') {
        return bad("X-Tenant-Context: one tenant at a time");
    }
    Ok(Some(TenantHeader(std::str::from_utf8(first).ok().map(str::to_owned))))
}
