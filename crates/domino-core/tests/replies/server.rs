//! A server that answers each route with what it was last told, as often as it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Reply {
            status: 200,
            content_type: "application/json",
            body: body.to_string().into_bytes(),
        }
    }
}

#[derive(Default)]
struct State {
    replies: Vec<(String, Reply)>,
    requests: usize,
    unknown: Vec<String>,
}

/// Listens until the test ends.
pub struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Server { address, state }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on these routes, as `METHOD /path`, have these answers; all others are 404.
    pub fn answer_with(&self, replies: Vec<(String, Reply)>) {
        let mut state = self.state.lock().unwrap();
        *state = State {
            replies,
            ..State::default()
        };
    }

    /// How many requests have come since.
    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// The routes that were requested and have no answer.
    pub fn unknown(&self) -> Vec<String> {
        self.state.lock().unwrap().unknown.clone()
    }
}

/// Answers the requests of one connection, one after the other.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let route = format!("{method} {}", target.split('?').next()?);
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        reader
            .by_ref()
            .take(length)
            .read_to_end(&mut Vec::new())
            .ok()?;
        let mut answer = Vec::new();
        write_answer(&mut answer, &found(state, route)).ok()?;
        (&mut &*stream).write_all(&answer).ok()?;
    }
}

fn found(state: &Mutex<State>, route: String) -> Reply {
    let mut state = state.lock().unwrap();
    state.requests += 1;
    let known = state.replies.iter().find(|(known, _)| *known == route);
    if let Some((_, reply)) = known {
        return reply.clone();
    }
    state.unknown.push(route);
    Reply {
        status: 404,
        content_type: "application/json",
        body: b"{}".to_vec(),
    }
}

fn write_answer(answer: &mut Vec<u8>, reply: &Reply) -> std::io::Result<()> {
    // A reply without content has no body, whatever it was given.
    let body: &[u8] = if reply.status == 204 {
        b""
    } else {
        &reply.body
    };
    write!(answer, "HTTP/1.1 {} X\r\n", reply.status)?;
    if !reply.content_type.is_empty() {
        write!(answer, "Content-Type: {}\r\n", reply.content_type)?;
    }
    if reply.status != 204 {
        write!(answer, "Content-Length: {}\r\n", body.len())?;
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(body);
    Ok(())
}
