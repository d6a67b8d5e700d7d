//! One row of the list, and what its play has at hand.

use std::pin::Pin;

use latchkey_testkit::{Answer, Client, Server};
use serde_json::{Value, json};

use crate::support::cases::Failures;
use crate::support::scim::{self, create, patch, read, user};
use crate::support::text;

type Play = Pin<Box<dyn Future<Output = ()>>>;

/// A row: its number in the list, what is claimed, and the play that shows it.
pub(crate) struct Row {
    pub(crate) number: u8,
    claim: &'static str,
    alone: bool,
    play: fn(Case) -> Play,
}

impl Row {
    pub(crate) const fn new(number: u8, claim: &'static str, play: fn(Case) -> Play) -> Self {
        Self { number, claim, alone: false, play }
    }

    /// The row counts what is in its workspace, so it gets one of its own.
    pub(crate) const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

/// A row: number, claim, play.
macro_rules! row {
    ($number:literal, $claim:literal, |$case:ident| $play:block) => {
        $crate::row::Row::new($number, $claim, |case| {
            Box::pin(async move {
                let $case = &case;
                $play
            })
        })
    };
}
pub(crate) use row;

/// Plays a table and tells every row that failed.
pub(crate) async fn play(server: &Server, rows: Vec<Row>) {
    let shared = server.workspace("quirks").await;
    let mut failures = Failures::default();
    for (at, row) in rows.into_iter().enumerate() {
        let own = if row.alone { Some(server.workspace(&format!("quirks-{at}")).await) } else { None };
        let workspace = own.as_ref().unwrap_or(&shared);
        let case = Case { scim: workspace.scim(), api: workspace.api(), at, number: row.number };
        failures.play(format!("row {}: {}", row.number, row.claim), (row.play)(case)).await;
    }
    failures.tell();
}

/// What a row's play has at hand: a workspace, and names that no other row uses.
pub(crate) struct Case {
    pub(crate) scim: Client,
    pub(crate) api: Client,
    at: usize,
    number: u8,
}

impl Case {
    /// A name of this row's own.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{what}.r{}.{}@corp.example", self.number, self.at)
    }

    /// Makes a user as a mapping would, with `extra` on top, and gives its id.
    pub(crate) async fn user(&self, who: &str, extra: Value) -> String {
        text(&create(&self.scim, "/Users", &user(&self.name(who), extra)).await, "/id").to_owned()
    }

    /// Makes a group and gives its id.
    pub(crate) async fn group(&self, what: &str, members: &[&str]) -> String {
        scim::group_id(&self.scim, &self.name(what), members).await
    }

    pub(crate) async fn read_user(&self, id: &str) -> Value {
        read(&self.scim, &format!("/Users/{id}")).await
    }

    pub(crate) async fn read_group(&self, id: &str) -> Value {
        read(&self.scim, &format!("/Groups/{id}")).await
    }

    pub(crate) async fn members(&self, id: &str) -> std::collections::BTreeSet<String> {
        scim::members(&self.scim, id).await
    }

    /// Sends a PATCH that a user takes, and reads back what is stored.
    pub(crate) async fn patch_user(&self, id: &str, operations: Value) -> Value {
        let answer = self.scim.patch(&format!("/Users/{id}"), &patch(operations.clone())).await;
        assert!(matches!(answer.status, 200 | 204), "{operations}\n{answer:?}");
        let stored = self.read_user(id).await;
        if answer.status == 200 {
            assert_eq!(answer.json(), stored, "the answer of {operations} is what is stored");
        }
        stored
    }

    /// Sends a PATCH that a group takes with 204 and nothing more, as Entra expects it.
    pub(crate) async fn patch_group(&self, id: &str, operations: Value) {
        let answer = self.scim.patch(&format!("/Groups/{id}"), &patch(operations.clone())).await;
        assert_eq!(answer.status, 204, "{operations}\n{answer:?}");
        assert!(answer.body.is_empty(), "{answer:?}");
    }

    /// Sends a PATCH that is refused, and finds the resource as it was. Gives the detail.
    pub(crate) async fn refuse(&self, path: &str, operations: Value, scim_type: &str) -> String {
        let before = read(&self.scim, path).await;
        let answer: Answer = self.scim.patch(path, &patch(operations.clone())).await;
        assert_eq!(answer.status, 400, "{operations}\n{answer:?}");
        let detail = scim::assert_refused(&answer, 400, scim_type);
        assert_eq!(read(&self.scim, path).await, before, "{operations} was refused and changes nothing");
        detail
    }

    /// Replaces a user with a whole body and gives what is stored.
    pub(crate) async fn put_user(&self, id: &str, body: &Value) -> Value {
        let answer = self.scim.put(&format!("/Users/{id}"), body).await.expect(200);
        let stored = self.read_user(id).await;
        assert_eq!(answer.json(), stored, "the answer of PUT is what is stored");
        stored
    }

    /// A group with a member or two for rows about membership: the group's id and the users'.
    pub(crate) async fn team_of(&self, who: &[&str]) -> (String, Vec<String>) {
        let mut users = Vec::new();
        for name in who {
            users.push(self.user(name, json!({})).await);
        }
        let ids: Vec<&str> = users.iter().map(String::as_str).collect();
        (self.group("team", &ids).await, users)
    }
}
