use serde::{Deserialize, Serialize};

/// Which web pages of other origins may call the gateway from a browser.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsConfig {
    /// Origins such as `https://console.example`, without path; `*` and `null` are refused. A
    /// WebSocket from a page must come from one of them or from our own origin; without any, where
    /// it comes from is not looked at. Variable `TENANT_GATEWAY__CORS__ALLOWED_ORIGINS`, default
    /// `[]`.
    pub allowed_origins: Vec<String>,
}

impl CorsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        match self.allowed_origins.iter().find(|origin| !is_origin(origin)) {
            None => Ok(()),
            Some(_) => {
                Err("must be a list of origins, each with scheme and host, in lower case and without a path, such \
                 as https://console.example; * and null are none"
                    .into())
            }
        }
    }
}

/// As a browser writes it (RFC 6454, section 6.2), since it is compared as text.
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
