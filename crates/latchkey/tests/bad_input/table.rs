//! One bad request, as a row that reads from left to right.

use latchkey_testkit::Client;

use crate::support::NEVER;
use crate::support::scim::{BULK, ENTERPRISE, GROUP, PATCH_OP, SEARCH, USER, assert_error};

/// A bad request and what must come back.
pub(crate) struct Bad {
    pub(crate) name: String,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    statuses: &'static [u16],
    scim_types: &'static str,
    words: &'static str,
}

/// What is there: `<ida>`, `<bo>` and `<team>` in paths and bodies stand for these ids.
pub(crate) struct Known {
    pub(crate) ida: String,
    pub(crate) bo: String,
    pub(crate) team: String,
}

impl Known {
    pub(crate) fn fill(&self, text: &str) -> String {
        [
            ("<ida>", self.ida.as_str()),
            ("<bo>", &self.bo),
            ("<team>", &self.team),
            ("<never>", NEVER),
            ("<User>", USER),
            ("<Enterprise>", ENTERPRISE),
            ("<Group>", GROUP),
            ("<PatchOp>", PATCH_OP),
            ("<Search>", SEARCH),
            ("<Bulk>", BULK),
        ]
        .iter()
        .fold(text.to_owned(), |text, (mark, id)| text.replace(mark, id))
    }
}

/// A row of this name; a GET of `/Users` until told otherwise.
pub(crate) fn bad(name: impl Into<String>) -> Bad {
    Bad {
        name: name.into(),
        method: "GET",
        path: "/Users".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        statuses: &[400],
        scim_types: "",
        words: "",
    }
}

impl Bad {
    pub(crate) fn get(self, path: impl Into<String>) -> Self {
        self.send("GET", path, "")
    }

    pub(crate) fn post(self, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.send("POST", path, body)
    }

    pub(crate) fn put(self, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.send("PUT", path, body)
    }

    /// A PATCH with these operations, the text of a JSON list.
    pub(crate) fn patch(self, path: impl Into<String>, operations: &str) -> Self {
        let body = format!(r#"{{"schemas":["<PatchOp>"],"Operations":{operations}}}"#);
        self.send("PATCH", path, body)
    }

    pub(crate) fn send(
        mut self,
        method: &'static str,
        path: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        (self.method, self.path, self.body) = (method, path.into(), body.into());
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What must come back: one of these statuses, one of these keywords (`a|b`, `""` for none),
    /// and a detail with one of these words, in any case.
    pub(crate) const fn is(
        mut self,
        statuses: &'static [u16],
        scim_types: &'static str,
        words: &'static str,
    ) -> Self {
        (self.statuses, self.scim_types, self.words) = (statuses, scim_types, words);
        self
    }

    /// 400 with one of these keywords and words.
    pub(crate) const fn refused(self, scim_types: &'static str, words: &'static str) -> Self {
        self.is(&[400], scim_types, words)
    }

    /// Sends it and checks what comes back.
    pub(crate) async fn play(&self, scim: &Client, known: &Known) {
        let body = match std::str::from_utf8(&self.body) {
            Ok(text) if text.len() < 900_000 => known.fill(text).into_bytes(),
            _ => self.body.clone(),
        };
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = scim.send(self.method, &known.fill(&self.path), &headers, body.clone()).await;
        let sent: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        assert!(
            self.statuses.contains(&answer.status),
            "wanted {:?}\nsent: {sent}\n{answer:?}",
            self.statuses
        );
        let (scim_type, detail) = assert_error(&answer);
        // A keyword belongs to 400 (and to 409 `uniqueness`); rows that allow another status too
        // name the one that goes with 400.
        if answer.status == 400 || self.statuses == [answer.status] {
            assert!(
                self.scim_types.split('|').any(|allowed| allowed == scim_type),
                "scimType {scim_type:?}, wanted {:?}\nsent: {sent}\n{answer:?}",
                self.scim_types
            );
        }
        let told = detail.to_lowercase();
        assert!(
            self.words.split('|').any(|word| told.contains(&word.to_lowercase())),
            "the detail says none of {:?}\nsent: {sent}\n{answer:?}",
            self.words
        );
        if answer.status == 405 {
            assert!(answer.header("allow").is_some_and(|allow| !allow.is_empty()), "Allow: {answer:?}");
        }
    }
}
