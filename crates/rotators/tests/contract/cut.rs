//! A forwarder that loses what is on its way: the network between us and a target at its worst.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is lost when the forwarder cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loses {
    /// The target does not get what was sent.
    Request,
    /// The target gets it and answers; the answer is lost.
    Answer,
}

/// Forwards to a target, cutting each connection after so many pieces of its answers.
pub(crate) struct Forwarder {
    pub(crate) port: u16,
    cuts: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Forwarder {
    pub(crate) async fn start(target: SocketAddr, after: usize, loses: Loses) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = cuts.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let counted = counted.clone();
                tokio::spawn(async move {
                    if forward(client, target, after, loses).await {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { port, cuts, accepting }
    }

    /// Forwards all.
    pub(crate) async fn whole(target: SocketAddr) -> Self {
        Self::start(target, usize::MAX, Loses::Answer).await
    }

    /// How many connections it has cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Whether it was cut.
async fn forward(mut client: TcpStream, target: SocketAddr, after: usize, loses: Loses) -> bool {
    let Ok(mut server) = TcpStream::connect(target).await else { return false };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut sent, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut answers = 0;
    loop {
        tokio::select! {
            read = client.read(&mut sent) => match read {
                Ok(0) | Err(_) => return false,
                Ok(_) if answers >= after && loses == Loses::Request => return true,
                Ok(read) => if server.write_all(&sent[..read]).await.is_err() { return false },
            },
            read = server.read(&mut answered) => match read {
                Ok(0) | Err(_) => return false,
                Ok(_) if answers >= after && loses == Loses::Answer => return true,
                Ok(read) => {
                    answers += 1;
                    if client.write_all(&answered[..read]).await.is_err() { return false }
                }
            },
        }
    }
}
