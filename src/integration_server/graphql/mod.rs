//! The Integration Server in the graph.

mod find;
mod inputs;
mod lists;
mod mutation;
mod objects;
mod query;
mod subscription;
mod task;

pub use find::{find_machine, find_report, find_task, find_tenant};
pub use mutation::IntegrationServerMutation;
pub use objects::{MachineObject, ReportObject, TenantObject};
pub use query::{IntegrationServerObject, IntegrationServerQuery, of_tenant, of_tenant_by_id};
pub use subscription::IntegrationServerSubscription;
pub use task::TaskObject;
