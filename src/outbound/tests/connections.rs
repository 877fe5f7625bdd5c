//! The connections that calls go over.

use futures_util::future::join_all;

use super::scripted_server::{Act, bytes, ok};
use super::*;

#[tokio::test]
async fn calls_at_the_same_time_have_a_connection_each_and_later_ones_reuse_them() {
    let server = ScriptedServer::start(|before, _| match before {
        0..3 => Act::SayLater(bytes(200, "", "")),
        _ => ok(""),
    })
    .await;
    let (outbound, route, operation) = (outbound(), route(&server), operation());
    let send = |path| outbound.send(&operation, &route, write(path));
    let together = join_all(["a", "b", "c"].map(send));
    let (outcomes, ()) = tokio::join!(together, async {
        until(|| server.count() == 3).await;
        server.go();
    });
    assert!(outcomes.iter().all(Result::is_ok));
    for path in ["d", "e", "f", "g"] {
        send(path).await.unwrap();
    }
    join_all(["h", "i", "j"].map(send)).await;
    assert_eq!((server.count(), server.connections(), server.closed()), (10, 3, 0));
}

#[tokio::test]
async fn connection_that_was_closed_while_idle_is_replaced() {
    let server = ScriptedServer::start(|_, _| Act::SayAndClose(bytes(200, "", ""))).await;
    let (outbound, route) = (outbound(), route(&server));
    for sent in 1..=20 {
        outbound.send(&operation(), &route, write("a")).await.unwrap();
        // The runtime sees that the server has closed it when it waits for the first time.
        let waited = std::cell::Cell::new(false);
        until(|| waited.replace(true) && server.closed() == sent).await;
    }
    assert_eq!((server.count(), server.connections()), (20, 20));
}

#[tokio::test]
async fn response_that_was_not_asked_for_is_not_that_of_another_request() {
    let server = ScriptedServer::start(|before, _| match before {
        0 => Act::Say([bytes(200, "", "first"), bytes(200, "", "of another tenant")].concat()),
        _ => ok("second"),
    })
    .await;
    let (outbound, route) = (outbound(), route(&server));
    for expected in ["first", "second"] {
        let answer = outbound.send(&operation(), &route, write("a")).await.unwrap();
        assert_eq!(answer.body, expected);
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn each_base_url_of_an_upstream_has_its_own_connections() {
    let one = ScriptedServer::start(|_, _| ok("one")).await;
    let other = ScriptedServer::start(|_, _| ok("other")).await;
    let outbound = outbound();
    for _ in 0..2 {
        for (server, expected) in [(&one, "one"), (&other, "other")] {
            let answer = outbound.send(&operation(), &route(server), write("a")).await.unwrap();
            assert_eq!(answer.body, expected);
        }
    }
    for server in [&one, &other] {
        assert_eq!((server.count(), server.connections()), (2, 1));
    }
}

#[tokio::test]
async fn abandoned_call_closes_its_connection() {
    let server = ScriptedServer::start(|before, _| match before {
        0 => Act::Hang,
        1 => Act::Flood,
        _ => ok(""),
    })
    .await;
    let (outbound, route, operation) = (outbound(), route(&server), operation());
    for seen in 1..=2 {
        let endless = Call { answer_limit: usize::MAX, ..write("a") };
        tokio::select! {
            outcome = outbound.send(&operation, &route, endless) => panic!("{outcome:?}"),
            () = until(|| server.count() == seen) => {}
        }
    }
    outbound.send(&operation, &route, write("a")).await.unwrap();
    assert_eq!(server.connections(), 3);
    // A server that hangs does not notice.
    until(|| server.closed() == 1).await;
}

#[tokio::test]
async fn idle_connection_is_closed() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let (outbound, route) = (outbound(), route(&server));
    outbound.send(&operation(), &route, write("a")).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(14)).await;
    outbound.send(&operation(), &route, write("a")).await.unwrap();
    assert_eq!((server.connections(), server.closed()), (1, 0));
    tokio::time::advance(Duration::from_secs(30)).await;
    until(|| server.closed() == 1).await;
    outbound.send(&operation(), &route, write("a")).await.unwrap();
    assert_eq!(server.connections(), 2);
}
