//! The limits of device authorization on this node.

use std::sync::Arc;
use std::time::Duration;

use super::throttle::Throttle;
use crate::budget::{Network, Pool};
use crate::config::DeviceConfig;

/// How many codes programs of one network may ask for in a minute, decided ones included.
const STARTS_PER_MINUTE: u32 = 60;

/// The state of device authorization on this node.
pub struct DeviceState {
    /// Slows down programs that ask for codes.
    pub starts: Throttle,
    /// Slows down people who enter wrong codes.
    pub wrong_codes: Throttle,
    /// Permits to hold a request until its code is decided.
    pub held: Arc<Pool<Network>>,
    /// How long a request is held at most.
    pub hold: Duration,
}

impl DeviceState {
    /// The limits of the settings; networks are tracked up to that number.
    pub fn new(config: &DeviceConfig, held: Arc<Pool<Network>>, capacity: usize) -> Self {
        let per_minute = config.wrong_codes_per_address;
        let starts = STARTS_PER_MINUTE.max(u32::try_from(config.codes_per_address).unwrap_or(0));
        Self {
            starts: Throttle::new(starts, starts, capacity),
            wrong_codes: Throttle::new(per_minute, per_minute, capacity),
            held,
            hold: config.hold,
        }
    }
}
