//! Responses over the size limit, and responses that their client does not read.

use serde_json::json;
use tenant_gateway::roles::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Duration, timeout};

use crate::deep_security::rig::{Rig, ask};
use crate::support::{Caller, Engine, TestApp, eventually};
use tenant_gateway_simulators::deep_security::{Config, TenantSeed};

const SCHEMA: &str = "{ __schema { types { name description fields { name description args { name \
    description } type { kind name ofType { kind name } } } } } }";

#[tokio::test]
async fn response_of_the_library_above_the_largest_size_is_refused_whole() {
    let app = TestApp::with(Engine::Sqlite, |config| config.limits.response = 64 * 1024).await;
    let caller = app.administrator(app.world.north).await;
    let answer = caller.ask(SCHEMA, json!({})).await;
    assert_eq!(
        answer.body["errors"][0]["extensions"]["code"], "OPERATION_TOO_COSTLY",
        "{}",
        answer.body
    );
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1);
    assert!(answer.body.get("data").is_none());
    assert_eq!(caller.status().await, 200);
}

#[tokio::test]
async fn list_of_a_legacy_system_above_the_largest_size_is_refused_whole() {
    let seeds = |config| north(config, 200, 300);
    let rig =
        Rig::with_settings(Engine::Sqlite, seeds, |config| config.limits.response = 256 * 1024)
            .await;
    let reader = rig.reader(rig.world.north).await;
    let list = |first: usize| {
        format!("computers(first: {first}) {{ nodes {{ id intrusionPrevention {{ ruleIDs }} }} }}")
    };
    let answer = ask(&reader, &list(200)).await;
    assert_eq!(
        answer.body["errors"][0]["extensions"]["code"], "OPERATION_TOO_COSTLY",
        "{}",
        answer.body
    );
    assert!(answer.body.get("data").is_none());
    assert_eq!(ask(&reader, &list(20)).await.body.get("errors"), None);
}

#[tokio::test]
async fn long_list_of_large_objects_takes_the_memory_of_one_page() {
    // 1 MB, of which a page has a third; one tenant may use 0.7 MB.
    let seeds = |config| north(config, 1600, 30);
    let rig = Rig::with_settings(Engine::Sqlite, seeds, |config| {
        config.budget.upstream_answers = 1024 * 1024;
    })
    .await;
    let reader = rig.reader(rig.world.north).await;
    let list = "computers(first: 1600) { nodes { id intrusionPrevention { state } } }";
    let answer = ask(&reader, list).await;
    assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
    let nodes = answer.body["data"]["deepSecurity"]["computers"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1600);
}

/// A tenant North with the given number of computers, each with that many rules.
fn north(config: Config, computers: usize, rules: usize) -> Config {
    let large = TenantSeed::named("North").computers(computers).rules(rules);
    let small = TenantSeed::named("South").computers(5);
    Config { tenants: vec![large, small], ..config }
}

/// Sends a request and reads only the status line of its response.
pub async fn ask_and_not_read(caller: &Caller, document: &str) -> (u16, TcpStream) {
    let address = caller.gateway.url.strip_prefix("http://").unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    // Otherwise the system lets the buffer grow, to the size of a whole response on some machines.
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let body = json!({ "query": document }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\nContent-Type: \
        application/json\r\n\
        Content-Length: {}\r\n\r\n{body}",
        caller.token,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    (String::from_utf8_lossy(&head[9..]).parse().unwrap(), stream)
}

/// A list of about 13 MB, more than the buffers of a connection hold.
const LARGE: &str =
    "{ deepSecurity { computers(first: 500) { nodes { id intrusionPrevention { ruleIDs } } } } }";

async fn with_large_lists(settings: impl FnOnce(&mut tenant_gateway::config::Config)) -> Rig {
    let seeds = |config| north(config, 500, 3000);
    Rig::with_settings(Engine::Sqlite, seeds, |config| {
        config.limits.response = 64 * 1024 * 1024;
        config.budget.responses = 512 * 1024 * 1024;
        config.budget.patience = Duration::from_millis(200);
        // Making and reading the list takes long on a busy machine; the error of a deadline would be
        // a short response.
        config.upstream.timeout = Duration::from_mins(1);
        config.limits.tenant_deadline = Duration::from_mins(1);
        config.limits.execution = Duration::from_mins(1);
        settings(config);
    })
    .await
}

#[tokio::test]
async fn unread_response_is_dropped_when_its_client_is_deleted() {
    let rig = with_large_lists(|_| ()).await;
    let reader = rig.reader(rig.world.north).await;
    let (status, mut stream) = ask_and_not_read(&reader, LARGE).await;
    assert_eq!(status, 200);
    let unsent = rig.budgets.responses.figures().in_use;
    assert!(unsent > 10_000_000, "the response is an error or was sent: {unsent} bytes are held");
    let administrator = rig.administrator(rig.world.north).await;
    let deleted = "mutation($id: ID!) { deleteClient(id: $id) { id } }";
    administrator.ask(deleted, json!({ "id": reader.id() })).await.data();
    // Shorter than the time limit for stalled readers.
    eventually(15, "the end of the response", async || {
        (rig.budgets.responses.figures().in_use == 0).then_some(())
    })
    .await;
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest))
        .await
        .expect("the connection ended");
    assert!(
        ended.is_err() || !rest.ends_with(b"}"),
        "the whole response came, {} bytes",
        rest.len()
    );
}

#[tokio::test]
async fn unread_responses_take_their_clients_share_and_no_neighbours() {
    let rig = with_large_lists(|config| config.budget.responses = 96 * 1024 * 1024).await;
    let reader = rig.reader(rig.world.north).await;
    let mut unread = Vec::new();
    let refused = loop {
        let (status, stream) = ask_and_not_read(&reader, LARGE).await;
        if status != 200 || unread.len() == 20 {
            break status;
        }
        unread.push(stream);
    };
    assert_eq!(refused, 429, "{} responses of 13 MB were kept", unread.len());
    let neighbour = rig.reader(rig.world.south).await;
    let answer = ask(&neighbour, "computers { nodes { id } }").await;
    assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
    let administrator = rig.caller(rig.world.south, Role::Administrator).await;
    assert_eq!(administrator.status().await, 200);
}
