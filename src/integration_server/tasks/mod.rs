//! Tasks: work that an Integration Server does after it has answered, and that the gateway follows
//! to its end.
//!
//! A record is made before the call goes out and completed with the task's identifier after. One
//! node at a time goes on with a task, by a lease in the record: it asks for the task, or looks for
//! it where the answer was lost, and stores each change in a history. Subscribers on any node read
//! the history; nobody asks the server for them.
//!
//! | file | what it holds |
//! |---|---|
//! | [`model`] | what is kept of a task |
//! | `entity`, [`service`] | where: records, leases, histories |
//! | [`reconcile`] | how a task is found whose answer was lost |
//! | [`poller`] | going on with one task, and with all |
//! | [`watching`] | what subscribers read |

mod entity;
pub mod model;
pub mod poller;
pub mod reconcile;
pub mod service;
pub mod watching;

pub use service::{ClaimedTask, Tasks};
