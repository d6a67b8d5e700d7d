//! Any SCIM 2.0 provider as a source.

mod list;
mod reading;
mod resource;

use std::collections::BTreeSet;
use std::sync::Arc;

use latchkey_provisioning::feed::{Change, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::jobfile::Directory;
use latchkey_provisioning::{EntryId, Kind, Presence};
use reqwest::Url;
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::any::Options;
use crate::attributes::Selection;
use crate::web::{Answer, Web};
use list::{List, endpoint};
use resource::{Plan, entry_id};

pub(crate) use reading::Reading;

/// Any SCIM 2.0 provider.
#[derive(Debug, Clone)]
pub struct Scim(Arc<Place>);

#[derive(Debug)]
struct Place {
    web: Web,
    base: Url,
    token: SecretString,
    plan: Plan,
    users: bool,
    groups: bool,
}

/// Where the next reading goes on. The ids are in it because SCIM tells nobody who left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// When the latest of what was read was changed; `None` where the provider doesn't say, and
    /// then all is read each time.
    latest: Option<jiff::Timestamp>,
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

/// What a provider says that it can.
#[derive(Debug, Clone, Copy, Default)]
struct Abilities {
    filters: bool,
    cursors: bool,
}

impl Mark {
    const fn known(&mut self, kind: Kind) -> &mut BTreeSet<String> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }
}

impl Scim {
    pub(crate) fn open(options: &Options) -> Result<Self, SourceError> {
        let wrong = |message: &str| SourceError::new(SourceErrorKind::Malformed, message);
        let Directory::Scim { url, assigned_entitlement, ca_file, .. } = &options.directory else {
            return Err(wrong("the source is not one of SCIM"));
        };
        let token = options.secret.clone().ok_or_else(|| wrong("the token of the source is missing"))?;
        if !options.sync_all && assigned_entitlement.is_none() {
            return Err(wrong(
                "the job takes who is assigned, but [source] doesn't say who that is; name assigned_entitlement, or set scope = \"all\"",
            ));
        }
        let base = Url::parse(&format!("{}/", url.trim_end_matches('/')));
        let ca_file = ca_file.as_ref().map(|name| options.base.join(name));
        Ok(Self(Arc::new(Place {
            web: Web::new(ca_file.as_deref())?,
            base: base.map_err(|error| wrong(&format!("source.url is no URL: {error}")))?,
            token,
            plan: Plan::new(
                &Selection::of(options.wanted.users.as_ref()),
                &Selection::of(options.wanted.groups.as_ref()),
                assigned_entitlement.clone(),
            ),
            users: options.wanted.users.is_some(),
            groups: options.wanted.groups.is_some(),
        })))
    }

    async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, SourceError> {
        let place = &self.0;
        let mut url = place.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let token = place.token.expose_secret().trim();
        let header = HeaderValue::try_from(format!("Bearer {token}"));
        let mut header = header.map_err(|_| {
            let message = "the token of the source holds characters that no header may have; copy it anew";
            SourceError::new(SourceErrorKind::Refused, message)
        })?;
        header.set_sensitive(true);
        let ask = |http: &reqwest::Client| {
            http.get(url.clone())
                .header(ACCEPT, "application/scim+json, application/json")
                .header(reqwest::header::AUTHORIZATION, header.clone())
        };
        place.web.ask(ask).await
    }

    async fn abilities(&self) -> Result<Abilities, SourceError> {
        let answer = self.get(&["ServiceProviderConfig"], &[]).await?;
        // Some have no such document; then nothing is taken for granted.
        if answer.status == 404 || answer.status == 403 {
            return Ok(Abilities::default());
        }
        let body = answer.json()?;
        let is = |path: &str| body.pointer(path) == Some(&Json::Bool(true));
        Ok(Abilities { filters: is("/filter/supported"), cursors: is("/pagination/cursor") })
    }

    pub(crate) async fn read(&self, since: Option<&Watermark>) -> Result<Reading, SourceError> {
        let mark = match since {
            None => None,
            Some(watermark) => Some(serde_json::from_str::<Mark>(&watermark.0).map_err(|_| {
                SourceError::new(
                    SourceErrorKind::Expired,
                    "the last reading did not end, so all is read anew",
                )
            })?),
        };
        let abilities = self.abilities().await?;
        match mark.filter(|_| abilities.filters) {
            Some(mark) if mark.latest.is_some() => Reading::since(self, abilities, mark).await,
            _ => Reading::all(self, abilities).await,
        }
    }

    fn told(&self) -> impl Iterator<Item = Kind> {
        let told = [(Kind::User, self.0.users), (Kind::Group, self.0.groups)];
        told.into_iter().filter(|(_, told)| *told).map(|(kind, _)| kind)
    }

    /// One resource, if it is there.
    async fn one(&self, kind: Kind, id: &str) -> Result<Option<Change>, SourceError> {
        let answer = self.get(&[endpoint(kind), id], &[]).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let body = answer.json()?;
        let resource = body.as_object().ok_or_else(|| {
            SourceError::new(
                SourceErrorKind::Malformed,
                format!("{}/{id} is no resource of SCIM", endpoint(kind)),
            )
        })?;
        self.0.plan.change(kind, resource, |_| false).map(Some)
    }

    pub(crate) async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        let mut changes = Vec::new();
        for id in ids {
            let prefix = entry_id(kind, "").0;
            let there = match id.0.strip_prefix(&prefix).filter(|own| !own.is_empty() && !own.contains(".."))
            {
                Some(own) => self.one(kind, own).await?,
                None => None,
            };
            changes.push(there.unwrap_or_else(|| Change::Left {
                id: id.clone(),
                kind,
                presence: Presence::Deleted,
            }));
        }
        Ok(changes)
    }

    pub(crate) async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        let text = text.trim();
        let quoted = Json::from(text).to_string();
        let names: &[&str] = match kind {
            Kind::User => &["userName", "emails.value", "displayName"],
            Kind::Group => &["displayName"],
        };
        let mut found: Vec<Change> = Vec::new();
        for name in names {
            let mut list = List::new(kind, false);
            list.filter = Some(format!("{name} eq {quoted}"));
            let page = match list.next(self).await {
                Ok(page) => page.unwrap_or_default(),
                // Not every provider finds by each of them.
                Err(error) if error.kind == SourceErrorKind::Malformed && *name != names[0] => continue,
                Err(error) => return Err(error),
            };
            for resource in page {
                let change = self.0.plan.change(kind, &resource, |_| false)?;
                if !found.iter().any(|one| one.id() == change.id()) {
                    found.push(change);
                }
            }
        }
        if found.is_empty() && !text.is_empty() && !text.contains(['/', ' ', '@']) && !text.contains("..") {
            found.extend(self.one(kind, text).await?);
        }
        Ok(found)
    }

    pub(crate) async fn test(&self) -> Result<String, SourceError> {
        let abilities = self.abilities().await?;
        let mut said = format!("{} answers", self.0.base);
        for kind in self.told() {
            let mut list = List::new(kind, abilities.cursors);
            let page = list.next(self).await?.unwrap_or_default();
            for resource in &page {
                self.0.plan.change(kind, resource, |_| false)?;
            }
            let count = list.total().unwrap_or(page.len() as u64);
            let (one, many) = match kind {
                Kind::User => ("person", "people"),
                Kind::Group => ("group", "groups"),
            };
            said.push_str(&format!("; {count} {}", if count == 1 { one } else { many }));
        }
        let way = if abilities.filters { "by meta.lastModified where it is kept" } else { "by reading all" };
        Ok(format!("{said}; changes are found {way}"))
    }
}
