//! Text of callers and legacy systems is logged as a value: it adds no line or field and sends no
//! command to a terminal.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tenant_gateway::clock::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Credentials, Engine, OnEngine, eventually, raw};

/// A marker that occurs in all hostile text and nowhere else.
const MARK: &str = "forged";

/// Text that would be a line, a field or a terminal command if it were logged unescaped.
const HOSTILE: &[&str] = &[
    "x\r\n2030-01-01T00:00:00.000000Z  INFO forged: forged=1",
    "x\n{\"level\":\"ERROR\",\"forged\":1}",
    "\u{1b}[31mforged\u{1b}[0m\u{1b}]0;forged\u{7}",
    "\u{9b}31mforged\u{7f}",
    "x\",\"forged\":\"1",
    "x\" forged=\"1",
    "x\\\" forged=1 \\",
];

/// Headers that the gateway reads, or that other programs log.
const HEADERS: &[&str] = &[
    "X-Tenant-Context",
    "X-Request-Id",
    "User-Agent",
    "Authorization",
    "traceparent",
    "Forwarded",
    "Origin",
    "Host",
];

/// Sends hostile text in every place a caller controls.
async fn call(administrator: &Caller, to: SocketAddr) {
    for text in HOSTILE {
        for document in [
            "mutation($text: String!) { createTenant(newTenant: { name: $text }) { id } }",
            "mutation($text: String!) { createClient(name: $text) { client { id } } }",
            "query($text: String!) { tenants(tenantsQuery: { name: $text }) { tenants { id } } }",
            "mutation($text: ID!) { deleteClient(id: $text) { id } }",
        ] {
            let answer = administrator.ask(document, json!({ "text": text })).await;
            assert!(
                answer.status < 500 && answer.body.to_string().find("INTERNAL").is_none(),
                "{}",
                answer.body
            );
        }
        let named = json!({
            "query": "query a { __typename } query b { __typename }",
            "operationName": text,
        });
        let post = administrator
            .gateway
            .http
            .post(format!("{}/graphql", administrator.gateway.url))
            .json(&named);
        let answer = administrator.gateway.send(post.bearer_auth(&administrator.token)).await;
        assert_eq!(answer.code(), "OPERATION_RESOLUTION_FAILURE", "{text:?}");
        let answer = administrator.ask(&format!("query {text} {{ {text} }}"), json!({})).await;
        assert_eq!(answer.status, 200, "{text:?}");
        let form = [
            ("grant_type", *text),
            ("client_id", *text),
            ("client_secret", *text),
            ("scope", *text),
        ];
        assert!(
            administrator.gateway.send(administrator.gateway.token_request(&form)).await.status
                < 500
        );
        let stranger =
            Credentials { client_id: (*text).to_owned(), ..administrator.credentials.clone() };
        assert!(administrator.gateway.ask_token(&stranger).await.status < 500);
        for header in HEADERS {
            let request =
                format!("GET /graphql HTTP/1.1\r\nConnection: close\r\n{header}: {text}\r\n\r\n");
            raw::exchange(to, request.as_bytes()).await;
        }
        for line in
            [format!("GET /{text} HTTP/1.1"), format!("GET /{} HTTP/1.1", text.replace(' ', "+"))]
        {
            raw::exchange(to, format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
                .await;
        }
    }
}

/// Lets an installation send hostile text in its status line, its headers and its body, and as
/// invalid HTTP.
async fn be_called(administrator: &Caller) {
    for text in HOSTILE {
        let xml = format!("<error><code>VIRMT_forged</code><message>{text}</message></error>");
        let length = xml.len();
        for answer in [
            format!("HTTP/1.1 500 {text}\r\nContent-Length: 0\r\n\r\n"),
            format!(
                "HTTP/1.1 409 No\r\nX-Request-Id: {text}\r\nContent-Length: {length}\r\n\r\n{xml}"
            ),
            format!(
                "HTTP/1.1 302 No\r\nLocation: {text}\r\nContent-Type: {text}\r\nContent-Length: \
                0\r\n\r\n"
            ),
            format!("HTTP/1.1 200 Yes\r\nContent-Length: {length}\r\n\r\n{xml}"),
            format!("HTTP/1.1 {text}\r\n\r\n"),
            format!("{text}\r\n\r\n"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let place = format!("http://{}", listener.local_addr().unwrap());
            let far_side = tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let mut head = BufReader::new(&mut stream).lines();
                    while head
                        .next_line()
                        .await
                        .is_ok_and(|line| line.is_some_and(|line| !line.is_empty()))
                    {
                    }
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            });
            let input = json!({
                "name": "hostile", "system": "INTEGRATION_SERVER", "baseURL": place,
                "credential": { "basic": { "password": "nothing" } },
            });
            let register = "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: \
                $input) { id } }";
            let upstream = administrator
                .ask(register, json!({ "input": input }))
                .await
                .field("registerUpstream");
            let tenants = "query($id: ID!) { integrationServer { tenants(upstreamID: $id) { nodes \
                { id } } } }";
            let told = administrator.ask(tenants, json!({ "id": upstream["id"] })).await;
            assert_ne!(told.code(), "INTERNAL_SERVER_ERROR");
            assert!(!told.body.to_string().contains(MARK), "{}", told.body);
            far_side.abort();
        }
    }
}

/// A process that received all of it, and its log.
async fn log(format: &str) -> (Process, String) {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let credentials = deployment.init();
    let settings = [
        ("TENANT_GATEWAY__LOG__FORMAT", format),
        ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true"),
        ("TENANT_GATEWAY__UPSTREAM__RETRIES", "0"),
        ("TENANT_GATEWAY__UPSTREAM__CALLS_PER_MINUTE", "0"),
    ];
    let process = deployment.serve_with(&settings).await;
    let administrator = process.log_in(credentials).await;
    let address = process.gateway().url.strip_prefix("http://").unwrap().parse().unwrap();
    call(&administrator, address).await;
    be_called(&administrator).await;
    let text = std::fs::read_to_string(&process.log).unwrap();
    assert!(text.contains(MARK), "some of it is written down");
    (process, text)
}

/// The names of all fields, at any depth.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| [vec![name.as_str()], names(value)].concat())
            .collect(),
        Value::Array(entries) => entries.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// The text outside quotation marks; inside them a backslash escapes the next character.
fn unquoted(line: &str) -> String {
    let mut outside = String::new();
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => drop(characters.next()),
            _ if quoted => {}
            _ => outside.push(character),
        }
    }
    outside
}

#[tokio::test]
async fn each_line_of_json_is_one_record_with_fields_of_ours() {
    let (_process, text) = log("json").await;
    for line in text.lines() {
        let record: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no record: {line:?}"));
        assert!(!names(&record).contains(&MARK), "{line}");
        for own in ["timestamp", "level", "target"] {
            assert!(record[own].as_str().is_some_and(|own| !own.contains(MARK)), "{line}");
        }
    }
}

#[tokio::test]
async fn each_line_of_text_is_one_record_and_no_command_to_a_terminal() {
    let (_process, text) = log("text").await;
    for line in text.split_terminator('\n') {
        assert!(!line.contains(char::is_control), "{line:?}");
        let moment = line.split(' ').next().unwrap();
        assert!(Timestamp::parse("the beginning", moment).is_ok(), "{line:?}");
        assert!(!unquoted(line).contains(MARK), "{line}");
    }
}

/// An installation that answers each request with 503.
async fn overloaded() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hidden-path", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = BufReader::new(&mut stream).lines();
            while head.next_line().await.is_ok_and(|line| line.is_some_and(|line| !line.is_empty()))
            {
            }
            let answer = "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy";
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    url
}

/// Registers the installation and asks it for its tenants in an operation with that name.
async fn ask_tenants(administrator: &Caller, base_url: &str, password: &str, name: &str) {
    let input = json!({
        "name": name, "system": "INTEGRATION_SERVER", "baseURL": base_url,
        "credential": { "basic": { "password": password } },
    });
    let register =
        "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
    let upstream = administrator.ask(register, json!({ "input": input })).await;
    let id = upstream.field("registerUpstream")["id"].clone();
    let tenants = format!(
        "query {name}($id: ID!) {{ integrationServer {{ tenants(upstreamID: $id) {{ nodes {{ id \
         }} }} }} }}"
    );
    assert_eq!(
        administrator.ask(&tenants, json!({ "id": id })).await.code(),
        "UPSTREAM_UNAVAILABLE"
    );
}

#[tokio::test]
async fn debug_follows_one_request_through_admission_calls_and_retry_without_secrets() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let credentials = deployment.init();
    let settings = [
        ("RUST_LOG", "info,tenant_gateway=debug"),
        ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true"),
        ("TENANT_GATEWAY__UPSTREAM__RETRIES", "1"),
    ];
    let process = deployment.serve_with(&settings).await;
    let administrator = process.log_in(credentials).await;
    let password = "a-password-that-no-log-may-have";
    crate::support::notes::note(password);
    ask_tenants(&administrator, &overloaded().await, password, "Overloaded").await;
    ask_tenants(&administrator, "http://127.0.0.1:1/hidden-path", password, "Closed").await;

    let is_last = |record: &Value| {
        record["message"] == "request completed" && record["operation"] == "Closed"
    };
    let records = eventually(10, "the line of the last request", async || {
        let records = process.records();
        records.iter().any(is_last).then_some(records)
    })
    .await;
    let admitted = |name: &str| {
        let found = records.iter().find(|record| {
            record["message"] == "operation admitted" && record["operation"] == name
        });
        found.unwrap_or_else(|| panic!("{name} is not in {records:?}"))
    };
    let of_request = |name: &str, message: &str| {
        let id = &admitted(name)["span"]["request_id"];
        assert!(id.is_string());
        let found = records
            .iter()
            .filter(|record| record["message"] == message && record["span"]["request_id"] == *id);
        found.collect::<Vec<_>>()
    };
    let operation = admitted("Overloaded");
    assert_eq!((&operation["kind"], &operation["level"]), (&json!("query"), &json!("DEBUG")));
    for number in ["fields", "weight", "waited_millis", "millis_left"] {
        assert!(operation[number].is_u64(), "{number} in {operation}");
    }
    let calls = of_request("Overloaded", "upstream call completed");
    assert_eq!(calls.len(), 2, "one attempt and one retry");
    for call in calls {
        assert_eq!((&call["status"], &call["bytes"]), (&json!(503), &json!(4)));
        assert!(call["span"]["waited_millis"].is_u64() && call["span"]["millis"].is_u64());
    }
    let retries = of_request("Overloaded", "upstream call is retried");
    assert_eq!(retries.len(), 1);
    assert_eq!(retries[0]["retry"], 1);
    let causes = of_request("Closed", "cause of the failed upstream call");
    assert!(causes.iter().any(|one| one["cause"].to_string().contains("refused")), "{causes:?}");
    let text = std::fs::read_to_string(&process.log).unwrap();
    assert!(!text.contains("hidden-path") && !text.contains(password));
}
