//! A server on loopback that answers as a test says, remembers the requests, and misbehaves on request like the
//! sandbox.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domino_sandbox::Misbehaviour;
use serde_json::{Value, json};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Still percent-encoded.
    pub path: String,
    pub query: String,
    /// With names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
    /// The request line and the headers, as they came.
    pub head: String,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
}

/// A request and its reply; none when a fault spoilt it.
pub type Exchange = (Request, Option<Reply>);

/// A running server. It ends with the test's process.
pub struct Server {
    pub url: String,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    harms: Arc<Mutex<Vec<Harm>>>,
}

/// What goes wrong with requests to a route, `METHOD /path`.
struct Harm {
    route: String,
    kind: HarmKind,
    /// How many requests pass before.
    after: usize,
    times: Option<usize>,
    asked: usize,
    struck: usize,
}

#[derive(Clone)]
enum HarmKind {
    As(Misbehaviour),
    Reply(Reply),
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let found = all.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `METHOD /path`.
    pub fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
        }
    }

    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: None,
        }
    }

    /// An error of GitHub's.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message, "status": status.to_string(),
            "documentation_url": "https://docs.github.com/rest",
        });
        Self::json(status, body)
    }

    fn content(&self) -> String {
        self.body.as_ref().map(Value::to_string).unwrap_or_default()
    }

    fn head(&self, content_type: &str, length: usize) -> String {
        let mut head = format!(
            "HTTP/1.1 {} Told\r\nContent-Type: {content_type}\r\nConnection: close\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        // A status without a body has no length either.
        if self.status != 204 {
            head += &format!("Content-Length: {length}\r\n");
        }
        head + "\r\n"
    }
}

impl Server {
    /// Starts it on a free port.
    pub fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let harms = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let (told, harmed) = (exchanges.clone(), harms.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (told, harmed, answer) = (told.clone(), harmed.clone(), answer.clone());
                // A request that is never answered holds no other one up.
                std::thread::spawn(move || {
                    let whole = || {
                        let mut stream = stream;
                        let request = receive(&mut stream)?;
                        let reply = |request: &Request| (answer.lock().unwrap())(request);
                        serve(stream, request, &told, &harmed, reply)
                    };
                    // The other side may have gone.
                    let _: std::io::Result<()> = whole();
                });
            }
        });
        Self {
            url,
            exchanges,
            harms,
        }
    }

    /// From now on requests to a route, `METHOD /path`, go wrong: so many of them, or all.
    pub fn harm(&self, route: &str, misbehaviour: Misbehaviour, times: Option<usize>) {
        self.add(route, HarmKind::As(misbehaviour), 0, times);
    }

    /// The same, once so many requests have passed.
    pub fn harm_after(&self, after: usize, route: &str, harm: Misbehaviour, times: Option<usize>) {
        self.add(route, HarmKind::As(harm), after, times);
    }

    /// The same with a reply that is given in place of the right one.
    pub fn reply_instead(&self, route: &str, reply: Reply, times: Option<usize>) {
        self.add(route, HarmKind::Reply(reply), 0, times);
    }

    fn add(&self, route: &str, kind: HarmKind, after: usize, times: Option<usize>) {
        self.harms.lock().unwrap().push(Harm {
            route: route.to_owned(),
            kind,
            after,
            times,
            asked: 0,
            struck: 0,
        });
    }

    /// Takes all faults back.
    pub fn heal(&self) {
        self.harms.lock().unwrap().clear();
    }

    /// How often a fault struck.
    pub fn struck(&self) -> usize {
        self.harms
            .lock()
            .unwrap()
            .iter()
            .map(|harm| harm.struck)
            .sum()
    }

    /// What was asked and answered so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    request: Request,
    told: &Mutex<Vec<Exchange>>,
    harms: &Mutex<Vec<Harm>>,
    reply: impl Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    let harm = {
        let mut harms = harms.lock().unwrap();
        let mut due = None;
        for harm in harms
            .iter_mut()
            .filter(|harm| harm.route == request.route())
        {
            harm.asked += 1;
            let strikes =
                harm.asked > harm.after && harm.times.is_none_or(|times| harm.struck < times);
            if strikes && due.is_none() {
                harm.struck += 1;
                due = Some(harm.kind.clone());
            }
        }
        due
    };
    let Some(kind) = harm else {
        let reply = reply(&request);
        // Told before it is sent: whoever has the answer finds it here.
        told.lock().unwrap().push((request, Some(reply.clone())));
        let content = reply.content();
        return write!(stream, "{}{content}", reply.head(JSON, content.len()));
    };
    told.lock().unwrap().push((request.clone(), None));
    match kind {
        HarmKind::Reply(reply) => {
            let content = reply.content();
            write!(stream, "{}{content}", reply.head(JSON, content.len()))
        }
        HarmKind::As(misbehaviour) => spoil(stream, &request, misbehaviour, reply),
    }
}

const JSON: &str = "application/json; charset=utf-8";

fn spoil(
    mut stream: TcpStream,
    request: &Request,
    misbehaviour: Misbehaviour,
    reply: impl Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    match misbehaviour {
        Misbehaviour::Status {
            status,
            retry_after,
            processed,
        } => {
            if processed {
                reply(request);
            }
            let mut told = Reply::error(status, "told by the test");
            let after = retry_after.map(|after| ("Retry-After".to_owned(), after.to_string()));
            told.headers.extend(after);
            let content = told.content();
            write!(stream, "{}{content}", told.head(JSON, content.len()))
        }
        Misbehaviour::Reply {
            status,
            content_type,
            body,
        } => {
            let head = Reply::empty(status).head(&content_type, body.len());
            write!(stream, "{head}{body}")
        }
        Misbehaviour::LoginPage => {
            let page = "<html><title>Sign in</title><input type=password></html>";
            write!(
                stream,
                "{}{page}",
                Reply::empty(200).head("text/html", page.len())
            )
        }
        Misbehaviour::BinaryForbidden => {
            let head = Reply::empty(403).head("application/octet-stream", 4);
            stream.write_all(&[head.as_bytes(), &[0, 159, 146, 150]].concat())
        }
        Misbehaviour::Relogin => {
            let told = Reply::json(409, json!({"redirectPath": "/login"}));
            let content = told.content();
            write!(stream, "{}{content}", told.head(JSON, content.len()))
        }
        Misbehaviour::Redirect { origin } => {
            let mut told = Reply::empty(307);
            let to = format!("{origin}{}", request.path);
            told.headers.push(("Location".into(), to));
            write!(stream, "{}", told.head(JSON, 0))
        }
        // To a client that has sent its request, both look alike.
        Misbehaviour::Refuse { .. } => Ok(()),
        Misbehaviour::Reset { processed } => {
            if processed {
                reply(request);
            }
            Ok(())
        }
        Misbehaviour::Hang { processed } => {
            if processed {
                reply(request);
            }
            // Until the other side gives up.
            stream.read(&mut [0]).map(drop)
        }
        Misbehaviour::Delay { by } => {
            std::thread::sleep(by);
            let told = reply(request);
            let content = told.content();
            write!(stream, "{}{content}", told.head(JSON, content.len()))
        }
        Misbehaviour::Truncate => {
            let told = reply(request);
            let content = told.content();
            let whole = format!("{}{content}", told.head(JSON, content.len()));
            let half = whole.len() - content.len() / 2 - usize::from(content.is_empty()) * 10;
            stream.write_all(&whole.as_bytes()[..half])
        }
        Misbehaviour::CutJson => {
            let told = reply(request);
            let content = told.content();
            let half = content.get(..content.len() / 2).unwrap_or("{");
            write!(stream, "{}{half}", told.head(JSON, half.len()))
        }
        Misbehaviour::Trickle { pause, bytes } => {
            let told = reply(request);
            let content = told.content();
            let whole = format!("{}{content}", told.head(JSON, content.len()));
            for piece in whole.as_bytes().chunks(bytes) {
                stream.write_all(piece)?;
                std::thread::sleep(pause);
            }
            Ok(())
        }
        other => unreachable!("this server cannot do {other:?}"),
    }
}

fn receive(stream: &mut TcpStream) -> std::io::Result<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let line = lines.next().ok_or(ErrorKind::InvalidData)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next(), words.next());
    let target = target.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Request {
        method: method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: serde_json::from_slice(&body).ok(),
        headers,
        head,
    })
}
