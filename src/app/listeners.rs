//! The listeners of a process.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::budget::descriptors;
use crate::config::{AdminConfig, Config};
use crate::error::{Error, Result};

/// Bound listeners that are not served yet.
pub struct Listeners {
    pub(super) public: TcpListener,
    pub(super) admin: Option<TcpListener>,
    /// The address of the public listener.
    pub listen: SocketAddr,
}

impl Listeners {
    /// Binds the configured addresses and logs them, before anything else is logged.
    ///
    /// # Errors
    /// If an address is in use. If the default address of the admin listener is, the gateway runs
    /// without that listener instead.
    pub async fn bind(config: &Config) -> Result<Self> {
        let public = bind("server.listen", config.server.listen).await?;
        let listen = public.local_addr().map_err(Error::internal)?;
        let admin = bind_admin(config).await?;
        let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        let admin_text =
            admin_address.map_or_else(|| "off".to_owned(), |address| address.to_string());
        tracing::info!(listen = %listen, admin = admin_text, "listening");
        descriptors::raise();
        if admin.is_none() && config.admin.listen.is_some() {
            tracing::warn!("default admin address in use; running without admin listener");
        }
        Ok(Self { public, admin, listen })
    }

    /// The URL that tokens name as their issuer: the public URL, else the address of the listener.
    pub fn issuer(&self, config: &Config) -> String {
        config.server.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

/// The admin listener; `None` if it is off, or if its default address is in use.
async fn bind_admin(config: &Config) -> Result<Option<TcpListener>> {
    let Some(address) = config.admin.listen else { return Ok(None) };
    match bind("admin.listen", address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(_) if config.admin.listen == AdminConfig::default().listen => Ok(None),
        Err(error) => Err(error),
    }
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::internal(if error.kind() == ErrorKind::AddrInUse {
            format!(
                "cannot listen on {address}: another program listens there; stop it, or choose \
                 another address with {setting}"
            )
        } else {
            format!("cannot listen on {address}: {error}; correct {setting}")
        })
    })
}
