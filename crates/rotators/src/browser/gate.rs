//! The gate that every request of every page passes: listed origins only, and no secret in an
//! address.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use serde_json::{Value, json};

use crate::recipe::{Known, Origins};

/// What stands at the gate.
#[derive(Clone)]
pub(super) struct Gate {
    origins: Origins,
    known: Arc<Known>,
    turned_away: Arc<Mutex<Vec<String>>>,
}

/// A command in answer to an event: the session, the method, its parameters.
pub(super) type Command = (Option<String>, &'static str, Value);

impl Gate {
    pub(super) fn new(origins: Origins, known: Arc<Known>) -> Self {
        Self { origins, known, turned_away: Arc::default() }
    }

    /// Where requests went that were not let through, in words without secrets.
    pub(super) fn turned_away(&self) -> Vec<String> {
        self.turned_away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What to answer to an event of the browser.
    pub(super) fn answer(&self, event: &Value) -> Vec<Command> {
        let session = event["sessionId"].as_str().map(str::to_owned);
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Fetch.requestPaused") => {
                let id = &params["requestId"];
                match self.refuses(params["request"]["url"].as_str().unwrap_or_default()) {
                    None => vec![(session, "Fetch.continueRequest", json!({ "requestId": id }))],
                    Some(what) => {
                        self.turned_away.lock().unwrap_or_else(PoisonError::into_inner).push(what);
                        let fail = json!({ "requestId": id, "errorReason": "BlockedByClient" });
                        vec![(session, "Fetch.failRequest", fail)]
                    }
                }
            }
            // Every page, frame and worker waits until its gate stands.
            Some("Target.attachedToTarget") => params["sessionId"].as_str().map(set_up).unwrap_or_default(),
            // A dialog would hold up the page for ever.
            Some("Page.javascriptDialogOpening") => {
                vec![(session, "Page.handleJavaScriptDialog", json!({ "accept": false }))]
            }
            _ => Vec::new(),
        }
    }

    fn refuses(&self, url: &str) -> Option<String> {
        let Ok(parsed) = Url::parse(url) else { return Some("what is no address".to_owned()) };
        if self.known.stands_in(url) {
            return Some("an address with a secret in it".to_owned());
        }
        match parsed.scheme() {
            // These leave the browser for nowhere.
            "data" | "blob" | "about" => None,
            _ => self.origins.allow(&parsed).err(),
        }
    }
}

/// What every page, frame and worker needs before it may run.
pub(super) fn set_up(session: &str) -> Vec<Command> {
    let to = || Some(session.to_owned());
    let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    vec![
        (to(), "Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }] })),
        (to(), "Target.setAutoAttach", attach),
        (to(), "Page.enable", json!({})),
        (to(), "Runtime.runIfWaitingForDebugger", json!({})),
    ]
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::recipe::Host;

    #[test]
    fn only_listed_origins_pass_and_no_secret_in_an_address() {
        let host = Host::parse("app.example.com").expect("a host");
        let secret = SecretString::from("canary/1");
        let gate = Gate::new(Origins::new(vec![host], false), Arc::new(Known::of([&secret])));
        let cases = [
            ("https://app.example.com/a.css", true),
            ("data:image/png;base64,AAAA", true),
            ("https://tracker.example.net/x", false),
            ("http://app.example.com/", false),
            ("https://app.example.com/?p=canary%2F1", false),
            ("https://app.example.com/canary/1", false),
            ("file:///etc/passwd", false),
            ("chrome://settings", false),
            ("not an address", false),
        ];
        for (url, passes) in cases {
            let event = json!({
                "sessionId": "S",
                "method": "Fetch.requestPaused",
                "params": { "requestId": "R", "request": { "url": url } },
            });
            let answers = gate.answer(&event);
            let wanted = if passes { "Fetch.continueRequest" } else { "Fetch.failRequest" };
            assert_eq!(answers[0].1, wanted, "{url}");
        }
        assert!(gate.turned_away().iter().all(|what| !what.contains("canary")));
    }
}
