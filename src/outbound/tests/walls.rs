//! Sharing of reads: which reads share a response, and which must not.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::scripted_server::{Act, bytes, ok};
use super::*;
use crate::error::{Error, Result};

async fn slow() -> ScriptedServer {
    ScriptedServer::start(|before, _| Act::SayLater(bytes(200, "", &before.to_string()))).await
}

/// Makes two calls at the same time and returns the number of requests.
async fn requests(
    one: (UpstreamRoute, Call),
    other: (UpstreamRoute, Call),
    server: &ScriptedServer,
    expected: usize,
) {
    // Long enough that a retry is not taken for a second call.
    let patient = Settings { retries: 0, timeout: Duration::from_mins(1), ..settings() };
    let outbound = outbound_by(patient);
    let operation = operation_of(Duration::from_mins(1));
    let calls = async {
        tokio::join!(
            outbound.send(&operation, &one.0, one.1),
            outbound.send(&operation, &other.0, other.1)
        )
    };
    let watching = async {
        until(|| server.count() >= expected).await;
        server.go();
    };
    let ((one, other), ()) = tokio::join!(calls, watching);
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(server.count(), expected);
    assert_eq!(operation.calls(), expected as u64);
}

#[tokio::test]
async fn identical_reads_share_one_call() {
    let server = slow().await;
    let route = route(&server);
    requests((route.clone(), read("a")), (route, read("a")), &server, 1).await;
}

#[tokio::test]
async fn reads_that_differ_in_anything_do_not_share() {
    let others: [fn(UpstreamRoute) -> (UpstreamRoute, Call); 9] = [
        |route| (UpstreamRoute { tenant: tenant(2), ..route }, read("a")),
        |route| (UpstreamRoute { identity: Identity::new("other"), ..route }, read("a")),
        |route| {
            let again = Endpoint { revision: 2, ..endpoint(route.endpoint.base_url.as_str()) };
            (UpstreamRoute { endpoint: Arc::new(again), ..route }, read("a"))
        },
        |route| {
            let elsewhere = Endpoint {
                upstream: UpstreamId(Uuid::from_u128(8)),
                ..endpoint(route.endpoint.base_url.as_str())
            };
            (UpstreamRoute { endpoint: Arc::new(elsewhere), ..route }, read("a"))
        },
        |route| (route, read("b")),
        |route| (route, Call { method: "POST", ..read("a") }),
        |route| (route, Call { query: vec![("q", "1".into())], ..read("a") }),
        |route| (route, Call { body: Some(Bytes::from_static(b"{}")), ..read("a") }),
        |route| (route, Call { headers: vec![("accept", "text/xml".to_owned())], ..read("a") }),
    ];
    for other in others {
        let server = slow().await;
        let route = route(&server);
        requests((route.clone(), read("a")), other(route), &server, 2).await;
    }
}

#[tokio::test]
async fn writes_never_share() {
    let server = slow().await;
    let route = route(&server);
    requests((route.clone(), write("a")), (route, write("a")), &server, 2).await;
}

#[tokio::test]
async fn followers_survive_a_cancelled_leader() {
    let server = slow().await;
    let outbound = Arc::new(outbound());
    let route = route(&server);
    let send = |operation: Operation| {
        let outbound = outbound.clone();
        let route = route.clone();
        tokio::spawn(async move { outbound.send(&operation, &route, read("a")).await })
    };
    let leader = send(operation());
    until(|| server.count() == 1).await;
    let followers: Vec<_> = (0..5).map(|_| operation()).collect();
    let waiting: Vec<_> = followers.iter().cloned().map(send).collect();
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    server.go();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(server.count(), 1);
    assert!(followers.iter().all(|operation| operation.calls() == 0), "who sent it paid for it");
}

#[tokio::test]
async fn follower_tries_itself_when_the_leader_ran_out_of_time() {
    let server = slow().await;
    let outbound = outbound();
    let route = route(&server);
    let hasty = operation_of(Duration::from_millis(300));
    let patient = operation();
    let first = outbound.send(&hasty, &route, read("a"));
    let second = async {
        until(|| server.count() == 1).await;
        outbound.send(&patient, &route, read("a")).await
    };
    let letting_go = async {
        until(|| server.count() == 2).await;
        server.go();
    };
    let (first, second, ()) = tokio::join!(first, second, letting_go);
    assert!(matches!(first, Err(Failure::Deadline)));
    assert_eq!(second.unwrap().status, 200);
}

#[tokio::test]
async fn read_without_callers_is_cancelled() {
    let server = slow().await;
    let outbound = outbound();
    let route = route(&server);
    let abandoned = tokio::time::timeout(
        Duration::from_millis(100),
        outbound.send(&operation(), &route, read("a")),
    )
    .await;
    assert!(abandoned.is_err());
    let anew = async {
        until(|| server.count() == 2).await;
        server.go();
    };
    let operation = operation();
    let (answer, ()) = tokio::join!(outbound.send(&operation, &route, read("a")), anew);
    assert_eq!(&*answer.unwrap().body, b"1");
}

fn cached(path: &'static str) -> Call {
    Call { cache_ttl: Some(Duration::from_mins(1)), ..read(path) }
}

async fn body(outbound: &Outbound, route: &UpstreamRoute, call: Call) -> String {
    let answer = outbound.send(&operation(), route, call).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn answer_is_cached_per_tenant_and_identity_while_its_ttl_allows() {
    let server = ScriptedServer::start(|before, _| ok(&before.to_string())).await;
    let outbound = outbound();
    let route = route(&server);
    assert_eq!(body(&outbound, &route, cached("a")).await, "0");
    assert_eq!(body(&outbound, &route, cached("a")).await, "0");
    assert_eq!(
        body(&outbound, &route, read("a")).await,
        "1",
        "who did not ask for old news gets none"
    );
    let other = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    assert_eq!(body(&outbound, &other, cached("a")).await, "2");
    let other = UpstreamRoute { identity: Identity::new("other"), ..route.clone() };
    assert_eq!(body(&outbound, &other, cached("a")).await, "3");
    let short = Call { cache_ttl: Some(Duration::ZERO), ..read("b") };
    assert_eq!(body(&outbound, &route, short).await, "4");
    assert_eq!(body(&outbound, &route, cached("b")).await, "5");
}

#[tokio::test]
async fn write_clears_the_cache_of_its_tenant_only() {
    let server = ScriptedServer::start(|before, _| ok(&before.to_string())).await;
    let outbound = outbound();
    let route = route(&server);
    let other = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    assert_eq!(body(&outbound, &route, cached("a")).await, "0");
    assert_eq!(body(&outbound, &other, cached("a")).await, "1");
    body(&outbound, &route, write("a")).await;
    assert_eq!(body(&outbound, &route, cached("a")).await, "3");
    assert_eq!(body(&outbound, &other, cached("a")).await, "1");
    outbound.invalidate(other.tenant, other.endpoint.upstream);
    assert_eq!(body(&outbound, &other, cached("a")).await, "4");
}

#[tokio::test]
async fn read_begun_before_a_write_does_not_answer_reads_after_it() {
    let server = ScriptedServer::start(|before, _| match before {
        0 => Act::SayLater(bytes(200, "", "old")),
        _ => ok("new"),
    })
    .await;
    let outbound = outbound();
    let route = route(&server);
    let after = async {
        until(|| server.count() == 1).await;
        body(&outbound, &route, write("a")).await;
        let shared = body(&outbound, &route, cached("b")).await;
        server.go();
        shared
    };
    let (before, after) = tokio::join!(body(&outbound, &route, cached("b")), after);
    assert_eq!((&*before, &*after), ("old", "new"));
    assert_eq!(body(&outbound, &route, cached("b")).await, "new");
}

#[tokio::test]
async fn object_is_read_once_per_operation() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let operation = operation();
    let asked = AtomicUsize::new(0);
    let route = route(&server);
    let ask = async |route: &UpstreamRoute, name: &str| -> Result<Arc<usize>> {
        let key = (route.key(), name.to_owned());
        let asking = || async {
            tokio::task::yield_now().await;
            Ok(asked.fetch_add(1, Ordering::SeqCst))
        };
        operation.once(key, asking).await
    };
    let found = join_all((0..10).map(|_| ask(&route, "computer 7"))).await;
    assert!(found.iter().all(|found| **found.as_ref().unwrap() == 0));
    assert_eq!(*ask(&route, "computer 8").await.unwrap(), 1);
    let other = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    assert_eq!(*ask(&other, "computer 7").await.unwrap(), 2);
    outbound().send(&operation, &route, write("computers")).await.unwrap();
    assert_eq!(*ask(&route, "computer 7").await.unwrap(), 3, "a write makes it ask anew");
    assert_eq!(*ask(&other, "computer 7").await.unwrap(), 2, "and no other tenant");
}

#[tokio::test]
async fn error_is_kept_once_per_operation() {
    let operation = operation();
    let server = slow().await;
    let key = || (route(&server).key(), "x".to_owned());
    let refused =
        operation.once::<usize, _>(key(), || async { Err(Error::not_found("computer")) }).await;
    assert!(refused.is_err());
    assert!(operation.once::<usize, _>(key(), || async { Ok(1) }).await.is_err());
}
