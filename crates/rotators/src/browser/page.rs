//! One page of one browser: what is on it, and what a person's hand does there.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use latchkey_rotation::Evidence;
use serde::Deserialize;
use serde_json::{Value, json};

use super::chromium::{Chromium, LaunchError};
use super::devtools::{Broken, DevTools};
use super::gate::{self, Gate};
use super::recipe::{Marker, Target};
use crate::recipe::{Known, Origins};

const SCRIPT: &str = include_str!("page.js");
/// How long a picture may take, and the set-up of a page.
const SHORT: Duration = Duration::from_secs(10);

/// A browser with one page open.
pub(super) struct Page {
    chromium: Chromium,
    tools: DevTools,
    gate: Gate,
    session: String,
    origins: Vec<String>,
}

/// Where the page stands.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct State {
    pub(super) broken: bool,
    pub(super) status: u16,
    pub(super) ready: bool,
}

/// What became of an element that was looked for. `count` other than one is none.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Found {
    #[serde(flatten)]
    pub(super) state: State,
    pub(super) count: usize,
    pub(super) foreign: Option<String>,
    #[serde(default)]
    focused: bool,
    #[serde(default)]
    covered: bool,
    x: Option<f64>,
    y: Option<f64>,
}

/// How a field took what was typed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    pub(super) same: bool,
    #[serde(default)]
    pub(super) cut: usize,
    #[serde(default)]
    pub(super) prefix: bool,
}

/// Which markers stand on the page.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Look {
    #[serde(flatten)]
    pub(super) state: State,
    pub(super) found: Vec<bool>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error("Chromium started and ended again; it said: {0}")]
    Ended(String),
}

impl Page {
    /// A fresh browser, with a profile of its own, on an empty page.
    pub(super) async fn open(
        program: &std::path::Path,
        path: &OsStr,
        resolver: &str,
        origins: &Origins,
        known: Arc<Known>,
    ) -> Result<Self, OpenError> {
        let (chromium, pipe) = Chromium::launch(program, path, resolver)?;
        let gate = Gate::new(origins.clone(), known);
        let tools = DevTools::over(pipe, gate.clone());
        let opened = tokio::time::timeout(SHORT * 3, Self::attach(&tools)).await;
        let Ok(Ok(session)) = opened else { return Err(OpenError::Ended(chromium.complaint())) };
        let origins = origins.hosts().iter().map(|host| origins.base(host)).collect();
        Ok(Self { chromium, tools, gate, session, origins })
    }

    async fn attach(tools: &DevTools) -> Result<String, Broken> {
        let target = tools.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = tools.call(None, "Target.attachToTarget", attach).await?;
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        for (_, method, params) in gate::set_up(&session) {
            tools.call(Some(&session), method, params).await?;
        }
        let focus = json!({ "enabled": true });
        tools.call(Some(&session), "Emulation.setFocusEmulationEnabled", focus).await?;
        // A worker would ask for things out of the gate's sight.
        tools.call(Some(&session), "Network.enable", json!({})).await?;
        tools.call(Some(&session), "Network.setBypassServiceWorker", json!({ "bypass": true })).await?;
        Ok(session)
    }

    pub(super) async fn close(self) {
        let Self { chromium, tools, .. } = self;
        chromium.close().await;
        drop(tools);
    }

    async fn call(&self, method: &'static str, params: Value) -> Result<Value, Broken> {
        self.tools.call(Some(&self.session), method, params).await
    }

    /// Goes there. The name of the network's error, if there is one, as `net::ERR_CONNECTION_REFUSED`.
    pub(super) async fn go(&self, url: &str) -> Result<Option<String>, Broken> {
        let went = self.call("Page.navigate", json!({ "url": url })).await?;
        Ok(went["errorText"].as_str().map(str::to_owned))
    }

    async fn act<T: for<'de> Deserialize<'de>>(&self, act: &str, args: Value) -> Result<T, Broken> {
        let tree = self.call("Page.getFrameTree", json!({})).await?;
        let frame = &tree["frameTree"]["frame"]["id"];
        let world = json!({ "frameId": frame, "worldName": "latchkey" });
        let world = self.call("Page.createIsolatedWorld", world).await?;
        let mut call = json!({
            "functionDeclaration": SCRIPT,
            "executionContextId": world["executionContextId"],
            "arguments": [{ "value": act }, { "value": args }],
            "returnByValue": true,
        });
        let answer = self.call("Runtime.callFunctionOn", call.take()).await?;
        if answer.get("exceptionDetails").is_some() {
            return Err(Broken::Refused("the look at the page"));
        }
        serde_json::from_value(answer["result"]["value"].clone())
            .map_err(|_| Broken::Refused("the look at the page"))
    }

    pub(super) async fn look(&self, markers: &[&Marker]) -> Result<Look, Broken> {
        self.act("look", json!({ "markers": markers })).await
    }

    /// Puts the cursor into the one field that is meant.
    pub(super) async fn focus(&self, targets: &[Target]) -> Result<Found, Broken> {
        self.act("focus", json!({ "targets": targets, "origins": self.origins })).await
    }

    /// Types where the cursor is, in place of what is there, as a keyboard's input.
    pub(super) async fn type_in(&self, targets: &[Target], text: &str) -> Result<Typed, Broken> {
        self.call("Input.insertText", json!({ "text": text })).await?;
        self.act("typed", json!({ "targets": targets, "text": text })).await
    }

    pub(super) async fn point(&self, targets: &[Target]) -> Result<Found, Broken> {
        self.act("point", json!({ "targets": targets })).await
    }

    pub(super) async fn press(&self, x: f64, y: f64) -> Result<(), Broken> {
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event).await?;
        }
        Ok(())
    }

    /// Where requests went that were not let through.
    pub(super) fn turned_away(&self) -> Vec<String> {
        self.gate.turned_away()
    }

    /// A picture of the page with every field blanked and no secret on it; none if that cannot be
    /// had for certain.
    pub(super) async fn picture(&self, known: &Known) -> Option<Evidence> {
        tokio::time::timeout(SHORT, self.masked_picture(known)).await.ok()?.ok().flatten()
    }

    async fn masked_picture(&self, known: &Known) -> Result<Option<Evidence>, Broken> {
        // From here on the page's own scripts change nothing any more.
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await?;
        let secrets: Vec<&str> = known.spellings().collect();
        let _: bool = self.act("mask", json!({ "secrets": secrets })).await?;
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" })).await?;
        let holds: bool = self.act("masked", json!({ "secrets": secrets })).await?;
        let bytes = shot["data"].as_str().and_then(|text| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).ok()
        });
        Ok(bytes.filter(|_| holds).map(|bytes| Evidence { media_type: "image/png", bytes }))
    }
}

impl Found {
    pub(super) fn is_focused(&self) -> bool {
        self.count == 1 && self.foreign.is_none() && self.focused
    }

    /// Where a click would land on it and on nothing else.
    pub(super) fn place(&self) -> Option<(f64, f64)> {
        if self.count == 1 && !self.covered { self.x.zip(self.y) } else { None }
    }

    pub(super) fn is_covered(&self) -> bool {
        self.covered
    }
}
