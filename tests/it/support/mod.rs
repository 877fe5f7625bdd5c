//! The fixtures of all tests: databases, gateways, callers.

mod answer;
pub mod app;
pub mod browser;
pub mod caller;
pub mod collector;
pub mod database;
pub mod identity_provider;
pub mod master_key;
pub mod notes;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod streams;
pub mod world;

pub use answer::Answer;
pub use app::TestApp;
pub use caller::{Caller, Credentials};
pub use database::{Engine, TestDatabase};
pub use world::World;

/// The fixture of a property on one of the two databases.
pub trait OnEngine {
    async fn on(engine: Engine) -> Self;
}

/// Declares each property as two tests, one on SQLite and one on PostgreSQL.
macro_rules! both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($given:ident: $what:ty $(,)?) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "not every property needs all of its file")]
            use super::*;
            use crate::support::{Engine, OnEngine};

            async fn property($given: $what) $body

            #[tokio::test]
            async fn sqlite() {
                property(<$what as OnEngine>::on(Engine::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                property(<$what as OnEngine>::on(Engine::Postgres).await).await;
            }
        }
    )*};
}
pub(crate) use both_databases;

/// Polls until there is a value, for at most that many seconds.
pub async fn eventually<T>(seconds: u64, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {seconds} s");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
