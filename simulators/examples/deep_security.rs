//! Runs the stand-in alone, as `simulate deep-security` does: `deep_security [computers]
//! [default|other]`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tenant_gateway_simulators::deep_security::{Dialect, Options, run};

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let computers =
        arguments.next().map_or(Ok(25), |text| text.parse()).map_err(io::Error::other)?;
    let dialect = arguments
        .next()
        .map_or(Ok(Dialect::default()), |text| text.parse())
        .map_err(io::Error::other)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    run(Options { listen, tenants: 3, computers, seed: 1, dialect, control: true }).await
}
