//! Authentication: one account for all calls (reference, section 1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::installation::Installation;
use super::refusal::Refusal;
use crate::request::Request;

/// The only account; its name is fixed.
pub(crate) const ACCOUNT: &str = "multitenancy";

impl Installation {
    /// Refuses a request without the account and its password.
    pub fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let shown = request.header("authorization").and_then(basic);
        let right = shown
            .is_some_and(|(account, password)| account == ACCOUNT && password == self.password);
        let refusal =
            || Refusal::new(self.dialect.refused_credential, "Access to the resource is denied");
        right.then_some(()).ok_or_else(refusal)
    }
}

/// Name and password of a `Basic` header; only the first colon parts them.
fn basic(header: &str) -> Option<(String, String)> {
    let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (account, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some((account.to_owned(), password.to_owned()))
}
