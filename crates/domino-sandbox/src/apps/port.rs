//! The port that an app is told to listen on.
//!
//! The sandbox cannot listen on it itself, because the app will, which may take long to start. Until then, nobody
//! else may get the port: no other instance, no other sandbox on this machine, and no program that asks the system
//! for any free port.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;

/// Below the ports that systems assign to programs that ask for any port.
const PORTS: Range<u16> = 20_000..32_000;

/// A port of the loopback interface; dropping it frees the port.
pub(super) struct Port {
    number: u16,
    /// UDP has ports of its own, which apps do not use: whoever holds this one there holds the port here.
    _held: UdpSocket,
}

impl Port {
    /// Takes a free port that was not given to another instance.
    pub(super) fn take() -> io::Result<Self> {
        let many = u64::from(PORTS.end - PORTS.start);
        let start = RandomState::new().hash_one(PORTS) % many;
        (0..many)
            .filter_map(|step| u16::try_from((start + step) % many).ok())
            .find_map(|step| Self::of(PORTS.start + step))
            .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "every port is taken"))
    }

    fn of(number: u16) -> Option<Self> {
        let address = (Ipv4Addr::LOCALHOST, number);
        let held = UdpSocket::bind(address).ok()?;
        TcpListener::bind(address).ok()?;
        Some(Port {
            number,
            _held: held,
        })
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_nobody_elses_until_it_is_given_back() {
        let port = Port::take().unwrap();
        assert!(PORTS.contains(&port.number()));
        assert!(Port::of(port.number()).is_none());
        // Only the app itself listens there.
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap());
        let number = port.number();
        drop(port);
        assert!(Port::of(number).is_some());
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_given() {
        let port = Port::take().unwrap();
        let number = port.number();
        let somebody = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        drop(port);
        assert!(Port::of(number).is_none());
        drop(somebody);
    }
}
