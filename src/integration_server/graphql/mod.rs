//! The Integration Server in the graph.

mod connection;
mod dates;
mod find;
mod inputs;
mod lists;
mod machine;
mod mutation;
mod object_types;
mod query;
mod report;
mod subscription;
mod task;
mod task_kinds;
mod tenant;

pub use find::{find_machine, find_report, find_task, find_tenant};
pub use machine::MachineObject;
pub use mutation::IntegrationServerMutation;
pub use query::{IntegrationServerObject, IntegrationServerQuery, of_tenant, of_tenant_by_id};
pub use report::ReportObject;
pub use subscription::IntegrationServerSubscription;
pub use task::TaskObject;
pub use tenant::TenantObject;
