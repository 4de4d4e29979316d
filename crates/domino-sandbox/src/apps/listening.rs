//! Where an app's processes really listen. Code written for Domino listens on 0.0.0.0:8888 and reads neither APP_HOST
//! nor APP_PORT: a Python program is given its own port all the same, of any other the port is looked up.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The port that apps listen on in Domino.
const DOMINOS_PORT: u16 = 8888;
/// How long an app may listen elsewhere first, and how long it takes until a machine that cannot tell is named.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A listening socket in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// Makes Python programs below `folder`, the code of an app, bind the given port in place of Domino's; the variable
/// for it. In git's own folder it is no part of the code.
pub(super) fn for_python(folder: &Path) -> io::Result<(String, String)> {
    let own = folder.join(".git").join("domino-python");
    fs::create_dir_all(&own)?;
    fs::write(
        own.join("sitecustomize.py"),
        include_str!("sitecustomize.py"),
    )?;
    Ok(("PYTHONPATH".into(), own.to_string_lossy().into_owned()))
}

/// Looks until the processes of `group` listen on `port`, which they were told, or on Domino's, which is given to
/// `found`. `say` is told when this machine does not tell.
pub(super) async fn follow(
    group: i32,
    port: u16,
    found: impl Fn(u16),
    say: impl Fn(&str),
) -> Infallible {
    let began = Instant::now();
    let mut pause = PAUSE;
    loop {
        let told = tokio::task::spawn_blocking(move || where_listening(group, port)).await;
        match told {
            Ok(Ok(Some(Listening::AsTold))) => break,
            Ok(Ok(Some(Listening::AsInDomino))) => {
                found(DOMINOS_PORT);
                say(&format!(
                    "The app listens on port {DOMINOS_PORT}, not on {port} as APP_PORT says: no other app of this \
                     machine can do so meanwhile"
                ));
                break;
            }
            Ok(Err(_)) if began.elapsed() >= PATIENCE => {
                say(&format!(
                    "This machine does not tell where a process listens: an app is reached here only on 127.0.0.1:{port}, \
                     as APP_HOST and APP_PORT say, and on 0.0.0.0:{DOMINOS_PORT} in Python"
                ));
                break;
            }
            _ => sleep(pause).await,
        }
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    std::future::pending().await
}

/// On which port an app listens.
enum Listening {
    AsTold,
    AsInDomino,
}

/// Where the processes of `group` listen, if they do. Nobody else is given `port`; Domino's may be anybody's.
fn where_listening(group: i32, port: u16) -> io::Result<Option<Listening>> {
    let mut sockets = listening(&fs::read_to_string("/proc/net/tcp")?);
    // A machine without IPv6 has no such file.
    sockets.extend(listening(
        &fs::read_to_string("/proc/net/tcp6").unwrap_or_default(),
    ));
    let is_on = |sockets: &[(String, u16)], wanted| sockets.iter().any(|(_, port)| *port == wanted);
    if is_on(&sockets, port) {
        return Ok(Some(Listening::AsTold));
    }
    let is_ours = is_on(&sockets, DOMINOS_PORT) && ports(group, &sockets)?.contains(&DOMINOS_PORT);
    Ok(is_ours.then_some(Listening::AsInDomino))
}

/// The ports of those sockets that processes of this group hold.
fn ports(group: i32, sockets: &[(String, u16)]) -> io::Result<HashSet<u16>> {
    let mut ports = HashSet::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let folder = process.path();
        let Ok(stat) = fs::read_to_string(folder.join("stat")) else {
            continue;
        };
        if group_of(&stat) != Some(group) {
            continue;
        }
        let files = fs::read_dir(folder.join("fd")).into_iter().flatten();
        for file in files.flatten() {
            let Ok(target) = fs::read_link(file.path()) else {
                continue;
            };
            let target = target.to_string_lossy();
            let open = sockets
                .iter()
                .filter(|(inode, _)| target == format!("socket:[{inode}]"));
            ports.extend(open.map(|(_, port)| *port));
        }
    }
    Ok(ports)
}

/// The inodes and ports of the sockets that listen, from the kernel's table.
fn listening(table: &str) -> Vec<(String, u16)> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, port) = fields.get(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let is_listening = *fields.get(3)? == LISTENS;
        is_listening.then(|| Some(((*fields.get(9)?).to_owned(), port)))?
    };
    table.lines().filter_map(socket).collect()
}

/// The process group in `/proc/<id>/stat`; the name before it may hold anything.
fn group_of(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_listen_are_told_with_their_ports() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 00000000:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1\n   \
             1: 0100007F:22B9 0100007F:0050 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1\n";
        assert_eq!(listening(table), [("4711".to_owned(), 8888)]);
    }

    #[test]
    fn the_ports_of_a_group_are_found_among_all_that_listen() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let sockets = listening(&fs::read_to_string("/proc/net/tcp").unwrap());
        let own = rustix::process::getpgrp().as_raw_pid();
        assert!(ports(own, &sockets).unwrap().contains(&port));
        assert!(!ports(i32::MAX, &sockets).unwrap().contains(&port));
        assert!(matches!(
            where_listening(own, port),
            Ok(Some(Listening::AsTold))
        ));
    }

    #[test]
    fn a_group_is_read_behind_any_name() {
        assert_eq!(group_of("12 (a ) b) S 1 77 12 0 -1"), Some(77));
        assert_eq!(group_of(""), None);
    }
}
