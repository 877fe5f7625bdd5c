use super::lease::Claim;
use super::*;
use crate::clock::SystemClock;
use crate::database::{Database, Options};
use crate::entropy::SystemEntropy;
use crate::ids::UpstreamId;
use crate::outbound::AddressPolicy;
use crate::seal::MasterKey;
use crate::upstreams::Upstreams;

async fn tasks(folder: &std::path::Path) -> Tasks {
    let url = format!("sqlite:{}", folder.join("tasks.db").display());
    let options = Options { url, max_connections: 2, busy_timeout: Duration::from_secs(10) };
    let database = Arc::new(Database::connect(options).await.unwrap());
    database.migrate().await.unwrap();
    let master = Arc::new(MasterKey::parse(&MasterKey::generate(&SystemEntropy)).unwrap());
    let entropy = Arc::new(SystemEntropy);
    let policy = AddressPolicy { allow_private: false };
    let upstreams = Arc::new(Upstreams::new(database.clone(), master, entropy.clone(), policy, 1));
    let second = Duration::from_secs(1);
    let poll_settings = PollSettings { poll_min: second, poll_max: second, deadline: second };
    Tasks::new(database, upstreams, Arc::new(SystemClock), entropy, poll_settings)
}

#[tokio::test]
async fn leases_are_renewed_beyond_the_limit_of_bound_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = tasks(folder.path()).await;
    let hands: Vec<Claim> =
        (0..40_000).map(|_| tasks.claims.add(TaskId::random(&SystemEntropy))).collect();
    tasks.renew().await.unwrap();
    assert!(hands.iter().all(|hand| tasks.holds_lease(hand.id)));
    assert!(tasks.claim_available().await.unwrap().is_empty());
    drop(hands);
}

#[tokio::test]
async fn recorded_tasks_are_found_beyond_the_limit_of_bound_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = tasks(folder.path()).await;
    let listed = (0..40_000).map(|number: u32| number.to_string()).collect();
    let upstream = UpstreamId(random_uuid(&SystemEntropy));
    assert!(tasks.recorded(upstream, listed).await.unwrap().is_empty());
}
