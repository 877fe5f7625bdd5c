//! Runs the stand-in alone, as `simulate integration-server` does: `integration_server [machines]
//! [dialect]`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tenant_gateway_simulators::integration_server::{Dialect, Options, run};

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let machines = arguments.next().map_or(Ok(5), |text| text.parse()).map_err(io::Error::other)?;
    let dialect = arguments
        .next()
        .map_or(Ok(Dialect::default()), |text| text.parse())
        .map_err(io::Error::other)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    run(Options { listen, tenants: 3, machines, seed: 1, dialect, password: None, control: true })
        .await
}
