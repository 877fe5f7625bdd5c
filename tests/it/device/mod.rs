//! Device authorization: programs without a browser, in both forms.

mod held;
mod limits;
mod polling;
mod program;
mod walls;
