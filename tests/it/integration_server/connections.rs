//! The client over real connections to a scripted server.

use std::sync::{Arc, Mutex};

use tenant_gateway::error::{Error, ErrorCode};
use tenant_gateway::integration_server::client::{CallErrorKind, Client};
use tenant_gateway::integration_server::model::{Cancellation, Started, TaskFilter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{complete, id, operation};

const TASK: &str = "78fce85d-2c37-4118-93d4-f844f23be6fd";

/// A server that answers every request alike and keeps the requests.
struct Server {
    base_url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers with these bytes and closes; closes at once if they are empty.
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/root", listener.local_addr().unwrap());
        let kept = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                kept.lock().unwrap().push(request);
                stream.write_all(&answer).await.ok();
            }
        });
        Self { base_url, asked }
    }

    async fn with(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::answering(format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: \
            {length}\r\n{headers}\r\n{body}"
        ))
        .await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn client(&self) -> Client {
        super::client(&self.base_url, "pass:word")
    }
}

/// Reads a request up to the end of its declared body.
async fn request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).await.unwrap_or(0);
        read.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return text;
            }
            continue;
        };
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

#[tokio::test]
async fn read_asks_under_the_account_and_keeps_identifiers_in_their_segment() {
    let server = Server::with("200 OK", "Content-Type: text/xml\r\n", "<x><vm id='1'/></x>").await;
    let machines = server.client().machines(&operation(), &id("a b%2Fc")).await.unwrap();
    assert_eq!(machines[0].id.as_str(), "1");
    let [asked] = server.asked().try_into().unwrap();
    assert!(
        asked.starts_with("GET /root/api/2.0/virtualization/tenants/a%20b%252Fc/vms HTTP/1.1\r\n"),
        "{asked}"
    );
    let asked = asked.to_ascii_lowercase();
    assert!(asked.contains("accept: application/xml\r\n"));
    assert!(asked.contains(
        &"authorization: Basic bXVsdGl0ZW5hbmN5OnBhc3M6d29yZA==\r\n".to_ascii_lowercase()
    ));
}

#[tokio::test]
async fn tenant_is_sent_as_xml_and_its_task_is_found_in_the_location() {
    let server = Server::with(
        "202 Accepted",
        &format!("Location: /api/2.0/virtualization/tasks/{TASK}\r\n"),
        "",
    )
    .await;
    let started =
        server.client().create_tenant(&operation(), &complete("Contoso & Söhne")).await.unwrap();
    assert_eq!(started, Started::Task(id(TASK)));
    let [asked] = server.asked().try_into().unwrap();
    assert!(
        asked.contains("<name>Contoso &amp; Söhne</name>")
            && asked.contains("<password>R29vZC1QYXNzMQ==</password>")
    );
    assert!(
        asked.to_ascii_lowercase().contains("content-type: application/xml; charset=utf-8\r\n")
    );
}

#[tokio::test]
async fn accepted_work_without_a_name_is_no_failure() {
    let server = Server::with("202 Accepted", "", "<html>thanks").await;
    assert_eq!(
        server.client().activate_tenant(&operation(), &id("1")).await.unwrap(),
        Started::Unnamed
    );
    let [asked] = server.asked().try_into().unwrap();
    assert!(asked.to_ascii_lowercase().contains("content-length: 0\r\n"), "{asked}");
}

#[tokio::test]
async fn write_is_sent_once_and_a_lost_answer_leaves_its_outcome_unknown() {
    for answer in [
        "",
        "HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n<task",
        "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n",
    ] {
        let server = Server::answering(answer).await;
        let fault = server
            .client()
            .create_tenant(&operation(), &complete("Contoso & Söhne"))
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), CallErrorKind::OutcomeUnknown, "{answer}");
        let error = Error::from(fault);
        assert!(error.is_outcome_unknown() && !error.retryable());
        assert!(!format!("{error:?}").contains("R29vZC1QYXNzMQ"));
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn read_is_repeated_after_a_lost_answer() {
    let server = Server::answering("").await;
    let fault = server.client().tenants(&operation()).await.unwrap_err();
    assert_eq!((fault.kind(), server.asked().len()), (CallErrorKind::Failed, 3));
}

#[tokio::test]
async fn answer_about_another_object_is_malformed() {
    let server =
        Server::with("200 OK", "", "<tenant id='2'><name>somebody else's</name></tenant>").await;
    let fault = server.client().tenant(&operation(), &id("1")).await.unwrap_err();
    assert_eq!(Error::from(fault).code(), ErrorCode::UpstreamMalformed);
}

#[tokio::test]
async fn pages_and_redirects_under_any_status_are_no_answers() {
    for (status, headers) in
        [("200 OK", ""), ("302 Found", "Location: http://127.0.0.1:1/\r\n"), ("204 No Content", "")]
    {
        let body = if status.starts_with("204") { "" } else { "<html><body>sign in</body></html>" };
        let server = Server::with(status, headers, body).await;
        let fault = server.client().tenants(&operation()).await.unwrap_err();
        assert_eq!(Error::from(fault).code(), ErrorCode::UpstreamMalformed, "{status}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn refused_account_is_reported_as_unauthorized() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let server = Server::with(status, "", "").await;
        let fault = server.client().tasks(&operation(), &TaskFilter::default()).await.unwrap_err();
        assert_eq!(fault.kind(), CallErrorKind::Unauthorized);
        assert_eq!(Error::from(fault).code(), ErrorCode::UpstreamUnauthorized);
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn answer_that_is_too_long_is_refused() {
    let server = Server::with("200 OK", "", &format!("<x>{}</x>", "<y/>".repeat(3_000_000))).await;
    let fault = server.client().tenants(&operation()).await.unwrap_err();
    assert_eq!(Error::from(fault).code(), ErrorCode::UpstreamMalformed);
}

#[tokio::test]
async fn canceling_distinguishes_ended_from_running_tasks() {
    for (status, expected) in
        [("200 OK", Cancellation::Done), ("202 Accepted", Cancellation::Underway)]
    {
        let server = Server::with(status, "", "").await;
        assert_eq!(server.client().cancel_task(&operation(), &id(TASK)).await.unwrap(), expected);
    }
    for (status, kind) in [
        ("405 Method Not Allowed", CallErrorKind::TaskIsPart),
        ("409 Conflict", CallErrorKind::TaskEnded),
        ("404 Not Found", CallErrorKind::TaskNotFound),
    ] {
        let server = Server::with(status, "", "").await;
        assert_eq!(
            server.client().cancel_task(&operation(), &id(TASK)).await.unwrap_err().kind(),
            kind
        );
    }
}
