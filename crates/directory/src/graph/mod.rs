//! Microsoft Graph: people and groups of Entra ID, by delta queries.

mod assigned;
mod calls;
mod heard;
mod names;
mod reading;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::jobfile::Directory;
use latchkey_provisioning::{EntryId, Kind, Presence};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::any::Options;
use crate::at_once;
use crate::attributes::Selection;
use crate::web::Web;
use assigned::{AT_ONCE, Assigned, Marks};
use calls::{Calls, expired};
use heard::{Heard, id};

pub(crate) use reading::Reading;

/// How many ids one filter may name.
const TOGETHER: usize = 15;

/// Microsoft Graph.
#[derive(Debug, Clone)]
pub struct Graph(Arc<Place>);

#[derive(Debug)]
struct Place {
    calls: Calls,
    tenant: String,
    users: Option<Selection>,
    groups: Option<Selection>,
    usual: Selection,
    assigned_to: Option<String>,
}

/// Where the next reading goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The links of the next rounds; `None` for what the job leaves out.
    users: Option<String>,
    groups: Option<String>,
    /// What these links track: they go on tracking it, whatever is asked for now.
    tracked: [String; 2],
    assigned_users: Marks,
    assigned_groups: Marks,
}

impl Place {
    const fn told(&self, kind: Kind) -> Option<&Selection> {
        match kind {
            Kind::User => self.users.as_ref(),
            Kind::Group => self.groups.as_ref(),
        }
    }

    fn selection(&self, kind: Kind) -> &Selection {
        self.told(kind).unwrap_or(&self.usual)
    }

    fn select(&self, kind: Kind) -> String {
        names::select(kind, self.selection(kind))
    }

    fn tracked(&self) -> [String; 2] {
        [Kind::User, Kind::Group].map(|kind| self.told(kind).map(|_| self.select(kind)).unwrap_or_default())
    }

    /// The first link of a first round.
    fn begin(&self, kind: Kind) -> Url {
        let reference = match kind {
            Kind::User => "manager",
            Kind::Group => "members",
        };
        let select = format!("{},{reference}", self.select(kind));
        self.calls.url(&[collection(kind), "delta"], &[("$select", &select)])
    }

    fn present(
        &self,
        kind: Kind,
        id: Uuid,
        properties: &Map<String, Json>,
        assigned: &Assigned,
        members: Option<Members>,
    ) -> Change {
        let entry = names::entry(kind, id, properties, self.selection(kind), assigned.of(id));
        Change::Present { entry: Box::new(entry), members }
    }

    /// Objects as they are, by their ids.
    async fn properties(
        &self,
        kind: Kind,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Map<String, Json>>, SourceError> {
        let select = self.select(kind);
        let mut asked = Vec::new();
        for some in ids.chunks(TOGETHER) {
            let listed: Vec<String> = some.iter().map(|id| format!("'{id}'")).collect();
            let filter = format!("id in ({})", listed.join(","));
            let mut query = vec![("$filter", filter.as_str()), ("$select", &select)];
            if kind == Kind::User {
                query.push(("$expand", "manager($select=id)"));
            }
            asked.push(self.calls.list(self.calls.url(&[collection(kind)], &query)).boxed());
        }
        let pages = at_once::ask(asked, AT_ONCE).await?;
        pages.into_iter().flatten().map(|one| Ok((id(one.get("id"))?, one))).collect()
    }

    /// Whether an object that is not there is in the bin, from which it may come back.
    async fn presence(&self, id: Uuid) -> Result<Presence, SourceError> {
        let url = self.calls.url(&["directory", "deletedItems", &id.to_string()], &[("$select", "id")]);
        let answer = self.calls.get(&url).await?;
        match answer.status {
            404 => Ok(Presence::Deleted),
            200..=299 => Ok(Presence::SoftDeleted),
            _ => Err(answer.refusal()),
        }
    }

    async fn whole_members(&self, group: Uuid) -> Result<Option<Members>, SourceError> {
        let members = self.calls.members(group).await?;
        let ids = members.map(|all| all.into_iter().map(|(id, _)| EntryId(id.to_string())).collect());
        Ok(ids.map(Members::Whole))
    }

    /// What is to be told of objects that were heard of: each is asked for whole, and what was just
    /// heard of it counts more, since copies of the directory lag behind each other.
    async fn settle(
        &self,
        kind: Kind,
        heard: Vec<(Uuid, Heard)>,
        assigned: &Assigned,
        whole: bool,
    ) -> Result<Vec<Change>, SourceError> {
        let asked: Vec<Uuid> =
            heard.iter().filter(|(_, one)| one.there || one.removed.is_none()).map(|(id, _)| *id).collect();
        let mut found = self.properties(kind, &asked).await?;
        let mut changes = Vec::with_capacity(heard.len());
        for (id, one) in heard {
            if let Some(presence) = one.removed.filter(|_| !one.there) {
                changes.push(left(kind, id, presence));
                continue;
            }
            let Some(mut properties) = found.remove(&id) else {
                let presence = match one.removed {
                    Some(presence) => presence,
                    None => self.presence(id).await?,
                };
                changes.push(left(kind, id, presence));
                continue;
            };
            // Told as there and as gone: it is in the bin, whatever a copy that lags says, or it came back.
            if one.removed.is_some() && self.presence(id).await? == Presence::SoftDeleted {
                changes.push(left(kind, id, Presence::SoftDeleted));
                continue;
            }
            let mut newer = one.properties.clone();
            if newer.contains_key("manager@delta") {
                properties.remove("manager");
            }
            properties.append(&mut newer);
            let members = match kind {
                Kind::User => None,
                Kind::Group if whole || one.members_are_unclear() => match self.whole_members(id).await? {
                    Some(members) => Some(members),
                    None => {
                        let presence = self.presence(id).await?;
                        changes.push(left(kind, id, presence));
                        continue;
                    }
                },
                Kind::Group => {
                    let ids = |all: &std::collections::HashSet<Uuid>| {
                        all.iter().map(|id| EntryId(id.to_string())).collect()
                    };
                    Some(Members::Delta { added: ids(&one.added), removed: ids(&one.went) })
                }
            };
            changes.push(self.present(kind, id, &properties, assigned, members));
        }
        Ok(changes)
    }
}

impl Graph {
    pub(crate) fn open(options: &Options) -> Result<Self, SourceError> {
        let wrong = |message: String| SourceError::new(SourceErrorKind::Malformed, message);
        let Directory::Graph { tenant, client_id, assigned_to, graph_url, login_url, .. } =
            &options.directory
        else {
            return Err(wrong("the source is not Microsoft Graph".to_owned()));
        };
        let client_secret = options
            .secret
            .clone()
            .ok_or_else(|| wrong("the client secret of the source is missing".to_owned()))?;
        if !options.sync_all && assigned_to.is_none() {
            return Err(wrong(
                "the job takes who is assigned, but [source] doesn't say to which application; name assigned_to, or set scope = \"all\"".to_owned(),
            ));
        }
        let url = |text: &str, field: &str| {
            Url::parse(text).map_err(|error| wrong(format!("source.{field} is no URL: {error}")))
        };
        let graph = graph_url.as_deref().unwrap_or("https://graph.microsoft.com").trim_end_matches('/');
        let login = login_url.as_deref().unwrap_or("https://login.microsoftonline.com").trim_end_matches('/');
        let calls = Calls {
            web: Web::new(None)?,
            graph: url(&format!("{}/v1.0", graph.trim_end_matches("/v1.0")), "graph_url")?,
            token_url: url(&format!("{login}/{tenant}/oauth2/v2.0/token"), "login_url")?,
            client_id: client_id.clone(),
            client_secret,
            token: tokio::sync::Mutex::new(None),
        };
        Ok(Self(Arc::new(Place {
            calls,
            tenant: tenant.clone(),
            users: options.wanted.users.as_ref().map(|names| Selection::of(Some(names))),
            groups: options.wanted.groups.as_ref().map(|names| Selection::of(Some(names))),
            usual: Selection::of(None),
            assigned_to: assigned_to.clone().filter(|_| !options.sync_all),
        })))
    }

    async fn assigned(&self) -> Result<Assigned, SourceError> {
        match &self.0.assigned_to {
            Some(application) => self.0.calls.assigned(application).await,
            None => Ok(Assigned::default()),
        }
    }

    pub(crate) async fn read(&self, since: Option<&Watermark>) -> Result<Reading, SourceError> {
        let mark = match since {
            None => None,
            Some(watermark) => {
                let mark: Mark = serde_json::from_str(&watermark.0).map_err(|_| expired())?;
                if mark.tracked != self.0.tracked() {
                    return Err(expired());
                }
                Some(mark)
            }
        };
        let assigned = self.assigned().await?;
        Reading::begin(self.0.clone(), mark, assigned).await
    }

    pub(crate) async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        let known =
            ids.iter().filter_map(|id| Some((Uuid::parse_str(&id.0).ok()?, Heard::default()))).collect();
        let assigned = self.assigned().await?;
        let mut changes = self.0.settle(kind, known, &assigned, true).await?;
        let strange = ids.iter().filter(|id| Uuid::parse_str(&id.0).is_err());
        changes.extend(strange.map(|id| Change::Left { id: id.clone(), kind, presence: Presence::Deleted }));
        Ok(changes)
    }

    pub(crate) async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        let text = text.trim();
        let quoted = text.replace('\'', "''");
        let names: &[&str] = match kind {
            Kind::User => &["userPrincipalName", "mail", "displayName"],
            Kind::Group => &["mail", "displayName"],
        };
        let mut clauses: Vec<String> = names.iter().map(|name| format!("{name} eq '{quoted}'")).collect();
        if let (Kind::User, Some(guest)) = (kind, names::as_guest(&quoted)) {
            clauses.push(format!("startswith(userPrincipalName,'{guest}')"));
        }
        let filter = clauses.join(" or ");
        let url = self.0.calls.url(&[collection(kind)], &[("$filter", &filter), ("$select", "id")]);
        let mut ids: Vec<EntryId> = Vec::new();
        for one in self.0.calls.list(url).await? {
            ids.push(EntryId(id(one.get("id"))?.to_string()));
        }
        if Uuid::parse_str(text).is_ok() {
            ids.push(EntryId(text.to_lowercase()));
        }
        ids.sort();
        ids.dedup();
        let mut found = self.fetch(kind, &ids).await?;
        found.retain(|change| matches!(change, Change::Present { .. }));
        Ok(found)
    }

    pub(crate) async fn test(&self) -> Result<String, SourceError> {
        let mut said = format!("signed in to tenant {} at {}", self.0.tenant, self.0.calls.host());
        for (kind, one, many) in [(Kind::User, "person", "people"), (Kind::Group, "group", "groups")] {
            if self.0.told(kind).is_none() {
                continue;
            }
            let page = self.0.calls.page(&self.0.begin(kind)).await?;
            let count = page.values.len();
            let more = if page.next.is_some() { " on the first page, and there are more" } else { "" };
            said.push_str(&format!("; {count} {}{more}", if count == 1 { one } else { many }));
        }
        if self.0.assigned_to.is_some() {
            let assigned = self.assigned().await?;
            let count = assigned.marks(Kind::User).len();
            said.push_str(&format!(
                "; {count} {} assigned",
                if count == 1 { "person is" } else { "people are" }
            ));
        }
        Ok(said)
    }
}

fn left(kind: Kind, id: Uuid, presence: Presence) -> Change {
    Change::Left { id: EntryId(id.to_string()), kind, presence }
}

const fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "users",
        Kind::Group => "groups",
    }
}
