//! Tasks: work that an Integration Server continues after its answer, and that the gateway follows
//! to its end.
//!
//! The gateway writes a record before it sends the call, and adds the task's identifier after the
//! answer. One node at a time works on a task, by a lease in the record: it polls the task, or
//! reconciles it if the answer was lost, and stores each change in a history. Subscribers on any
//! node read the history and cause no calls.
//!
//! | file | what it holds |
//! |---|---|
//! | [`model`] | purposes, phases, snapshots |
//! | `entity`, `record` | the tables, and a row with its texts as types |
//! | [`service`] | records, leases and histories in the database |
//! | [`reconcile`] | finding a task whose answer was lost |
//! | [`session`] | one task with its server: polling, storing, ending |
//! | [`poller`] | the background job over all tasks of this node |
//! | [`history`], [`watching`] | the readers of histories, and subscriptions |

mod entity;
pub mod history;
pub mod model;
pub mod poller;
pub mod reconcile;
mod record;
pub mod service;
pub mod session;
pub mod watching;

pub use record::TaskRecord;
pub use service::{ClaimedTask, TaskFigures, Tasks, figures};
