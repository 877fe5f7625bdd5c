//! Trusted documents: those that are registered for execution, by hash.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::documents::{DocumentHash, hash, parse_hash};
use crate::config::TrustedDocumentsMode as Mode;
use crate::error::{Error, ErrorCode, Result};

/// The file: the documents alone, as code generators write it, or with rules for some clients.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    WithClients {
        documents: HashMap<String, String>,
        #[serde(default)]
        clients: HashMap<String, FileRule>,
    },
    Documents(HashMap<String, String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    mode: Option<Mode>,
    documents: Option<Vec<String>>,
}

/// The rule of one client.
struct Rule {
    mode: Mode,
    // All documents of the file, if absent.
    documents: Option<HashSet<DocumentHash>>,
}

/// The registered documents and the rules of clients.
pub struct TrustedDocuments {
    mode: Mode,
    documents: HashMap<DocumentHash, Arc<str>>,
    clients: HashMap<String, Rule>,
}

impl TrustedDocuments {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, or a key is not the SHA-256 of its document.
    pub fn load(file: Option<&Path>, mode: Mode) -> Result<Self> {
        let Some(path) = file else {
            return Ok(Self { mode, documents: HashMap::new(), clients: HashMap::new() });
        };
        let wrong = |why: String| {
            Error::internal(format!("graphql.trusted_documents: {}: {why}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::read(&text, mode).map_err(wrong)
    }

    fn read(text: &str, mode: Mode) -> Result<Self, String> {
        let file = serde_json::from_str(text).map_err(|error| {
            format!(
                "expected a JSON object of hash to document, or one with `documents` and \
                 optionally `clients`: {error}"
            )
        })?;
        let (documents, clients) = match file {
            File::Documents(documents) => (documents, HashMap::new()),
            File::WithClients { documents, clients } => (documents, clients),
        };
        let documents = documents.into_iter().map(|(key, text)| match key_of(&key) {
            Some(key) if key == hash(&text) => Ok((key, Arc::from(text))),
            _ => Err(format!("{key} is not the SHA-256 of its document")),
        });
        let documents = documents.collect::<Result<HashMap<_, _>, _>>()?;
        let rule = |rule: FileRule| {
            let known = |key: &String| key_of(key).filter(|key| documents.contains_key(key));
            let each = |key: String| {
                known(&key).ok_or_else(|| format!("{key} is not among the documents"))
            };
            let own = rule
                .documents
                .map(|keys| keys.into_iter().map(each).collect::<Result<_, _>>())
                .transpose()?;
            Ok::<_, String>(Rule { mode: rule.mode.unwrap_or(mode), documents: own })
        };
        let clients = clients.into_iter().map(|(client, given)| Ok((client, rule(given)?)));
        let clients = clients.collect::<Result<HashMap<_, _>, String>>()?;
        Ok(Self { mode, documents, clients })
    }

    /// The text of a registered document.
    pub fn text(&self, hash: &DocumentHash) -> Option<&Arc<str>> {
        self.documents.get(hash)
    }

    /// Checks that the client may have that document executed.
    ///
    /// # Errors
    /// `FORBIDDEN` if it is not registered and the mode allows registered documents only.
    pub fn check(&self, client_id: &str, hash: &DocumentHash) -> Result<()> {
        let rule = self.clients.get(client_id);
        let mode = rule.map_or(self.mode, |rule| rule.mode);
        let own = rule.and_then(|rule| rule.documents.as_ref());
        let trusted =
            own.map_or_else(|| self.documents.contains_key(hash), |own| own.contains(hash));
        match mode {
            Mode::Only if !trusted => Err(Error::new(
                ErrorCode::Forbidden,
                "the document is not registered; this gateway executes trusted documents only",
            )),
            Mode::Warn if !trusted => {
                tracing::warn!("an unregistered document is executed");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn key_of(key: &str) -> Option<DocumentHash> {
    parse_hash(key.strip_prefix("sha256:").unwrap_or(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        super::super::documents::hex(&hash(text))
    }

    fn allowed(trusted: &TrustedDocuments, client: &str, text: &str) -> bool {
        trusted.check(client, &hash(text)).is_ok()
    }

    #[test]
    fn plain_list_applies_to_every_client() {
        let trusted =
            TrustedDocuments::read(&format!(r#"{{"sha256:{}":"{{a}}"}}"#, hex("{a}")), Mode::Only)
                .unwrap();
        assert!(allowed(&trusted, "x", "{a}") && !allowed(&trusted, "x", "{b}"));
        assert_eq!(trusted.text(&hash("{a}")).map(|text| &**text), Some("{a}"));
    }

    #[test]
    fn client_rule_overrides_the_general_mode() {
        let a = hex("{a}");
        let b = hex("{b}");
        let documents = format!(r#""documents":{{"{a}":"{{a}}","{b}":"{{b}}"}}"#);
        let clients =
            format!(r#""clients":{{"free":{{"mode":"off"}},"narrow":{{"documents":["{b}"]}}}}"#);
        let trusted =
            TrustedDocuments::read(&format!("{{{documents},{clients}}}"), Mode::Only).unwrap();
        assert!(allowed(&trusted, "free", "{c}") && !allowed(&trusted, "other", "{c}"));
        assert!(allowed(&trusted, "narrow", "{b}") && !allowed(&trusted, "narrow", "{a}"));
    }

    #[test]
    fn wrong_hash_is_rejected() {
        assert!(
            TrustedDocuments::read(&format!(r#"{{"{}":"{{b}}"}}"#, hex("{a}")), Mode::Off).is_err()
        );
        assert!(TrustedDocuments::read("[]", Mode::Off).is_err());
    }
}
