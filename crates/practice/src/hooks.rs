//! A receiver of signed webhooks: create, set, test and finish, as a customer would write one.

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dryoc::dryocbox::{DryocBox, StackKeyPair};
use hmac::{Hmac, KeyInit, Mac};
use latchkey_kernel::Entropy;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::users::Denied;
use crate::world::World;

/// The keys of this receiver.
pub(crate) struct Receiver {
    signing: [u8; 32],
    pair: StackKeyPair,
}

impl Receiver {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self { signing: entropy.bytes(), pair: StackKeyPair::from_seed::<[u8; 32]>(&entropy.bytes()) }
    }

    pub(crate) fn signing_secret(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.signing))
    }

    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode(&self.pair.public_key)
    }

    fn signed(&self, headers: &HeaderMap, body: &[u8], now: u64) -> Option<String> {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        let (id, at) = (header("webhook-id")?, header("webhook-timestamp")?);
        if at.parse::<u64>().ok()?.abs_diff(now) > 300 {
            return None;
        }
        header("webhook-signature")?.split(' ').find_map(|signature| {
            let given = STANDARD.decode(signature.strip_prefix("v1,")?).ok()?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&self.signing).ok()?;
            mac.update(format!("{id}.{at}.").as_bytes());
            mac.update(body);
            mac.verify_slice(&given).ok().map(|()| id.to_owned())
        })
    }

    fn open(&self, secret: &Value) -> Option<String> {
        if let Some(plain) = secret["plain"].as_str() {
            return Some(plain.to_owned());
        }
        let sealed = STANDARD.decode(secret["sealed"].as_str()?).ok()?;
        let opened = DryocBox::from_sealed_bytes(&sealed).ok()?.open_to_vec(&self.pair).ok()?;
        String::from_utf8(opened).ok()
    }
}

pub(crate) fn routes() -> Router<World> {
    Router::new().route("/hooks/rotation", post(receive))
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

async fn receive(Shared(world): Shared<World>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(id) = world.hooks.signed(&headers, &body, world.seconds()) else {
        return refuse(StatusCode::UNAUTHORIZED, "auth");
    };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "needs_person");
    };
    let data = &message["data"];
    let (Some(kind), Some(user)) = (message["type"].as_str(), data["username"].as_str()) else {
        return refuse(StatusCode::BAD_REQUEST, "needs_person");
    };
    if !world.lock().users.has(user) {
        return refuse(StatusCode::NOT_FOUND, "needs_person");
    }
    *world.lock().deliveries.entry(id).or_default() += 1;
    match kind {
        "rotation.create" => create(&world, data, user),
        "rotation.set" => set(&world, data, user).await,
        "rotation.test" => match world.hooks.open(&data["secret"]) {
            Some(secret) => {
                let works = world.lock().users.is(user, &secret);
                Json(json!({ "works": works })).into_response()
            }
            None if data["secret"].is_null() => Json(json!({ "ready": true })).into_response(),
            None => refuse(StatusCode::BAD_REQUEST, "needs_person"),
        },
        "rotation.finish" => {
            let ended = world.end_others(user, None);
            Json(json!({ "sessions_ended": ended })).into_response()
        }
        _ => refuse(StatusCode::BAD_REQUEST, "needs_person"),
    }
}

fn create(world: &World, data: &Value, user: &str) -> Response {
    let (Some(job), Some(secret)) = (data["job"].as_str(), world.hooks.open(&data["secret"])) else {
        return refuse(StatusCode::BAD_REQUEST, "needs_person");
    };
    world.lock().pending.insert(format!("{job} {user}"), secret);
    Json(json!({})).into_response()
}

async fn set(world: &World, data: &Value, user: &str) -> Response {
    let key = format!("{} {user}", data["job"].as_str().unwrap_or_default());
    let fault = world.lock().fault;
    if let Some(answer) = fault.before_change() {
        return answer;
    }
    let Some(secret) = world.lock().pending.get(&key).cloned() else {
        return refuse(StatusCode::CONFLICT, "needs_person");
    };
    // Asked again for what was done: the same answer, and nothing done twice.
    let done = world.lock().done.contains(&key);
    if !done {
        let changed = world.lock().users.change(user, None, &secret, &*world.entropy);
        match changed {
            Ok(()) => {
                world.lock().done.insert(key);
            }
            Err(Denied::Short | Denied::Used) => {
                return refuse(StatusCode::UNPROCESSABLE_ENTITY, "policy");
            }
            Err(Denied::Wrong | Denied::Unknown) => {
                return refuse(StatusCode::NOT_FOUND, "needs_person");
            }
        }
    }
    match fault.after_change().await {
        Some(answer) => answer,
        None => Json(json!({})).into_response(),
    }
}
