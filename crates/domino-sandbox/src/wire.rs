//! The connections beneath HTTP: they can be refused, reset and counted. Whether one should be
//! is decided above; here it is only done.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;

use crate::domino::Domino;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Whether anybody listens just now.
#[derive(Default)]
pub(crate) struct Gate {
    closed_until: Mutex<Option<Instant>>,
    is_listened_at: AtomicBool,
    closed: Notify,
    left: Notify,
}

impl Gate {
    /// Nobody listens from when this returns until `lasting` from now.
    pub(crate) async fn close(&self, lasting: Duration) {
        *self.closed_until() = Some(Instant::now() + lasting);
        self.closed.notify_one();
        // All of this is on one thread, so that nobody can leave between the look and the wait.
        while self.is_listened_at.load(Ordering::Relaxed) {
            self.left.notified().await;
        }
    }

    fn listened_at(&self, now: bool) {
        self.is_listened_at.store(now, Ordering::Relaxed);
        if !now {
            self.left.notify_waiters();
        }
    }

    /// The time until which nobody listens, if that is still to come.
    pub(crate) fn is_closed(&self) -> Option<Instant> {
        self.closed_until().filter(|until| *until > Instant::now())
    }

    fn closed_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.closed_until
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Accepts connections while the gate is open.
pub(crate) struct Door {
    domino: Arc<Domino>,
    listener: Option<TcpListener>,
    address: SocketAddr,
    connections: usize,
}

impl Door {
    pub(crate) fn new(domino: Arc<Domino>, listener: std::net::TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        domino.gate.listened_at(true);
        Ok(Door {
            domino,
            listener: Some(TcpListener::from_std(listener)?),
            address,
            connections: 0,
        })
    }

    /// Takes the listener; while the gate is closed there is none. It listens again on the same
    /// address, which nobody else gets in between: it stays bound, and connections to it are refused.
    async fn listener(&mut self) -> TcpListener {
        let mut held = None;
        loop {
            if let Some(until) = self.domino.gate.is_closed() {
                self.listener = None;
                held = held.or_else(|| hold(self.address).ok());
                self.domino.gate.listened_at(false);
                tokio::time::sleep_until(until.into()).await;
            } else if let Some(listener) = self.listener.take() {
                return listener;
            } else {
                let socket = held.take().map_or_else(|| hold(self.address), Ok);
                match socket.and_then(|socket| socket.listen(BACKLOG)) {
                    Ok(listener) => {
                        self.domino.gate.listened_at(true);
                        return listener;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        }
    }
}

/// Takes an address without listening on it.
fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of before may still be ending.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let listener = self.listener().await;
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.domino.gate.closed.notified() => {
                    drop(listener);
                    continue;
                }
            };
            self.listener = Some(listener);
            match accepted {
                Ok((stream, address)) => {
                    // A delayed last packet would cost each small reply some 40 ms.
                    let _ = stream.set_nodelay(true);
                    let number = self.connections;
                    self.connections += 1;
                    let connection = Connection {
                        number,
                        broken: Arc::default(),
                    };
                    return (Wire { stream, connection }, address);
                }
                // Out of file descriptors, most likely: others have to close theirs first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// One connection, as the requests on it see it.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) number: usize,
    broken: Arc<AtomicBool>,
}

impl Connection {
    /// The next byte written resets the connection instead.
    pub(crate) fn reset(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Door>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().connection.clone()
    }
}

/// A TCP stream that can be told to break.
pub(crate) struct Wire {
    stream: TcpStream,
    connection: Connection,
}

impl Wire {
    fn unbroken(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.connection.broken.load(Ordering::Relaxed) {
            // With no time to linger, closing the socket sends a reset rather than an end.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.unbroken()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.unbroken()?.poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unbroken()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
