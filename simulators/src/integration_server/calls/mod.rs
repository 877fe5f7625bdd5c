//! The fourteen methods, one file a collection (reference, section 2).

mod machines;
mod reports;
mod tasks;
mod tenants;

use super::installation::Installation;
use super::refusal::{Outcome, Refusal};
use crate::request::Request;

/// Carries a request out.
pub(super) fn carry_out(installation: &mut Installation, request: &Request) -> Outcome {
    installation.admit(request)?;
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["tenants", tenant, "vms"]) => machines::list(installation, tenant),
        ("POST", ["tenants", tenant, "vms", "register"]) => {
            machines::register(installation, tenant, &request.body)
        }
        ("POST", ["tenants", tenant, "vms", "unregister"]) => {
            machines::unregister(installation, tenant, request)
        }
        (method, ["tenants", rest @ ..]) => tenants::carry_out(installation, request, method, rest),
        (method, ["tasks", rest @ ..]) => tasks::carry_out(installation, request, method, rest),
        ("POST", ["reports", "tenants"]) => reports::create(installation, request),
        ("GET", ["reports", "tenants", report]) => reports::download(installation, report, request),
        _ => Err(Refusal::not_found()),
    }
}

/// The value of a query parameter.
fn parameter(request: &Request, name: &str) -> Option<String> {
    request.parameters().find(|(found, _)| found == name).map(|(_, value)| value)
}
