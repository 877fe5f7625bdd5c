//! The tables of the audit log.

pub mod chain;
mod record;

pub use record::{
    ActiveModel, Column, Entity, Link, Model, first_links, first_seq, last_position, may_prune,
    parts_in_period, prunable, prune_prefix, prune_unchained,
};
