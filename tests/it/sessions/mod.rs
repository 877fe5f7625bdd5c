//! Sessions of people: how they begin, what they open, and how they end.

mod graphql;
mod life;
