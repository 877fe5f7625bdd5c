//! Failures: reads are retried after transient ones, writes never.

use super::scripted_server::{Act, answer, bytes, ok};
use super::*;

type Fault = (&'static str, fn() -> Act);

/// Everything that can fail after the server has received a request.
fn faults() -> Vec<Fault> {
    vec![
        ("503", || answer(503, "", "")),
        ("429", || answer(429, "Retry-After: 0\r\n", "")),
        ("closes", || Act::SayAndClose(Vec::new())),
        ("half a head", || Act::SayAndClose(b"HTTP/1.1 20".to_vec())),
        ("half a body", || {
            Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec())
        }),
        ("no HTTP", || Act::SayAndClose(b"SMTP here\r\n\r\n".to_vec())),
        ("hangs", || Act::Hang),
        ("too long", || Act::Flood),
    ]
}

#[tokio::test]
async fn write_is_never_sent_twice() {
    for (name, fault) in faults() {
        let server = ScriptedServer::start(move |_, _| fault()).await;
        let outbound = outbound_by(Settings { timeout: Duration::from_millis(300), ..settings() });
        let route = route(&server);
        let outcome = outbound.send(&operation(), &route, write("a")).await;
        let unknown = outcome
            .as_ref()
            .is_err_and(|failure| failure.clone().into_error(&route, true).is_outcome_unknown());
        assert_eq!(unknown, outcome.is_err(), "{name}: {outcome:?}");
        drop(outbound);
        assert_eq!(server.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn write_over_a_closed_connection_is_sent_once() {
    let server = ScriptedServer::start(|_, _| Act::SayAndClose(bytes(200, "", "done"))).await;
    let outbound = outbound();
    let route = route(&server);
    for sent in 1..=20 {
        outbound.send(&operation(), &route, write("a")).await.ok();
        assert!(server.count() <= sent, "{}", server.count());
    }
}

#[tokio::test]
async fn write_without_a_connection_has_a_known_outcome() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let route = route(&server);
    drop(server);
    let outbound = outbound();
    let mut failure = outbound.send(&operation(), &route, write("a")).await.unwrap_err();
    // The listener may still be closing.
    while !matches!(failure, Failure::Unreachable(_)) {
        failure = outbound.send(&operation(), &route, write("a")).await.unwrap_err();
    }
    let error = failure.into_error(&route, true);
    assert!(!error.is_outcome_unknown() && error.retryable());
}

#[tokio::test]
async fn read_is_retried_after_transient_failures() {
    for (name, fault) in
        faults().into_iter().filter(|(name, _)| !["no HTTP", "too long"].contains(name))
    {
        let server = ScriptedServer::start(
            move |before, _| if before < 2 { fault() } else { ok("at last") },
        )
        .await;
        let outbound = outbound_by(Settings { timeout: Duration::from_millis(300), ..settings() });
        let answer = outbound.send(&operation(), &route(&server), read("a")).await;
        assert_eq!(
            answer.map(|answer| answer.status).map_err(|failure| format!("{failure:?}")),
            Ok(200),
            "{name}"
        );
        assert_eq!(server.count(), 3, "{name}");
    }
}

#[tokio::test]
async fn read_is_not_retried_after_permanent_failures() {
    for status in [400, 401, 403, 404, 500, 501] {
        let server = ScriptedServer::start(move |_, _| answer(status, "", "")).await;
        let answer = outbound().send(&operation(), &route(&server), read("a")).await.unwrap();
        assert_eq!((answer.status, server.count()), (status, 1));
    }
}

#[tokio::test]
async fn last_answer_is_returned_when_retries_are_used_up() {
    let server = ScriptedServer::start(|_, _| answer(503, "", "")).await;
    let answer = outbound().send(&operation(), &route(&server), read("a")).await.unwrap();
    assert_eq!((answer.status, server.count()), (503, 3));
}

#[tokio::test]
async fn retry_after_is_honoured() {
    for status in [429, 503] {
        let server = ScriptedServer::start(move |before, _| match before {
            0 => answer(status, "Retry-After: 1\r\n", ""),
            _ => ok(""),
        })
        .await;
        let began = Instant::now();
        let answer = outbound().send(&operation(), &route(&server), read("a")).await.unwrap();
        assert_eq!((answer.status, server.count()), (200, 2));
        assert!(began.elapsed() >= Duration::from_secs(1), "{status}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_fails_at_once() {
    let server = ScriptedServer::start(|_, _| answer(429, "Retry-After: 60\r\n", "")).await;
    let outbound = outbound();
    let route = route(&server);
    let began = Instant::now();
    assert_eq!(outbound.send(&operation(), &route, read("a")).await.unwrap().status, 429);
    let other = UpstreamRoute { tenant: tenant(2), ..route };
    let failure = outbound.send(&operation(), &other, write("b")).await.unwrap_err();
    assert!(
        matches!(failure, Failure::QueueFull),
        "the credential is paused for all tenants: {failure:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn retry_after_beyond_all_time_fails_at_once() {
    for status in [429, 503] {
        let server = ScriptedServer::start(move |_, _| {
            answer(status, "Retry-After: 18446744073709551615\r\n", "")
        })
        .await;
        let answer = outbound().send(&operation(), &route(&server), read("a")).await.unwrap();
        assert_eq!((answer.status, server.count()), (status, 1));
    }
}

#[tokio::test]
async fn read_ends_with_its_operation_and_write_does_not() {
    let server = ScriptedServer::start(|_, _| Act::SayLater(bytes(200, "", ""))).await;
    let outbound = outbound();
    let route = route(&server);
    let operation = operation_of(Duration::from_millis(200));
    let failure = outbound.send(&operation, &route, read("a")).await.unwrap_err();
    assert!(matches!(failure, Failure::Deadline), "{failure:?}");
    let operation = operation_of(Duration::from_millis(200));
    let ended = operation.clone();
    let writing = outbound.send(&operation, &route, write("a"));
    let letting_go = async {
        until(|| ended.deadline(tenant(1)) <= Instant::now()).await;
        server.go();
    };
    let (answer, ()) = tokio::join!(writing, letting_go);
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn call_limit_counts_every_request() {
    let server = ScriptedServer::start(|_, _| answer(503, "", "")).await;
    let allowance = Allowance { calls_per_tenant: 4, ..ALLOWANCE };
    let operation =
        Operation::new("r".to_owned(), None, allowance, Instant::now() + Duration::from_secs(10));
    let outbound = outbound();
    outbound.send(&operation, &route(&server), read("a")).await.unwrap();
    assert_eq!((operation.calls(), operation.tenants()), (3, 1));
    let failure = outbound.send(&operation, &route(&server), read("b")).await.unwrap_err();
    assert!(matches!(failure, Failure::CallLimit { of_tenant: true, limit: 4 }), "{failure:?}");
    assert_eq!((operation.calls(), server.count()), (4, 4));
}
