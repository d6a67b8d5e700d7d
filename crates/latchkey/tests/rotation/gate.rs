//! A gate before the target that closes after so many pieces of traffic, and tells that it did.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// Pieces that may still pass; `usize::MAX` lets all through.
struct Shared {
    left: AtomicUsize,
    passed: AtomicUsize,
    closed: Notify,
    open: watch::Sender<bool>,
}

/// Forwards to the target while it is open.
pub(crate) struct Gate {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl Gate {
    pub(crate) async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            left: AtomicUsize::new(usize::MAX),
            passed: AtomicUsize::new(0),
            closed: Notify::new(),
            open: watch::Sender::new(true),
        });
        let own = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target, Arc::clone(&own)));
            }
        });
        Self { port, shared }
    }

    /// Closes after so many more pieces: the next one stays before it.
    pub(crate) fn close_after(&self, pieces: usize) {
        self.shared.passed.store(0, Ordering::SeqCst);
        self.shared.left.store(pieces, Ordering::SeqCst);
    }

    /// Waits until something stands before the closed gate.
    pub(crate) async fn closed(&self) {
        self.shared.closed.notified().await;
    }

    /// Lets all through from now on; what stood before it is gone with its connection.
    pub(crate) fn open(&self) {
        self.shared.left.store(usize::MAX, Ordering::SeqCst);
        self.shared.open.send_replace(true);
    }

    /// How many pieces have passed since it was set.
    pub(crate) fn passed(&self) -> usize {
        self.shared.passed.load(Ordering::SeqCst)
    }
}

async fn forward(client: TcpStream, target: SocketAddr, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(pass(from_client, to_server, &shared), pass(from_server, to_client, &shared));
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(size @ 1..) = from.read(&mut piece).await {
        let take = |left: usize| if left == usize::MAX { Some(left) } else { left.checked_sub(1) };
        if shared.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
            shared.closed.notify_one();
            // It never gets there: the sender is killed.
            let _ = from.read(&mut piece).await;
            return;
        }
        shared.passed.fetch_add(1, Ordering::SeqCst);
        if to.write_all(&piece[..size]).await.is_err() {
            return;
        }
    }
}
