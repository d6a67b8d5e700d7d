//! Writers that do what a directory and an admin do, and remember what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use latchkey_testkit::{Client, Workspace};
use serde_json::{Value, json};

use crate::ledger::{Fate, Ledger, Person};
use crate::support::scim::{group_id, patch, user};
use crate::support::{api, text};

/// A small generator, so that a seed repeats a run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What all writers share.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) scim: Client,
    pub(crate) api: Client,
    pub(crate) teams: Vec<String>,
    pub(crate) account: String,
}

impl World {
    pub(crate) async fn prepare(workspace: &Workspace) -> Self {
        let (scim, api) = (workspace.scim(), workspace.api());
        let mut teams = Vec::new();
        for at in 0..3 {
            teams.push(group_id(&scim, &format!("Team {at}"), &[]).await);
        }
        let account = api::account(&api, "Bank", "critical").await;
        Self { scim, api, teams, account }
    }
}

/// One client, one request at a time.
pub(crate) struct Writer {
    world: World,
    dice: Dice,
    name: String,
    ledger: Ledger,
}

/// What came of a request: acknowledged with this status, or not known.
enum Reply {
    Done(u16, Value),
    Unknown,
}

impl Writer {
    pub(crate) fn new(world: &World, seed: u64, name: String) -> Self {
        Self { world: world.clone(), dice: Dice::new(seed), name, ledger: Ledger::default() }
    }

    /// Writes until it is told to stop or the server is gone.
    pub(crate) async fn write_until(mut self, stop: Arc<AtomicBool>) -> Ledger {
        let mut made = 0;
        while !stop.load(Ordering::Relaxed) {
            let person = self.create(made).await;
            made += 1;
            let Some(mut person) = person else { break };
            let mut alive = true;
            for _ in 0..self.dice.below(5) {
                alive = self.change(&mut person).await;
                if !alive {
                    break;
                }
            }
            self.ledger.people.push(person);
            if !alive {
                break;
            }
        }
        self.ledger
    }

    async fn send(&self, client: &Client, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        match client.try_send(method, path, &[], body).await {
            // A fault says nothing about whether the write was made.
            Ok(answer) if answer.status < 500 => {
                let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
                Reply::Done(answer.status, body)
            }
            Ok(_) | Err(_) => Reply::Unknown,
        }
    }

    /// `None` when whether somebody was made is not known; the name is remembered.
    async fn create(&mut self, at: usize) -> Option<Person> {
        let name = format!("{}.{at}@corp.example", self.name);
        match self.send(&self.world.scim, "POST", "/Users", &user(&name, json!({}))).await {
            Reply::Done(201, made) => Some(Person::new(name, text(&made, "/id").to_owned())),
            Reply::Done(status, body) => panic!("a create was answered {status}: {body}"),
            Reply::Unknown => {
                self.ledger.perhaps.push(name);
                None
            }
        }
    }

    /// One change of somebody; false when the server is gone.
    async fn change(&mut self, person: &mut Person) -> bool {
        let path = format!("/Users/{}", person.id);
        let (scim, api) = (self.world.scim.clone(), self.world.api.clone());
        match self.dice.below(6) {
            0 | 1 if person.deleted == Fate::No => {
                person.title_wishes.push(format!("t{}", self.dice.below(1_000_000)));
                let body =
                    patch(json!({"op": "replace", "path": "title", "value": person.title_wishes.last()}));
                match self.send(&scim, "PATCH", &path, &body).await {
                    Reply::Done(200, _) => {
                        person.title = person.title_wishes.pop();
                        person.title_wishes.clear();
                        true
                    }
                    Reply::Done(status, body) => panic!("a PATCH was answered {status}: {body}"),
                    Reply::Unknown => false,
                }
            }
            2 if person.deleted == Fate::No => {
                let at = usize::try_from(self.dice.below(self.world.teams.len() as u64)).expect("small");
                let team = self.world.teams[at].clone();
                let body = patch(json!({"op": "add", "path": "members", "value": [{"value": person.id}]}));
                let reply = self.send(&scim, "PATCH", &format!("/Groups/{team}"), &body).await;
                Self::settle(reply, 204, || person.teams.push(team))
            }
            3 if person.left == Fate::No && person.deleted == Fate::No => {
                let body =
                    json!({"member_id": person.id, "account_id": self.world.account, "permission": "use"});
                let reply = self.send(&api, "POST", "/grants", &body).await;
                Self::settle(reply, 201, || person.grants += 1)
            }
            4 if person.left == Fate::No && person.deleted == Fate::No => {
                let body = patch(json!({"op": "replace", "path": "active", "value": false}));
                person.left = Fate::Perhaps;
                let reply = self.send(&scim, "PATCH", &path, &body).await;
                Self::settle(reply, 200, || person.left = Fate::Yes)
            }
            5 if person.deleted == Fate::No => {
                person.deleted = Fate::Perhaps;
                let reply = self.send(&scim, "DELETE", &path, &Value::Null).await;
                Self::settle(reply, 204, || person.deleted = Fate::Yes)
            }
            _ => true,
        }
    }

    fn settle(reply: Reply, wanted: u16, done: impl FnOnce()) -> bool {
        match reply {
            Reply::Done(status, _) if status == wanted => {
                done();
                true
            }
            Reply::Done(status, body) => panic!("a write was answered {status}: {body}"),
            Reply::Unknown => false,
        }
    }
}
