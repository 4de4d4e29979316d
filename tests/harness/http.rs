//! One plain request to a server on loopback, for what a test prepares and reads itself.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// Sends a request with a JSON body, and gives status and reply. The reply is `null` when it is no JSON.
pub fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    send_bytes(method, url, headers, body.as_bytes())
}

/// The same with any body.
pub fn send_bytes(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
    let rest = url.strip_prefix("http://").expect("plain HTTP on loopback");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // HTTP/1.0, so that the reply comes in one piece and the connection ends with it.
    let mut request = format!("{method} /{path} HTTP/1.0\r\nHost: {authority}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut reply = Vec::new();
    // A server that answers before it has read the body resets the connection after its answer.
    let read = stream.read_to_end(&mut reply);
    if reply.is_empty() {
        read.unwrap();
    }
    let reply = String::from_utf8_lossy(&reply).into_owned();
    let (head, body) = reply.split_once("\r\n\r\n").expect("an HTTP reply");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}
