//! The words of the two protocols: `graphql-transport-ws` (of the npm package `graphql-ws`) and the
//! older `graphql-ws` (of `subscriptions-transport-ws`), which the Taegis SDK speaks.

use async_graphql::Response as GraphqlResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::outcome::{Written, not_executed};
use super::super::request::GraphqlRequest;

/// Which protocol a socket speaks.
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
    pub const NORMAL: Self = Self { code: 1000, reason: "" };
    pub const GOING_AWAY: Self = Self { code: 1001, reason: "Going away" };
    pub const INTERNAL: Self = Self { code: 1011, reason: "Internal error" };
    /// Of the registry of IANA, since the protocols have none for it.
    pub const TRY_AGAIN_LATER: Self = Self { code: 1013, reason: "Try again later" };
    pub const BAD_MESSAGE: Self = Self { code: 4400, reason: "Invalid message received" };
    pub const UNAUTHORIZED: Self = Self { code: 4401, reason: "Unauthorized" };
    pub const FORBIDDEN: Self = Self { code: 4403, reason: "Forbidden" };
    pub const INIT_TIMEOUT: Self = Self { code: 4408, reason: "Connection initialisation timeout" };
    pub const TWICE: Self = Self { code: 4409, reason: "Subscriber already exists" };
    pub const TOO_MANY_INITS: Self =
        Self { code: 4429, reason: "Too many initialisation requests" };
}

/// What a client says.
#[derive(Debug)]
pub enum ClientMessage {
    /// First: who it is.
    Init(Map<String, Value>),
    /// Are you there?
    Ping(Option<Value>),
    /// I am here.
    Pong,
    /// Execute this under that id.
    Start(String, GraphqlRequest),
    /// Stop the operation of that id.
    Stop(String),
    /// Goodbye.
    Terminate,
}

#[derive(Deserialize)]
struct Message {
    r#type: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Protocol {
    /// The protocol of that name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Transport, Self::Legacy].into_iter().find(|protocol| protocol.name() == name)
    }

    /// Its name as a WebSocket subprotocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "graphql-transport-ws",
            Self::Legacy => "graphql-ws",
        }
    }

    /// Reads a message; nothing if it is none of this protocol.
    pub fn read(self, text: &str) -> Option<ClientMessage> {
        let message: Message = serde_json::from_str(text).ok()?;
        let id = message.id.filter(|id| !id.is_empty() && id.len() <= 256);
        match (self, &*message.r#type) {
            (_, "connection_init") => match message.payload {
                None | Some(Value::Null) => Some(ClientMessage::Init(Map::new())),
                Some(Value::Object(payload)) => Some(ClientMessage::Init(payload)),
                Some(_) => None,
            },
            (Self::Transport, "ping") => Some(ClientMessage::Ping(message.payload)),
            (Self::Transport, "pong") => Some(ClientMessage::Pong),
            (Self::Transport, "subscribe") | (Self::Legacy, "start") => {
                Some(ClientMessage::Start(id?, serde_json::from_value(message.payload?).ok()?))
            }
            (Self::Transport, "complete") | (Self::Legacy, "stop") => {
                Some(ClientMessage::Stop(id?))
            }
            (Self::Legacy, "connection_terminate") => Some(ClientMessage::Terminate),
            _ => None,
        }
    }

    /// The messages that give on a result. What was refused before it was executed ends a
    /// `graphql-transport-ws` operation with `error`; the older protocol has it as data, since its
    /// clients expect an `error` to be one object.
    pub fn result(self, id: &str, outcome: &GraphqlResponse) -> String {
        match self {
            Self::Transport if not_executed(outcome) => {
                json!({ "type": "error", "id": id, "payload": outcome.errors }).to_string()
            }
            Self::Transport => given("next", id, outcome),
            Self::Legacy => given("data", id, outcome),
        }
    }

    /// Whether that result was the last word on its operation.
    pub fn is_last(self, outcome: &GraphqlResponse) -> bool {
        self == Self::Transport && not_executed(outcome)
    }
}

/// A result. Not made with `json!`, which would sort what the caller has put in order.
fn given(kind: &str, id: &str, outcome: &GraphqlResponse) -> String {
    #[derive(Serialize)]
    struct Given<'a> {
        r#type: &'a str,
        id: &'a str,
        payload: Written<'a>,
    }
    serde_json::to_string(&Given { r#type: kind, id, payload: Written(outcome) })
        .unwrap_or_default()
}

/// The operation of that id has ended.
pub fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}

/// Come in.
pub fn acknowledged() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// I am here.
pub fn pong(payload: Option<Value>) -> String {
    match payload {
        None => json!({ "type": "pong" }),
        Some(payload) => json!({ "type": "pong", "payload": payload }),
    }
    .to_string()
}

/// You may not come in, as the older protocol says it.
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
    fn each_protocol_knows_its_own_words() {
        let (new, old) = (Protocol::Transport, Protocol::Legacy);
        let start =
            |word: &str| format!(r#"{{"type":"{word}","id":"1","payload":{{"query":"{{a}}"}}}}"#);
        assert!(matches!(new.read(&start("subscribe")), Some(ClientMessage::Start(..))));
        assert!(matches!(old.read(&start("start")), Some(ClientMessage::Start(..))));
        assert!(new.read(&start("start")).is_none() && old.read(&start("subscribe")).is_none());
        assert!(matches!(
            old.read(r#"{"type":"connection_terminate"}"#),
            Some(ClientMessage::Terminate)
        ));
    }

    #[test]
    fn results_keep_the_order_that_was_asked_for() {
        let mut data = IndexMap::new();
        for name in ["z", "a"] {
            data.insert(Name::new(name), ConstValue::from(1));
        }
        let outcome = GraphqlResponse::new(ConstValue::Object(data));
        let payload = r#"{"data":{"z":1,"a":1}}"#;
        for (protocol, word) in [(Protocol::Transport, "next"), (Protocol::Legacy, "data")] {
            let written = protocol.result("1", &outcome);
            assert_eq!(written, format!(r#"{{"type":"{word}","id":"1","payload":{payload}}}"#));
        }
    }

    #[test]
    fn malformed_messages_are_none() {
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
