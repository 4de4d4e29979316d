//! How `deploy-job` connects: over TLS, through the proxy inside a Domino run, and to a server that tries to have its
//! credential printed.

mod harness;

#[path = "deploy_job_connection/certificates.rs"]
mod certificates;
#[path = "deploy_job_connection/proxies.rs"]
mod proxies;
#[path = "deploy_job_connection/tls.rs"]
mod tls;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use harness::{STAGES, Scene, Setup, TOKEN};
use tls::Authority;

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-job");

const START: &[&str] = &["start", "train", "--stage", "dev"];

fn scene() -> Scene {
    let stages = format!("{STAGES}\n[job.train]\ncommand = \"train.py\"\n");
    Setup {
        stages: &stages,
        files: &[("train.py", "print('trained')\n")],
        ..Setup::of(PROGRAM)
    }
    .scene()
}

/// Listens until the test ends, and answers each connection once: with what `answer` makes of the request's head and
/// the bytes of its body.
fn listening(answer: impl Fn(&str, &[u8]) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {
                let line = head.lines().last().unwrap_or_default().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_ok() {
                let _ = (&stream).write_all(&answer(head.trim_end(), &body));
            }
        }
    });
    address
}

#[test]
fn a_private_authority_is_believed_and_one_connection_carries_everything() {
    let mut scene = scene();
    let authority = Authority::new(scene.path());
    let sandbox = scene.sandbox.url().to_owned();
    let tls_door = authority.tls_door("127.0.0.1", &sandbox);
    scene
        .variable("DOMINO_API_HOST", &tls_door.address)
        .variable("SSL_CERT_FILE", authority.file());
    scene.run(START).exits(0);
    assert!(tls_door.requests() >= 5, "{}", tls_door.requests());
    assert_eq!(tls_door.connections(), 1);
    assert_eq!(tls_door.protocols(), [b"h2"]);
    // What is given as an argument counts in place of the variable.
    scene.variable("SSL_CERT_FILE", "/dev/null");
    let by_argument = [
        "status",
        "train",
        "--stage",
        "dev",
        "--ca-file",
        authority.file(),
    ];
    scene.run(&by_argument).exits(0);
    assert_eq!(tls_door.connections(), 2);
}

#[test]
fn a_certificate_that_cannot_be_verified_ends_it_before_anything_is_said() {
    let mut scene = scene();
    let authority = Authority::new(scene.path());
    let sandbox = scene.sandbox.url().to_owned();
    let tls_door = authority.tls_door("127.0.0.1", &sandbox);
    scene.variable("DOMINO_API_HOST", &tls_door.address);
    scene
        .run(START)
        .exits(4)
        .tells("was issued by an authority that is not known here")
        .tells("for an authority of your own, name its certificate (PEM) by `--ca-file` or `SSL_CERT_FILE`");
    let other = authority.tls_door("other.example.com", &sandbox);
    scene
        .variable("DOMINO_API_HOST", &other.address)
        .variable("SSL_CERT_FILE", authority.file());
    scene
        .run(START)
        .exits(4)
        .tells("the server's certificate is for other.example.com");
    // Another try would end the same, and is not made.
    assert_eq!((tls_door.connections(), other.connections()), (1, 1));
    assert_eq!(tls_door.requests() + other.requests(), 0);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn inside_a_domino_run_the_proxy_is_asked_and_links_lead_to_domino() {
    let mut scene = scene();
    let sandbox = scene
        .sandbox
        .url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let proxy = listening(move |head, body| {
        assert!(
            !head.to_ascii_lowercase().contains("authorization:"),
            "{head}"
        );
        let mut sandbox = TcpStream::connect(&sandbox).unwrap();
        // HTTP/1.0, so that the end of the connection is the end of the reply.
        let head = head.replacen("HTTP/1.1", "HTTP/1.0", 1);
        write!(sandbox, "{head}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n").unwrap();
        sandbox.write_all(body).unwrap();
        let mut reply = Vec::new();
        sandbox.read_to_end(&mut reply).unwrap();
        reply
    });
    scene
        .without("DOMINO_TOKEN")
        .variable("DOMINO_API_PROXY", &proxy)
        .variable("DOMINO_API_HOST", "http://frontend.platform.example:80")
        .on_github("77");
    scene.run(START).exits(0);
    let link = scene.output("url").unwrap();
    assert!(link.starts_with("https://domino.example.com/"), "{link}");
}

#[test]
fn a_server_that_repeats_the_credential_does_not_get_it_printed() {
    let scene = scene();
    // Whatever is asked, the credential is the answer, as an id that goes into the next request's path.
    let server = listening(|head, _| {
        let token = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": Bearer ")?;
            name.eq_ignore_ascii_case("authorization").then_some(value)
        });
        let id = format!("{}\n::error::forged", token.unwrap());
        let reply = serde_json::json!({"id": id, "mainRepository": {"uri": id}}).to_string();
        let status = match head {
            head if head.contains("/findProjectByOwnerAndName") => 200,
            head if head.contains("/hardwareTiers") => 403,
            // Tried again for seconds, while the one above decides.
            _ => 503,
        };
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n\
             {reply}",
            reply.len()
        )
        .into_bytes()
    });
    let file = scene.path().join(".token");
    std::fs::write(&file, TOKEN).unwrap();
    let output = Command::new(PROGRAM)
        .args([START, &["--verbose"]].concat())
        .current_dir(scene.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GITHUB_ACTIONS", "true")
        .env("DOMINO_ENV", "dev")
        .env("GITHUB_SHA", &scene.commit)
        .env("DOMINO_API_HOST", &server)
        .env("DOMINO_TOKEN_FILE", &file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty());
    let (masks, said): (Vec<&str>, Vec<&str>) = said
        .lines()
        .partition(|line| line.starts_with("::add-mask::"));
    assert_eq!(masks, [format!("::add-mask::{TOKEN}")]);
    let told = said.join("\n");
    assert!(!told.contains(TOKEN), "the token was shown");
    assert!(
        told.contains("  GET /v4/projects/***%0A%3A%3Aerror%3A%3Aforged/"),
        "{told}"
    );
    assert!(
        !said.iter().any(|line| line.starts_with("::error::forged")),
        "{told}"
    );
}

/// A token as service accounts have it, `{"exp":1577836800,"sub":"ci-bot"}` in its middle.
const ENDED: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE1Nzc4MzY4MDAsInN1YiI6ImNpLWJvdCJ9.c2lnbmF0dXJl";

#[test]
fn a_token_that_ended_is_told_of_once_and_not_shown() {
    let mut scene = scene();
    scene.variable("DOMINO_TOKEN", ENDED);
    let run = scene.run(START).exits(3).tells(
        "warning: the token in `DOMINO_TOKEN` ended on 2020-01-01: make a new one in Domino",
    );
    assert_eq!(run.stderr.matches("ended on").count(), 1, "{run}");
    assert!(!run.to_string().contains("eyJ"), "{run}");
}
