//! The client against a server that shows what it received.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its set-up too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use latchkey_testkit::{Client, block_on};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Default)]
struct Connections {
    opened: AtomicUsize,
    closed: AtomicUsize,
}

impl Connections {
    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    async fn wait_for_a_closed_one(&self) {
        while self.closed.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Answers each request with its own text as the body; `/close` also closes the connection afterwards
/// without having said so, `/cut` closes it instead of answering, and `/third` waits until there have been
/// three connections.
async fn echo_server() -> (Client, Arc<Connections>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&listener.local_addr().unwrap().to_string());
    let connections = Arc::new(Connections::default());
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.opened.fetch_add(1, Ordering::SeqCst);
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut text = Vec::new();
                let mut part = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut part).await {
                    text.extend_from_slice(&part[..read]);
                    let request = String::from_utf8_lossy(&text).into_owned();
                    let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
                        continue;
                    }
                    if head.contains("/cut") {
                        return;
                    }
                    while head.contains("/third") && count.opened() < 3 {
                        tokio::task::yield_now().await;
                    }
                    let answer =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{request}", request.len());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    if head.contains("/close") {
                        drop(stream);
                        count.closed.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    text.clear();
                }
            });
        }
    });
    (client, connections)
}

#[test]
fn defaults_are_sent_and_given_headers_replace_or_remove_them() {
    block_on(async {
        let (client, _) = echo_server().await;
        let client = client.with_prefix("/v1").with_token("secret").with_media_type("application/scim+json");
        let sent = client.post("/Users?filter=a eq \"b\"", &json!({"a": 1})).await.expect(200).text();
        assert!(sent.starts_with("POST /v1/Users?filter=a%20eq%20%22b%22 HTTP/1.1\r\n"), "{sent}");
        assert!(sent.contains("authorization: Bearer secret\r\n"), "{sent}");
        assert!(sent.contains("content-type: application/scim+json\r\n"), "{sent}");
        assert!(sent.ends_with("\r\n\r\n{\"a\":1}"), "{sent}");
        let headers = [("Authorization", ""), ("accept", "text/plain"), ("x-twice", "1"), ("x-twice", "2")];
        let sent = client.send("GET", "/", &headers, "").await.expect(200).text();
        assert!(!sent.contains("authorization"), "{sent}");
        assert!(sent.contains("accept: text/plain\r\n") && !sent.contains("scim+json"), "{sent}");
        assert!(sent.contains("x-twice: 1\r\nx-twice: 2\r\n"), "{sent}");
    });
}

#[test]
fn a_connection_is_kept_and_a_closed_one_replaced() {
    block_on(async {
        let (client, connections) = echo_server().await;
        for _ in 0..3 {
            client.get("/").await.expect(200);
        }
        client.clone().get("/close").await.expect(200);
        connections.wait_for_a_closed_one().await;
        assert_eq!(connections.opened(), 1);
        client.get("/").await.expect(200);
        assert_eq!(connections.opened(), 2);
        tokio::join!(client.get("/third"), client.get("/third"));
        assert_eq!(connections.opened(), 3);
    });
}

#[test]
fn a_request_that_was_written_is_not_repeated() {
    block_on(async {
        let (client, connections) = echo_server().await;
        client.get("/").await.expect(200);
        assert!(client.try_send("POST", "/cut", &[], "x").await.is_err());
        assert_eq!(connections.opened(), 1, "a second connection means that it was sent again");
    });
}

#[test]
fn raw_bytes_go_out_as_they_are() {
    block_on(async {
        let (client, _) = echo_server().await;
        let answer = client.raw(b"NONSENSE\r\n\r\n", Duration::from_millis(200)).await;
        assert!(answer.ends_with(b"\r\n\r\nNONSENSE\r\n\r\n"));
    });
}
