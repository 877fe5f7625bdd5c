//! The manager as a console behind the simulator's host.

use super::calls;
use super::manager::Manager;
use crate::answer::{Answer, BodyFormat};
use crate::host::Console;
use crate::request::Request;

impl Console for Manager {
    const BASE: &'static str = "/api";
    const FORMAT: BodyFormat = BodyFormat::Json;

    fn tenant(&self, request: &Request) -> Option<String> {
        let by_key = self
            .secret_of(request)
            .and_then(|secret| self.secrets.get(secret))
            .map(|key| key.tenant);
        let by_session = || {
            request.cookie("sID").and_then(|id| self.sessions.get(id)).map(|session| session.tenant)
        };
        by_key.or_else(by_session).map(|tenant| tenant.to_string())
    }

    fn answer(&mut self, request: &Request) -> Answer {
        settle(self);
        let mut answer = calls::handle(self, request).unwrap_or_else(|refusal| refusal.answer());
        if answer.status == 429 {
            answer.headers.extend(
                self.dialect.retry_after.map(|seconds| ("retry-after", seconds.to_string())),
            );
        }
        answer.headers.push(("cache-control", "no-cache,no-store".to_owned()));
        answer.headers.push(("x-frame-options", "SAMEORIGIN".to_owned()));
        answer
    }
}

/// Applies the changes of state that are due.
fn settle(manager: &mut Manager) {
    let now = manager.clock.now();
    for tenant in manager.tenants.values_mut() {
        if let Some((_, state)) = tenant.becomes.take_if(|(moment, _)| *moment <= now) {
            tenant.object.insert("tenantState".to_owned(), state.into());
        }
    }
}
