//! Against a server of the transit engine's shape, on loopback.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use latchkey_kernel::SeededEntropy;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

const TOKEN: &str = "canary-token";

/// What it encrypted: by ciphertext, the plaintext with the data that it was bound to.
type Known = Arc<Mutex<HashMap<String, (Value, Value)>>>;

async fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let known = Known::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let known = known.clone();
            let serve = service_fn(move |request| answer(request, known.clone()));
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), serve));
        }
    });
    format!("http://{address}")
}

async fn answer(request: Request<Incoming>, known: Known) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let token = request.headers()["x-vault-token"].to_str().unwrap().to_owned();
    let (method, body) = (request.method().clone(), request.into_body().collect().await.unwrap().to_bytes());
    let body: Value = serde_json::from_slice(&body).unwrap();
    let errors = |text: &str| json!({ "errors": [text] });
    let (status, answer) = match path.strip_prefix("/v1/transit/").unwrap_or_default() {
        _ if method != "POST" => (405, errors("unsupported operation")),
        _ if token != TOKEN => (403, errors("permission denied")),
        "encrypt/latchkey" => {
            assert_eq!(body["associated_data"], body["context"]);
            let mut known = known.lock().unwrap();
            let ciphertext = format!("vault:v1:{}", known.len());
            known.insert(ciphertext.clone(), (body["plaintext"].clone(), body["associated_data"].clone()));
            (200, json!({ "request_id": "1", "data": { "ciphertext": ciphertext, "key_version": 1 } }))
        }
        "decrypt/latchkey" => match known.lock().unwrap().get(body["ciphertext"].as_str().unwrap()) {
            Some((plaintext, bound)) if *bound == body["associated_data"] => {
                (200, json!({ "data": { "plaintext": plaintext } }))
            }
            // As the service does it: what was sent is not told from what is wrong with it.
            _ => (400, errors("cipher: message authentication failed")),
        },
        "encrypt/absent" => (400, errors("encryption key not found")),
        "encrypt/sealed" => (503, errors("Vault is sealed")),
        "encrypt/broken" => (500, json!({ "errors": [body["plaintext"]] })),
        "encrypt/odd" => (200, json!({ "data": { "plaintext": body["plaintext"] } })),
        "encrypt/moved" => (307, Value::Null),
        "encrypt/late" => std::future::pending().await,
        "encrypt/long" => (200, Value::from("x".repeat(LONGEST_ANSWER))),
        _ => (404, errors("no handler for route")),
    };
    let answer = Full::new(Bytes::from(answer.to_string()));
    Ok(Response::builder().status(status).header("location", "http://127.0.0.1:1/").body(answer).unwrap())
}

fn kek(service: &str, key: &str, token: &str, timeout: Duration) -> TransitKek {
    let address = format!("{service}#{key}").parse().unwrap();
    TransitKek::with_timeout(address, &SecretString::from(token), timeout).unwrap()
}

#[tokio::test]
async fn a_key_is_wrapped_by_the_service_and_opens_where_it_belongs() {
    let service = service().await;
    let kek = kek(&service, "latchkey", TOKEN, TIMEOUT);
    assert_eq!(kek.id(), "transit-transit/latchkey");
    let wrapped = kek.wrap(b"here", &[7; KEY], &SeededEntropy::new(1)).await.unwrap();
    assert_eq!(wrapped, b"\x01\x02vault:v1:0");
    assert_eq!(*kek.unwrap(b"here", &wrapped).await.unwrap(), [7; KEY]);
    let fault = |error| match error {
        KeyError::Transit { fault, .. } => fault,
        other => panic!("{other}"),
    };
    assert_eq!(fault(kek.unwrap(b"there", &wrapped).await.unwrap_err()), TransitFault::NotOpened);
    assert_eq!(
        fault(kek.unwrap(b"here", b"\x01\x02vault:v1:\"").await.unwrap_err()),
        TransitFault::NotOpened
    );
    assert!(matches!(kek.unwrap(b"here", b"\x01\x01").await, Err(KeyError::UnknownFormat { .. })));
}

#[tokio::test]
async fn each_refusal_says_what_to_do_and_holds_neither_token_nor_key() {
    let service = service().await;
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let plain_spoken = service.replace("http:", "https:");
    let key = b"canary-key-of-32-bytes-canary-ke";
    for (service, name, token, says) in [
        (&service, "latchkey", "canary-other", "refused the token (403)"),
        (&service, "absent", TOKEN, "no such key"),
        (&service, "unknown", TOKEN, "no such key"),
        (&service, "sealed", TOKEN, "unseal it"),
        (&service, "broken", TOKEN, "status 500"),
        (&service, "moved", TOKEN, "status 307"),
        (&service, "odd", TOKEN, "not that of a transit engine"),
        (&service, "long", TOKEN, "not that of a transit engine"),
        (&nobody, "latchkey", TOKEN, "cannot be reached"),
        (&plain_spoken, "latchkey", TOKEN, "cannot be reached"),
    ] {
        let error =
            kek(service, name, token, TIMEOUT).wrap(b"b", key, &SeededEntropy::new(1)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(says), "{name}: {text}");
        for hidden in ["canary", &BASE64.encode(key)[..12]] {
            assert!(!format!("{text} {error:?}").contains(hidden), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_given_up() {
    let service = service().await;
    let kek = kek(&service, "late", TOKEN, Duration::from_millis(50));
    let error = kek.wrap(b"b", &[7; KEY], &SeededEntropy::new(1)).await.unwrap_err();
    assert!(matches!(error, KeyError::Transit { fault: TransitFault::Late, .. }), "{error}");
}

#[test]
fn a_token_of_unprintable_characters_is_refused_without_quoting_it() {
    let address = "https://vault.example.com#k".parse().unwrap();
    let error = TransitKek::new(address, &SecretString::from("canary\u{1}")).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("canary"));
}
