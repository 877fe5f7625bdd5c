//! Cookies, CSRF tokens and origins of requests from browsers.

pub mod cookies;
pub mod csrf;
pub mod same_origin;
