use serde::{Deserialize, Serialize};

/// Cross-origin requests from browsers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsConfig {
    /// The origins that may call the gateway, such as `https://console.example`, without path; `*`
    /// and `null` are refused. A WebSocket from a page must come from one of them or from the
    /// gateway's own origin; if the list is empty, its origin is not checked. Variable
    /// `TENANT_GATEWAY__CORS__ALLOWED_ORIGINS`, default `[]`.
    pub allowed_origins: Vec<String>,
}

impl CorsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        match self.allowed_origins.iter().find(|origin| !is_origin(origin)) {
            None => Ok(()),
            Some(_) => {
                let message = "must be a list of origins with scheme and host, in lower case and \
                               without a path, such as https://console.example; \
                               * and null are not allowed";
                Err(message.to_owned())
            }
        }
    }
}

/// Whether a text is an origin as browsers serialize it (RFC 6454, section 6.2): origins are
/// compared as text.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let host = authority.split(':').next().unwrap_or_default();
    ["http", "https"].contains(&scheme)
        && !host.is_empty()
        && authority.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_taken() {
        assert!(is_origin("https://console.example") && is_origin("http://127.0.0.1:5173"));
        for text in [
            "*",
            "null",
            "",
            "console.example",
            "https://",
            "https://a/",
            "https://A",
            "file://a",
            "https://*.a",
        ] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
