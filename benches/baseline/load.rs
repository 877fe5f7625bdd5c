//! Callers with keep-alive connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const FORM: &str = "grant_type=client_credentials";

/// The number of concurrent connections.
pub const CONNECTIONS: usize = 8;

/// Longer than any response takes.
const BUFFER: usize = 1024 * 1024;

/// The header that carries credentials.
pub fn authorization(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// A token request as the Taegis SDK sends it.
pub fn token_request(authorization: &str) -> Vec<u8> {
    let length = FORM.len();
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: taegis_sdk_python/2.0.4\r\n\
        Accept-Encoding: gzip, deflate\r\nAccept: application/json\r\nConnection: keep-alive\r\n\
        Content-Type: application/x-www-form-urlencoded;charset=UTF-8\r\nContent-Length: \
        {length}\r\n\
        Authorization: {authorization}\r\n\r\n{FORM}"
    )
    .into_bytes()
}

/// A GraphQL request with a token in a tenant.
pub fn graphql_request(document: &str, caller: Option<(&str, &str)>) -> Vec<u8> {
    let body = serde_json::json!({ "query": document }).to_string();
    let caller = caller.map(|(token, tenant)| {
        format!("Authorization: Bearer {token}\r\nX-Tenant-Context: {tenant}\r\n")
    });
    let caller = caller.unwrap_or_default();
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nContent-Type: \
        application/json\r\n\
        Content-Length: {length}\r\n{caller}\r\n{body}"
    )
    .into_bytes()
}

/// Sends one request and returns the body of the response.
pub fn ask_once(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).expect("it listens");
    send(&mut connection, request);
    let mut buffer = vec![0; BUFFER];
    let body = read_answer(&mut connection, &mut buffer);
    buffer[body].to_vec()
}

/// Sends each of the requests once.
pub fn ask(address: SocketAddr, requests: &[Vec<u8>]) {
    ask_over(address, requests, CONNECTIONS);
}

/// The same over several connections.
pub fn ask_over(address: SocketAddr, requests: &[Vec<u8>], connections: usize) {
    thread::scope(|scope| {
        for share in requests.chunks(requests.len().div_ceil(connections)) {
            scope.spawn(move || {
                let mut connection = TcpStream::connect(address).expect("it listens");
                connection.set_nodelay(true).expect("it is open");
                let mut buffer = vec![0; BUFFER];
                for request in share {
                    send(&mut connection, request);
                    read_answer(&mut connection, &mut buffer);
                }
            });
        }
    });
}

/// Sends one request.
pub fn send(connection: &mut TcpStream, request: &[u8]) {
    connection.write_all(request).expect("it reads");
}

/// Reads one response to its end, requires success, and returns the position of its body.
pub fn read_answer(connection: &mut TcpStream, buffer: &mut [u8]) -> Range<usize> {
    let mut filled = 0;
    loop {
        let read = connection.read(&mut buffer[filled..]).expect("it answers");
        assert!(read > 0, "the connection ended: {}", String::from_utf8_lossy(&buffer[..filled]));
        filled += read;
        let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).expect("text");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().expect("a number"))
        });
        let body = end + 4..end + 4 + length.expect("a length");
        if filled >= body.end {
            assert!(
                !buffer[body.clone()].starts_with(b"{\"data\":null"),
                "{}",
                String::from_utf8_lossy(&buffer[body])
            );
            return body;
        }
    }
}
