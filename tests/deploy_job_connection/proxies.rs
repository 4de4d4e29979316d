//! A proxy between this machine and Domino: used, bypassed, and quoted if it refuses.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::harness::Scene;
use super::tls::Authority;
use super::{START, listening, scene};

const PASSWORD: &str = "hunter2-proxy";

/// A proxy that opens every tunnel, and how many it opened.
fn tunnelling() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tunnels = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tunnels);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || tunnel(stream));
        }
    });
    (address, tunnels)
}

fn tunnel(client: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let target = head.split(' ').nth(1)?;
    let server = TcpStream::connect(target).ok()?;
    (&client)
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .ok()?;
    let (mut up, mut down) = (server.try_clone().ok()?, client);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut reader, &mut up);
        let _ = up.shutdown(std::net::Shutdown::Write);
    });
    let mut server = server;
    std::io::copy(&mut server, &mut down).ok().map(drop)
}

/// A Domino behind TLS, reached by way of the proxy.
fn behind(scene: &mut Scene, proxy: &str) -> super::tls::TlsDoor {
    let authority = Authority::new(scene.path());
    let sandbox = scene.sandbox.url().to_owned();
    let tls_door = authority.tls_door("127.0.0.1", &sandbox);
    scene
        .variable("DOMINO_API_HOST", &tls_door.address)
        .variable("SSL_CERT_FILE", authority.file())
        .variable("HTTPS_PROXY", proxy);
    tls_door
}

#[test]
fn a_proxy_is_used_for_everything_unless_the_host_is_left_out() {
    let mut scene = scene();
    let (proxy, tunnels) = tunnelling();
    let tls_door = behind(&mut scene, &proxy);
    scene.run(START).exits(0);
    assert_eq!(
        (tunnels.load(Ordering::SeqCst), tls_door.connections()),
        (1, 1)
    );
    let without_port = "127.0.0.1:1";
    scene.variable("NO_PROXY", without_port);
    scene.run(START).exits(0);
    assert_eq!(
        tunnels.load(Ordering::SeqCst),
        2,
        "another port is left out"
    );
    scene.variable("NO_PROXY", &tls_door.address.replace("https://", ""));
    scene.run(START).exits(0);
    assert_eq!(
        (tunnels.load(Ordering::SeqCst), tls_door.connections()),
        (2, 3)
    );
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_words_and_without_its_password() {
    for (answer, words, hint) in [
        (
            "407 Proxy Authentication Required",
            "answered 407 Proxy Authentication Required",
            "the proxy wants a user and a password",
        ),
        (
            "403 Filtered",
            "answered 403 Filtered: Not on the list",
            "have it allowed, or name the host in `NO_PROXY`",
        ),
    ] {
        let mut scene = scene();
        let proxy = listening(move |_, _| {
            let page = "<html><title>Not on\n the list</title></html>";
            let page = if answer.starts_with("403") { page } else { "" };
            format!("HTTP/1.1 {answer}\r\nContent-Type: text/html\r\n\r\n{page}").into()
        });
        let proxy = proxy.replace("http://", &format!("http://me:{PASSWORD}@"));
        let tls_door = behind(&mut scene, &proxy);
        let run = scene.run(START).exits(4).tells(hint);
        let run = run.tells(&format!(
            "the proxy `http://127.0.0.1:[port]` of `HTTPS_PROXY` {words}"
        ));
        assert!(!run.to_string().contains(PASSWORD));
        assert_eq!(tls_door.connections(), 0);
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let mut scene = scene();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    behind(&mut scene, &closed);
    scene
        .run(START)
        .exits(4)
        .tells("the proxy `http://127.0.0.1:[port]` of `HTTPS_PROXY`: ")
        .tells("check the variable");
}

#[test]
fn a_variable_that_names_no_proxy_is_wrong_usage() {
    let mut scene = scene();
    behind(&mut scene, "socks5://127.0.0.1:1080");
    scene
        .run(START)
        .exits(2)
        .tells("the proxy that `HTTPS_PROXY` names speaks SOCKS");
    scene.variable("HTTPS_PROXY", "http://");
    scene.run(START).exits(2).tells("is not the address of one");
}
