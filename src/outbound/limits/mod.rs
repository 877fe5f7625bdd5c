//! Limits that hold calls back: the calls of an operation, its tenants at once, rate, concurrency, the
//! circuit breaker, and the memory of answers.

mod breaker;
mod call_limit;
mod concurrency;
mod fair_queue;
mod held_answer;
mod rate;
mod registry;
mod retry_budget;
mod tenant_slots;

pub(super) use breaker::BreakerPermit;
pub(super) use call_limit::CallLimit;
pub(super) use held_answer::AnswerBudget;
pub use held_answer::HeldAnswer;
pub(super) use rate::RateLimiter;
pub(super) use registry::{RouteRegistry, RouteState};
pub use tenant_slots::TenantSlot;
pub(super) use tenant_slots::TenantSlots;
