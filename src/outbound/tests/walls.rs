//! What one read may serve, and what it may not.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::far_side::{Act, bytes, ok};
use super::*;
use crate::error::{Error, Result};

async fn slow() -> FarSide {
    FarSide::start(|before, _| Act::SayLater(bytes(200, "", &before.to_string()))).await
}

/// Two calls at the same moment; how many requests that makes.
async fn requests(
    one: (UpstreamRoute, Call),
    other: (UpstreamRoute, Call),
    far_side: &FarSide,
    expected: usize,
) {
    // So long that no repetition can be taken for a second call.
    let patient = Settings { retries: 0, timeout: Duration::from_secs(60), ..settings() };
    let (outbound, operation) = (outbound_by(patient), operation_of(Duration::from_secs(60)));
    let calls = async {
        tokio::join!(
            outbound.send(&operation, &one.0, one.1),
            outbound.send(&operation, &other.0, other.1)
        )
    };
    let watching = async {
        until(|| far_side.count() >= expected).await;
        far_side.go();
    };
    let ((one, other), ()) = tokio::join!(calls, watching);
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(far_side.count(), expected);
    assert_eq!(operation.calls(), expected as u64);
}

#[tokio::test]
async fn identical_reads_share_one_call() {
    let far_side = slow().await;
    let route = route(&far_side);
    requests((route.clone(), read("a")), (route, read("a")), &far_side, 1).await;
}

#[tokio::test]
async fn reads_that_differ_in_anything_do_not_share() {
    let others: [fn(UpstreamRoute) -> (UpstreamRoute, Call); 9] = [
        |route| (UpstreamRoute { tenant: tenant(2), ..route }, read("a")),
        |route| (UpstreamRoute { identity: Identity("other".to_owned()), ..route }, read("a")),
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
        let far_side = slow().await;
        let route = route(&far_side);
        requests((route.clone(), read("a")), other(route), &far_side, 2).await;
    }
}

#[tokio::test]
async fn writes_never_share() {
    let far_side = slow().await;
    let route = route(&far_side);
    requests((route.clone(), write("a")), (route, write("a")), &far_side, 2).await;
}

#[tokio::test]
async fn followers_survive_a_cancelled_leader() {
    let far_side = slow().await;
    let (outbound, route) = (Arc::new(outbound()), route(&far_side));
    let send = |operation: Operation| {
        let (outbound, route) = (outbound.clone(), route.clone());
        tokio::spawn(async move { outbound.send(&operation, &route, read("a")).await })
    };
    let leader = send(operation());
    until(|| far_side.count() == 1).await;
    let followers: Vec<_> = (0..5).map(|_| operation()).collect();
    let waiting: Vec<_> = followers.iter().cloned().map(send).collect();
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    far_side.go();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(far_side.count(), 1);
    assert!(followers.iter().all(|operation| operation.calls() == 0), "who sent it paid for it");
}

#[tokio::test]
async fn what_a_leader_ran_out_of_does_not_fail_its_followers() {
    let far_side = slow().await;
    let (outbound, route) = (outbound(), route(&far_side));
    let (hasty, patient) = (operation_of(Duration::from_millis(300)), operation());
    let first = outbound.send(&hasty, &route, read("a"));
    let second = async {
        until(|| far_side.count() == 1).await;
        outbound.send(&patient, &route, read("a")).await
    };
    let letting_go = async {
        until(|| far_side.count() == 2).await;
        far_side.go();
    };
    let (first, second, ()) = tokio::join!(first, second, letting_go);
    assert!(matches!(first, Err(Failure::Deadline)));
    assert_eq!(second.unwrap().status, 200);
}

#[tokio::test]
async fn what_nobody_waits_for_is_given_up() {
    let far_side = slow().await;
    let (outbound, route) = (outbound(), route(&far_side));
    let abandoned = tokio::time::timeout(
        Duration::from_millis(100),
        outbound.send(&operation(), &route, read("a")),
    )
    .await;
    assert!(abandoned.is_err());
    let anew = async {
        until(|| far_side.count() == 2).await;
        far_side.go();
    };
    let operation = operation();
    let (answer, ()) = tokio::join!(outbound.send(&operation, &route, read("a")), anew);
    assert_eq!(&*answer.unwrap().body, b"1");
}

fn remembered(path: &'static str) -> Call {
    Call { cache_ttl: Some(Duration::from_secs(60)), ..read(path) }
}

async fn body(outbound: &Outbound, route: &UpstreamRoute, call: Call) -> String {
    let answer = outbound.send(&operation(), route, call).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_answer_is_remembered_where_it_may_be_and_for_whom() {
    let far_side = FarSide::start(|before, _| ok(&before.to_string())).await;
    let (outbound, route) = (outbound(), route(&far_side));
    assert_eq!(body(&outbound, &route, remembered("a")).await, "0");
    assert_eq!(body(&outbound, &route, remembered("a")).await, "0");
    assert_eq!(
        body(&outbound, &route, read("a")).await,
        "1",
        "who did not ask for old news gets none"
    );
    let other = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    assert_eq!(body(&outbound, &other, remembered("a")).await, "2");
    let other = UpstreamRoute { identity: Identity("other".to_owned()), ..route.clone() };
    assert_eq!(body(&outbound, &other, remembered("a")).await, "3");
    let short = Call { cache_ttl: Some(Duration::ZERO), ..read("b") };
    assert_eq!(body(&outbound, &route, short).await, "4");
    assert_eq!(body(&outbound, &route, remembered("b")).await, "5");
}

#[tokio::test]
async fn a_write_clears_what_its_tenant_remembers_and_no_other() {
    let far_side = FarSide::start(|before, _| ok(&before.to_string())).await;
    let (outbound, route) = (outbound(), route(&far_side));
    let other = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    assert_eq!(body(&outbound, &route, remembered("a")).await, "0");
    assert_eq!(body(&outbound, &other, remembered("a")).await, "1");
    body(&outbound, &route, write("a")).await;
    assert_eq!(body(&outbound, &route, remembered("a")).await, "3");
    assert_eq!(body(&outbound, &other, remembered("a")).await, "1");
    outbound.invalidate(other.tenant, other.endpoint.upstream);
    assert_eq!(body(&outbound, &other, remembered("a")).await, "4");
}

#[tokio::test]
async fn a_read_that_began_before_a_write_answers_nobody_who_asks_after_it() {
    let far_side = FarSide::start(|before, _| match before {
        0 => Act::SayLater(bytes(200, "", "old")),
        _ => ok("new"),
    })
    .await;
    let (outbound, route) = (outbound(), route(&far_side));
    let after = async {
        until(|| far_side.count() == 1).await;
        body(&outbound, &route, write("a")).await;
        let shared = body(&outbound, &route, remembered("b")).await;
        far_side.go();
        shared
    };
    let (before, after) = tokio::join!(body(&outbound, &route, remembered("b")), after);
    assert_eq!((&*before, &*after), ("old", "new"));
    assert_eq!(body(&outbound, &route, remembered("b")).await, "new");
}

#[tokio::test]
async fn an_object_is_asked_for_once_an_operation() {
    let far_side = FarSide::start(|_, _| ok("")).await;
    let (operation, asked) = (operation(), AtomicUsize::new(0));
    let route = route(&far_side);
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
async fn an_error_is_asked_for_once_too() {
    let (operation, far_side) = (operation(), slow().await);
    let key = || (route(&far_side).key(), "x".to_owned());
    let refused =
        operation.once::<usize, _>(key(), || async { Err(Error::not_found("computer")) }).await;
    assert!(refused.is_err());
    assert!(operation.once::<usize, _>(key(), || async { Ok(1) }).await.is_err());
}
