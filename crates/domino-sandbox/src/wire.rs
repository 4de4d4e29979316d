//! The connections beneath HTTP: they can be refused, reset and counted. Other code decides which ones.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;

use crate::locked::Locked;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Switches the listener off for a while.
#[derive(Default)]
pub(crate) struct ListenerSwitch {
    off_until: Locked<Option<Instant>>,
    is_listening: AtomicBool,
    switched_off: Notify,
    stopped: Notify,
}

impl ListenerSwitch {
    /// Nothing listens from when this returns until `lasting` from now.
    pub(crate) async fn switch_off(&self, lasting: Duration) {
        *self.off_until.lock() = Some(Instant::now() + lasting);
        self.switched_off.notify_one();
        // One thread runs all of this, so nothing happens between the check and the wait.
        while self.is_listening.load(Ordering::Relaxed) {
            self.stopped.notified().await;
        }
    }

    fn set_listening(&self, now: bool) {
        self.is_listening.store(now, Ordering::Relaxed);
        if !now {
            self.stopped.notify_waiters();
        }
    }

    /// The time until which nothing listens, if that is still to come.
    pub(crate) fn off_until(&self) -> Option<Instant> {
        self.off_until
            .lock()
            .filter(|until| *until > Instant::now())
    }
}

/// Accepts connections while the switch is on.
pub(crate) struct SwitchedListener {
    switch: Arc<ListenerSwitch>,
    listener: Option<TcpListener>,
    address: SocketAddr,
    connections: usize,
}

impl SwitchedListener {
    pub(crate) fn new(
        switch: Arc<ListenerSwitch>,
        listener: std::net::TcpListener,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        switch.set_listening(true);
        Ok(SwitchedListener {
            switch,
            listener: Some(TcpListener::from_std(listener)?),
            address,
            connections: 0,
        })
    }

    /// Takes the listener; while the switch is off there is none. It listens again on the same
    /// address, which no other program gets in between: it stays bound, and connections to it are refused.
    async fn listener(&mut self) -> TcpListener {
        let mut held = None;
        loop {
            if let Some(until) = self.switch.off_until() {
                self.listener = None;
                held = held.or_else(|| hold(self.address).ok());
                self.switch.set_listening(false);
                tokio::time::sleep_until(until.into()).await;
            } else if let Some(listener) = self.listener.take() {
                return listener;
            } else {
                let socket = held.take().map_or_else(|| hold(self.address), Ok);
                match socket.and_then(|socket| socket.listen(BACKLOG)) {
                    Ok(listener) => {
                        self.switch.set_listening(true);
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
    // Earlier connections may still be ending.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener for SwitchedListener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let listener = self.listener().await;
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.switch.switched_off.notified() => {
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

impl Connected<IncomingStream<'_, SwitchedListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, SwitchedListener>) -> Self {
        stream.io().connection.clone()
    }
}

/// A TCP stream that can be reset on purpose.
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
