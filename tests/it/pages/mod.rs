//! The pages for people: what holds for each of them.

mod forms;
mod headers;
mod sign_in;
