//! Accepts connections, and cuts those that a fault wants cut.

use std::io;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::fault::Cut;

/// Serves until it is dropped; open connections end with it.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let router = router.clone();
                connections.spawn(async move {
                    let answer = service_fn(move |request: hyper::Request<Incoming>| {
                        let router = router.clone();
                        async move {
                            match router.oneshot(request).await {
                                Ok(response) if response.extensions().get::<Cut>().is_some() => {
                                    Err(io::Error::from(io::ErrorKind::ConnectionAborted))
                                }
                                Ok(response) => Ok(response),
                                Err(never) => match never {},
                            }
                        }
                    });
                    // A connection that ends early is what faults are for.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
