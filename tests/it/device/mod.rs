//! Device authorization: programs without a browser, in both forms.

mod held;
mod limits;
mod polling;
pub mod program;
mod walls;
