//! One call on the wire.

use std::collections::BTreeSet;

use super::scripted_server::{Act, answer, bytes, ok};
use super::*;

fn headers(request: &str) -> BTreeSet<(String, String)> {
    let lines = request.lines().skip(1).take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.into()))
        .collect()
}

#[tokio::test]
async fn only_the_call_its_request_id_and_its_trace_are_sent() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let deadline = Instant::now() + Duration::from_secs(5);
    let operation = Operation::new("r-42".to_owned(), Some(given.to_owned()), ALLOWANCE, deadline);
    let call = Call { headers: vec![("api-secret-key", "k".to_owned())], ..read("computers") };
    outbound().send(&operation, &route(&server), call).await.unwrap();
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("GET /computers HTTP/1.1\r\n"), "{seen}");
    let mut sent = headers(&seen);
    let trace = sent.iter().find(|(name, _)| name == "traceparent").unwrap().1.clone();
    sent.retain(|(name, _)| name != "traceparent");
    let expected = [
        ("accept-encoding", "identity"),
        ("api-secret-key", "k"),
        ("host", &server.address.to_string()),
        ("x-request-id", "r-42"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent, BTreeSet::from(expected));
    assert!(
        trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && trace.ends_with("-01"),
        "{trace}"
    );
    assert!(!trace.contains("00f067aa0ba902b7"), "a span of its own: {trace}");
}

#[tokio::test]
async fn calls_of_an_operation_form_one_trace() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let outbound = outbound();
    let operation = operation();
    for path in ["a", "b"] {
        outbound.send(&operation, &route(&server), read(path)).await.unwrap();
    }
    let traces: Vec<_> = server.seen().iter().flat_map(|seen| headers(seen)).collect();
    let traces: Vec<_> =
        traces.iter().filter(|(name, _)| name == "traceparent").map(|(_, value)| value).collect();
    assert_eq!(traces[0][..36], traces[1][..36]);
    assert_ne!(traces[0], traces[1]);
    assert_eq!(server.connections(), 1, "and go over one connection");
}

#[tokio::test]
async fn path_segments_and_query_values_are_encoded() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let call = Call {
        path: vec!["a/b?c#d".into(), "%2e".into(), "ä b".into()],
        query: vec![("q", "1&x=2 +".into()), ("y", "".into())],
        ..read("")
    };
    let base = format!("{}/base/", server.url());
    outbound().send(&operation(), &route_to(endpoint(&base)), call).await.unwrap();
    let expected = "GET /base/a%2Fb%3Fc%23d/%252e/%C3%A4%20b?q=1%26x%3D2%20%2B&y= HTTP/1.1\r\n";
    assert!(server.seen()[0].starts_with(expected), "{:?}", server.seen());
}

#[tokio::test]
async fn call_that_would_leave_the_base_url_is_not_sent() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let outbound = outbound();
    let route = route(&server);
    for call in [
        Call { path: vec!["a".into(), "..".into()], ..read("") },
        Call { path: vec![".".into()], ..read("") },
        Call { headers: vec![("x", "1\r\nhost: elsewhere".to_owned())], ..read("a") },
    ] {
        let failure = outbound.send(&operation(), &route, call).await.unwrap_err();
        assert!(matches!(failure, Failure::InvalidRequest(_)), "{failure:?}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn answer_contains_status_headers_cookies_and_request_id() {
    let headers = "Content-Type: application/json\r\nSet-Cookie: sID=1; Path=/\r\n\
                   Set-Cookie: b=2\r\nX-Request-Id: far-9\r\n";
    let server = ScriptedServer::start(move |_, _| answer(404, headers, "{}")).await;
    let operation = operation();
    let answer = outbound().send(&operation, &route(&server), read("a")).await.unwrap();
    assert_eq!((answer.status, answer.content_type.as_deref()), (404, Some("application/json")));
    assert_eq!(
        (answer.cookies.as_slice(), &*answer.body),
        (["sID=1; Path=/", "b=2"].map(String::from).as_slice(), &b"{}"[..])
    );
    assert_eq!(operation.upstream_request_ids(), ["far-9"]);
}

#[tokio::test]
async fn redirect_is_returned_and_not_followed() {
    let server = ScriptedServer::start(|_, _| answer(302, "Location: /elsewhere\r\n", "")).await;
    let answer = outbound().send(&operation(), &route(&server), read("a")).await.unwrap();
    assert_eq!((answer.status, answer.location.as_deref()), (302, Some("/elsewhere")));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn reading_ends_at_the_length_limit() {
    let server = ScriptedServer::start(|_, _| Act::Flood).await;
    let call = Call { answer_limit: 100_000, ..read("a") };
    let failure = outbound().send(&operation(), &route(&server), call).await.unwrap_err();
    assert!(matches!(failure, Failure::Malformed(_)), "{failure:?}");
    // Beyond the limit, only the socket buffers were filled.
    assert!(server.written() < 16 * 1024 * 1024, "{}", server.written());
}

#[tokio::test]
async fn malformed_answers_and_lost_connections_are_distinguished() {
    let packed = bytes(200, "Content-Encoding: gzip\r\n", "packed");
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    for (said, malformed) in
        [(packed, true), (b"SMTP here\r\n\r\n".to_vec(), true), (half, false), (Vec::new(), false)]
    {
        let text = String::from_utf8_lossy(&said).into_owned();
        let server = ScriptedServer::start(move |_, _| Act::SayAndClose(said.clone())).await;
        let outbound = outbound_by(Settings { retries: 0, ..settings() });
        let failure = outbound.send(&operation(), &route(&server), read("a")).await.unwrap_err();
        if malformed {
            assert!(matches!(failure, Failure::Malformed(_)), "{text}: {failure:?}");
        } else {
            assert!(matches!(failure, Failure::ConnectionLost(_)), "{text}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn name_that_resolves_to_a_forbidden_address_is_not_called() {
    let server = ScriptedServer::start(|_, _| ok("")).await;
    let closed = AddressPolicy { allow_private: false };
    // A host name is only checked when it is called.
    let url = format!("https://localhost:{}", server.address.port());
    let endpoint = Endpoint {
        base_url: BaseUrl::parse("baseURL", &url, closed).unwrap(),
        ..endpoint(&server.url())
    };
    let outbound = outbound_by(Settings { addresses: closed, ..settings() });
    let failure = outbound.send(&operation(), &route_to(endpoint), read("a")).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Unreachable(cause) if cause.contains("resolves to no address")),
        "{failure:?}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn long_answer_is_parsed_on_another_thread_than_requests_are_served_on() {
    let server = ScriptedServer::start(|_, request| {
        ok(&"x".repeat(if request.starts_with("GET /long ") { 300_000 } else { 3 }))
    })
    .await;
    let outbound = outbound();
    let serving = std::thread::current().id();
    for (path, is_elsewhere) in [("short", false), ("long", true)] {
        let operation = operation_of(Duration::from_secs(5));
        let answer = outbound.send(&operation, &route(&server), read(path)).await.unwrap();
        let thread = outbound.parse(&answer, || std::thread::current().id()).await;
        assert_eq!(thread != serving, is_elsewhere, "{path}");
    }
}
