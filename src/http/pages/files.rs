//! The files of the pages, each under a name with a hash of its content, so that browsers may keep
//! them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::http::{json_reply, paths};
use crate::secret::SecretHash;

/// The stylesheet of all pages: the colours and measures that they share with the playground, and
/// the pages' own rules.
pub static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    let text = concat!(
        include_str!("../../../playground/src/tokens.css"),
        include_str!("assets/pages.css")
    );
    Asset::new("pages", "css", "text/css; charset=utf-8", text.as_bytes())
});

/// The script for passkeys.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let media_type = "text/javascript; charset=utf-8";
    Asset::new("passkeys", "js", media_type, include_bytes!("assets/passkeys.js"))
});

/// A file.
pub struct Asset {
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, bytes: &'static [u8]) -> Self {
        let hash = SecretHash::of(bytes);
        let hash: String = hash.as_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("{stem}-{hash}.{extension}"), media_type, bytes }
    }

    /// The path, below that of the public URL.
    pub fn path(&self, base: &str) -> String {
        format!("{base}{}/{}", paths::ASSETS, self.name)
    }
}

/// Serves a file.
pub async fn show(uri: Uri, Path(name): Path<String>) -> Response {
    let known = [&*STYLESHEET, &*SCRIPT].into_iter().find(|asset| asset.name == name);
    let Some(asset) = known else { return json_reply::no_such_path(uri, None).await };
    let headers =
        [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.bytes).into_response()
}
