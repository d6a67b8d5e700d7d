//! A job in its smallest form: the rules and the client, with nothing between them.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_expr::Surroundings;
use latchkey_provisioning::decide::Target;
use latchkey_provisioning::jobfile::{self, JobFile};
use latchkey_provisioning::members::members;
use latchkey_provisioning::{
    Decision, Desired, Difference, Entry, EntryId, Kind, Link, ObjectMapping, Presence, Settings, TargetPath,
    decide, desired, facts,
};
use latchkey_scim_client::{Client, Credential, Exchange, Found, Options};
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};

use crate::company::{Company, group_id, person_id};
use crate::provider::Provider;

/// The job that newcomers begin with.
const JOB: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/csv-to-scim/provision.toml"));

pub(crate) struct Direct {
    client: Client,
    job: JobFile,
    entries: BTreeMap<EntryId, Entry>,
    links: BTreeMap<EntryId, Link>,
    managers: BTreeMap<EntryId, Option<String>>,
    members: BTreeMap<EntryId, BTreeSet<String>>,
    trail: Vec<Exchange>,
    refusals: Vec<String>,
}

impl Direct {
    pub(crate) fn new(provider: &Provider) -> Self {
        let job = jobfile::parse(JOB).expect("the example is a job");
        let options = Options {
            base: provider.url.parse().expect("it is a URL"),
            credential: Credential::Bearer(SecretString::from(provider.token.as_str())),
            dialect: job.target.dialect,
            concurrency: 4,
            requests_per_second: None,
            timeout: job.target.timeout,
            authorities: None,
        };
        Self {
            client: Client::new(options).expect("no authorities are named"),
            job,
            entries: BTreeMap::new(),
            links: BTreeMap::new(),
            managers: BTreeMap::new(),
            members: BTreeMap::new(),
            trail: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Brings everybody into step: people, managers, groups, members. What was refused.
    pub(crate) async fn cycle(&mut self, company: &Company) -> Vec<String> {
        self.trail.clear();
        let mut now = entries(company);
        for gone in
            self.entries.values().filter(|entry| !now.contains_key(&entry.id)).cloned().collect::<Vec<_>>()
        {
            now.insert(gone.id.clone(), Entry { presence: Presence::Deleted, ..gone });
        }
        for kind in [Kind::User, Kind::Group] {
            for entry in now.values().filter(|entry| entry.kind == kind) {
                self.settle(entry).await;
            }
            if kind == Kind::User {
                self.set_managers(&now).await;
            }
        }
        self.set_members(company, &now).await;
        now.retain(|_, entry| entry.presence == Presence::Present);
        self.entries = now;
        std::mem::take(&mut self.refusals)
    }

    fn mapping(&self, kind: Kind) -> &ObjectMapping {
        let mapping = if kind == Kind::User { &self.job.users } else { &self.job.groups };
        mapping.as_ref().expect("both kinds are mapped")
    }

    async fn settle(&mut self, entry: &Entry) {
        let facts = facts(entry, self.mapping(entry.kind), self.job.sync_all);
        let desired =
            desired(entry, self.mapping(entry.kind), facts.is_soft_deleted(), &Surroundings::fixed())
                .expect("everybody can be mapped");
        let mut held: Option<Option<(String, Map<String, Json>)>> = None;
        loop {
            let target = match &held {
                None => Target::Unknown,
                Some(None) => Target::None,
                Some(Some((id, resource))) => Target::One(id, resource),
            };
            let link = self.links.get(&entry.id);
            let mapping = self.mapping(entry.kind);
            match decide(entry, mapping, (&facts, &desired), link, target, Settings::default()) {
                Decision::Skip(_) => {
                    if let (Some(Some((id, _))), None) = (&held, link) {
                        let id = id.clone();
                        self.link(entry, &id, &desired, true);
                    }
                    return;
                }
                Decision::Match => held = Some(self.find(entry.kind, &desired).await),
                Decision::Read => {
                    let id = link.expect("what is read is linked").target_id.clone();
                    let read = self.client.read(entry.kind, &id, &mut self.trail).await;
                    held = Some(read.expect("it can be read").map(|resource| (id, resource)));
                    assert!(held.as_ref().is_some_and(Option::is_some), "{} vanished", entry.label());
                }
                Decision::Create => {
                    let made = self.client.create(entry.kind, desired.resource(), &mut self.trail).await;
                    let id = made.unwrap_or_else(|failure| panic!("{}: {failure}", entry.label()));
                    self.link(entry, &id, &desired, true);
                    return;
                }
                Decision::Update { target_id, differences, managed, .. } => {
                    let resource = held.flatten().map(|(_, resource)| resource).unwrap_or_default();
                    let changes = (&differences[..], &resource);
                    let changed = self.client.change(entry.kind, &target_id, changes, &mut self.trail).await;
                    match changed {
                        Ok(()) => self.link(entry, &target_id, &desired, managed),
                        Err(failure) => {
                            self.refusals.push(format!("{}: {failure}", entry.label()));
                        }
                    }
                    return;
                }
                Decision::Delete { target_id } => {
                    let deleted = self.client.delete(entry.kind, &target_id, &mut self.trail).await;
                    deleted.unwrap_or_else(|failure| panic!("{}: {failure}", entry.label()));
                    self.links.remove(&entry.id);
                    return;
                }
                other => panic!("{}: {other:?} is not expected", entry.label()),
            }
        }
    }

    async fn find(&mut self, kind: Kind, desired: &Desired) -> Option<(String, Map<String, Json>)> {
        for (path, value) in &desired.matching {
            match self.client.find(kind, path, value, &mut self.trail).await {
                Ok(Found::None) => {}
                Ok(Found::One(id, resource)) => return Some((id, resource)),
                other => panic!("{path} {value}: {other:?}"),
            }
        }
        None
    }

    fn link(&mut self, entry: &Entry, target_id: &str, desired: &Desired, managed: bool) {
        let fingerprint = Some(desired.fingerprint());
        let link = Link { target_id: target_id.to_owned(), managed, fingerprint };
        self.links.insert(entry.id.clone(), link);
    }

    /// The second pass: both ends exist by now.
    async fn set_managers(&mut self, now: &BTreeMap<EntryId, Entry>) {
        let path: TargetPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
            .parse()
            .expect("it is a path");
        for entry in now.values().filter(|entry| entry.kind == Kind::User) {
            let Some(id) = self.links.get(&entry.id).map(|link| link.target_id.clone()) else { continue };
            let of = |manager: &EntryId| self.links.get(manager).map(|link| link.target_id.clone());
            let wanted = entry.manager.as_ref().and_then(of);
            let sent = self.managers.get(&entry.id).cloned().flatten();
            if wanted == sent {
                continue;
            }
            let resource = self.client.read(Kind::User, &id, &mut self.trail).await;
            let resource = resource.expect("it can be read").expect("it is there");
            let old = path.read(&resource).cloned();
            let change =
                Difference { path: path.clone(), old, new: wanted.clone().map(Json::from), redacted: false };
            if change.old.is_some() || change.new.is_some() {
                let changed =
                    self.client.change(Kind::User, &id, (&[change], &resource), &mut self.trail).await;
                changed.unwrap_or_else(|failure| panic!("{}'s manager: {failure}", entry.label()));
            }
            self.managers.insert(entry.id.clone(), wanted);
        }
    }

    async fn set_members(&mut self, company: &Company, now: &BTreeMap<EntryId, Entry>) {
        for (id, group) in &company.groups {
            let id = EntryId(group_id(*id));
            let wanted: Vec<EntryId> = group.members.iter().map(|id| EntryId(person_id(*id))).collect();
            let in_scope = |id: &EntryId| now.get(id).is_some_and(|entry| entry.enabled);
            let target_of =
                |id: &EntryId| self.links.get(id).filter(|_| in_scope(id)).map(|link| link.target_id.clone());
            let sent = self.members.entry(id.clone()).or_default();
            let change = members(&wanted, target_of, sent);
            if change.add.is_empty() && change.remove.is_empty() {
                continue;
            }
            let target = &self.links[&id].target_id;
            let changes = (&change.add[..], &change.remove[..]);
            let changed = self.client.change_members(target, changes, &mut self.trail).await;
            changed.unwrap_or_else(|failure| panic!("{}: {failure}", group.name));
            sent.retain(|id| !change.remove.contains(id));
            sent.extend(change.add);
        }
    }
}

/// The company as a source tells it.
fn entries(company: &Company) -> BTreeMap<EntryId, Entry> {
    let mut entries = BTreeMap::new();
    let mut insert = |id: String, kind, enabled, manager: Option<u32>, attributes: Json| {
        let Json::Object(mut attributes) = attributes else { return };
        attributes.retain(|_, value| !value.is_null());
        attributes.insert("objectId".to_owned(), json!(id));
        let entry = Entry {
            id: EntryId(id.clone()),
            kind,
            presence: Presence::Present,
            enabled,
            attributes,
            assignments: Vec::new(),
            manager: manager.map(|id| EntryId(person_id(id))),
        };
        entries.insert(EntryId(id), entry);
    };
    for (id, person) in &company.people {
        let attributes = json!({
            "userPrincipalName": person.login, "displayName": person.display(), "givenName": person.given,
            "surname": person.surname, "mail": person.mail, "jobTitle": person.title,
            "department": person.department,
        });
        insert(person_id(*id), Kind::User, person.enabled, person.manager, attributes);
    }
    for (id, group) in &company.groups {
        insert(group_id(*id), Kind::Group, true, None, json!({ "displayName": group.name }));
    }
    entries
}
