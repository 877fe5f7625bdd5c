//! What requests of a browser carry beside their content: cookies, the token against forged
//! requests, and the origin of the page that sent them.

pub mod cookies;
pub mod csrf;
pub mod same_origin;
