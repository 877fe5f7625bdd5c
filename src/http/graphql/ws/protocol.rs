//! The messages of the two protocols: `graphql-transport-ws` (of the npm package `graphql-ws`) and
//! the older `graphql-ws` (of `subscriptions-transport-ws`), which the Taegis SDK speaks.

use async_graphql::Response as GraphqlResponse;
use async_graphql::http::WebSocketProtocols;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::request::GraphqlRequest;
use super::super::response::{ResponseBody, nothing_executed};

/// The longest id of an operation, in bytes.
const ID_MAX: usize = 256;

/// The protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `graphql-transport-ws`.
    Transport,
    /// The older `graphql-ws`.
    Legacy,
}

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code (RFC 6455, section 7.4).
    pub code: u16,
    /// The reason, in the words of the protocol.
    pub reason: &'static str,
}

impl Close {
    /// The client ends the session.
    pub const NORMAL: Self = Self { code: 1000, reason: "" };
    /// The process shuts down.
    pub const GOING_AWAY: Self = Self { code: 1001, reason: "Going away" };
    /// A failure on our side.
    pub const INTERNAL: Self = Self { code: 1011, reason: "Internal error" };
    /// A rate limit or budget is used up. From the IANA registry: the protocols have no such code.
    pub const TRY_AGAIN_LATER: Self = Self { code: 1013, reason: "Try again later" };
    /// A message is malformed.
    pub const BAD_MESSAGE: Self = Self { code: 4400, reason: "Invalid message received" };
    /// An operation came before `connection_init`.
    pub const UNAUTHORIZED: Self = Self { code: 4401, reason: "Unauthorized" };
    /// The credentials are refused.
    pub const FORBIDDEN: Self = Self { code: 4403, reason: "Forbidden" };
    /// `connection_init` did not arrive in time.
    pub const INIT_TIMEOUT: Self = Self { code: 4408, reason: "Connection initialisation timeout" };
    /// The id is in use by a running operation.
    pub const DUPLICATE_ID: Self = Self { code: 4409, reason: "Subscriber already exists" };
    /// A second `connection_init`.
    pub const TOO_MANY_INITS: Self =
        Self { code: 4429, reason: "Too many initialisation requests" };
}

/// A message of the client.
///
/// Not the type of `async-graphql`, which reads the messages of either protocol in both, and loses
/// members of a request that it does not know.
#[derive(Debug)]
pub enum ClientMessage {
    /// `connection_init`, with its payload.
    Init(Map<String, Value>),
    /// `ping`.
    Ping(Option<Value>),
    /// `pong`.
    Pong,
    /// `subscribe` or `start`: run this operation under that id.
    Start(String, GraphqlRequest),
    /// `complete` or `stop`: stop the operation of that id.
    Stop(String),
    /// `connection_terminate`.
    Terminate,
}

#[derive(Deserialize)]
struct RawMessage {
    r#type: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Protocol {
    /// The protocol of a WebSocket subprotocol.
    pub fn named(name: &str) -> Option<Self> {
        match name.parse().ok()? {
            WebSocketProtocols::GraphQLWS => Some(Self::Transport),
            WebSocketProtocols::SubscriptionsTransportWS => Some(Self::Legacy),
        }
    }

    /// The name of the WebSocket subprotocol.
    pub fn name(self) -> &'static str {
        let library = match self {
            Self::Transport => WebSocketProtocols::GraphQLWS,
            Self::Legacy => WebSocketProtocols::SubscriptionsTransportWS,
        };
        library.sec_websocket_protocol()
    }

    /// Parses a message; `None` if it is not one of this protocol.
    pub fn read(self, text: &str) -> Option<ClientMessage> {
        let message: RawMessage = serde_json::from_str(text).ok()?;
        let id = message.id.filter(|id| !id.is_empty() && id.len() <= ID_MAX);
        match (self, &*message.r#type) {
            (_, "connection_init") => match message.payload {
                None | Some(Value::Null) => Some(ClientMessage::Init(Map::new())),
                Some(Value::Object(payload)) => Some(ClientMessage::Init(payload)),
                Some(_) => None,
            },
            (Self::Transport, "ping") => Some(ClientMessage::Ping(message.payload)),
            (Self::Transport, "pong") => Some(ClientMessage::Pong),
            (Self::Transport, "subscribe") | (Self::Legacy, "start") => {
                let request = serde_json::from_value(message.payload?).ok()?;
                Some(ClientMessage::Start(id?, request))
            }
            (Self::Transport, "complete") | (Self::Legacy, "stop") => {
                Some(ClientMessage::Stop(id?))
            }
            (Self::Legacy, "connection_terminate") => Some(ClientMessage::Terminate),
            _ => None,
        }
    }

    /// The message with a result. Request errors end a `graphql-transport-ws` operation with
    /// `error`; in the older protocol they are data, since its clients expect an `error` to be one
    /// object.
    pub fn result(self, id: &str, response: &GraphqlResponse) -> String {
        match self {
            Self::Transport if nothing_executed(response) => {
                json!({ "type": "error", "id": id, "payload": response.errors }).to_string()
            }
            Self::Transport => result_message("next", id, response),
            Self::Legacy => result_message("data", id, response),
        }
    }

    /// Whether that result ends its operation, so that no `complete` may follow.
    pub fn is_last(self, response: &GraphqlResponse) -> bool {
        self == Self::Transport && nothing_executed(response)
    }
}

/// Not by `json!`, which would sort the members of the response.
fn result_message(kind: &str, id: &str, response: &GraphqlResponse) -> String {
    let id = json!(id);
    let mut message = format!(r#"{{"type":"{kind}","id":{id},"payload":"#).into_bytes();
    ResponseBody(response).write(&mut message);
    message.push(b'}');
    // JSON is UTF-8.
    String::from_utf8(message).unwrap_or_default()
}

/// `complete`: the operation of that id has ended.
pub fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}

/// `connection_ack`: the client is authenticated.
pub fn acknowledged() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// `pong`, with the payload of the ping.
pub fn pong(payload: Option<Value>) -> String {
    match payload {
        None => json!({ "type": "pong" }),
        Some(payload) => json!({ "type": "pong", "payload": payload }),
    }
    .to_string()
}

/// `connection_error` of the older protocol: the client is refused.
pub fn connection_error(message: &str, code: &str) -> String {
    let payload = json!({ "message": message, "extensions": { "code": code } });
    json!({ "type": "connection_error", "payload": payload }).to_string()
}

#[cfg(test)]
mod tests {
    use async_graphql::indexmap::IndexMap;
    use async_graphql::{Name, Value as ConstValue};

    use super::*;

    #[test]
    fn each_protocol_reads_its_own_messages_only() {
        let new = Protocol::Transport;
        let old = Protocol::Legacy;
        let start =
            |word: &str| format!(r#"{{"type":"{word}","id":"1","payload":{{"query":"{{a}}"}}}}"#);
        assert!(matches!(new.read(&start("subscribe")), Some(ClientMessage::Start(..))));
        assert!(matches!(old.read(&start("start")), Some(ClientMessage::Start(..))));
        assert!(new.read(&start("start")).is_none() && old.read(&start("subscribe")).is_none());
        let terminate = r#"{"type":"connection_terminate"}"#;
        assert!(matches!(old.read(terminate), Some(ClientMessage::Terminate)));
    }

    #[test]
    fn results_keep_the_order_of_the_selection() {
        let mut data = IndexMap::new();
        for name in ["z", "a"] {
            data.insert(Name::new(name), ConstValue::from(1));
        }
        let response = GraphqlResponse::new(ConstValue::Object(data));
        let payload = r#"{"data":{"z":1,"a":1}}"#;
        for (protocol, word) in [(Protocol::Transport, "next"), (Protocol::Legacy, "data")] {
            let written = protocol.result("1", &response);
            assert_eq!(written, format!(r#"{{"type":"{word}","id":"1","payload":{payload}}}"#));
        }
    }

    #[test]
    fn malformed_messages_are_not_read() {
        for text in [
            "",
            "x",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"connection_init","payload":[]}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert!(Protocol::Transport.read(text).is_none(), "{text}");
        }
    }
}
