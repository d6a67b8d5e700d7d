//! Who is given an application: directly, or as a direct member of a group that is.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use latchkey_provisioning::{Assignment, Kind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::calls::Calls;
use super::heard::{id, is_ours};
use crate::at_once;

/// So many questions are under way at once.
pub(super) const AT_ONCE: usize = 6;

/// Assignments by who has them.
#[derive(Debug, Default)]
pub(super) struct Assigned(HashMap<Uuid, (Kind, Vec<Assignment>)>);

impl Assigned {
    pub(super) fn of(&self, id: Uuid) -> Vec<Assignment> {
        self.0.get(&id).map(|(_, all)| all.clone()).unwrap_or_default()
    }

    fn add(&mut self, id: Uuid, kind: Kind, assignment: &Assignment) {
        let all = &mut self.0.entry(id).or_insert((kind, Vec::new())).1;
        if !all.contains(assignment) {
            all.push(assignment.clone());
        }
    }

    /// What is remembered of it until the next reading.
    pub(super) fn marks(&self, kind: Kind) -> Marks {
        let mark = |all: &[Assignment]| {
            let mut roles: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
            roles.sort_unstable();
            let digest = Sha256::digest(roles.concat());
            [digest[0], digest[1], digest[2], digest[3]]
        };
        let of = self.0.iter().filter(|(_, (one, _))| *one == kind);
        Marks(of.map(|(id, (_, all))| (*id, mark(all))).collect())
    }
}

impl Calls {
    /// Reads all assignments of an application, named by its service principal's id or its own.
    pub(super) async fn assigned(&self, application: &str) -> Result<Assigned, SourceError> {
        let select = [("$select", "id,appRoles")];
        let answer = self.get(&self.url(&["servicePrincipals", application], &select)).await?;
        let principal = if matches!(answer.status, 400 | 404) {
            let by_app = format!("servicePrincipals(appId='{}')", application.replace('\'', "''"));
            let answer = self.get(&self.url(&[&by_app], &select)).await?;
            if matches!(answer.status, 400 | 404) {
                let message = format!(
                    "assigned_to {application} is no application of this tenant; nobody would be assigned. Give the object id of the enterprise application"
                );
                return Err(SourceError::new(SourceErrorKind::Malformed, message));
            }
            answer.json()?
        } else {
            answer.json()?
        };
        let roles = roles(&principal);
        let own = id(principal.get("id"))?.to_string();
        let all = self
            .list(self.url(&["servicePrincipals", &own, "appRoleAssignedTo"], &[("$top", "999")]))
            .await?;
        let mut assigned = Assigned::default();
        let mut groups: Vec<(Uuid, Assignment)> = Vec::new();
        for one in &all {
            let role = one.get("appRoleId").and_then(Json::as_str).unwrap_or_default();
            let assignment = roles.get(role).cloned().unwrap_or_else(|| default_access(""));
            let principal = id(one.get("principalId"))?;
            match one.get("principalType").and_then(Json::as_str) {
                Some("User") => assigned.add(principal, Kind::User, &assignment),
                Some("Group") => {
                    assigned.add(principal, Kind::Group, &assignment);
                    groups.push((principal, assignment));
                }
                _ => {}
            }
        }
        let mut asked = Vec::with_capacity(groups.len());
        for (group, _) in &groups {
            asked.push(self.members(*group).boxed());
        }
        let members = at_once::ask(asked, AT_ONCE).await?;
        for ((_, assignment), members) in groups.iter().zip(members) {
            for (member, kind) in members.into_iter().flatten() {
                if kind == Kind::User {
                    assigned.add(member, kind, assignment);
                }
            }
        }
        Ok(assigned)
    }

    /// The direct members of a group; `None` when it is gone.
    pub(super) async fn members(&self, group: Uuid) -> Result<Option<Vec<(Uuid, Kind)>>, SourceError> {
        let url = self.url(&["groups", &group.to_string(), "members"], &[("$select", "id"), ("$top", "999")]);
        let mut members = Vec::new();
        let mut next = Some(url);
        while let Some(url) = next {
            let answer = self.get(&url).await?;
            if answer.status == 404 {
                return Ok(None);
            }
            let page = self.page_of(&answer)?;
            for one in &page.values {
                let kind = one.get("@odata.type").and_then(Json::as_str).unwrap_or_default();
                if is_ours(kind) {
                    let kind = if kind.ends_with("group") { Kind::Group } else { Kind::User };
                    members.push((id(one.get("id"))?, kind));
                }
            }
            next = page.next;
        }
        Ok(Some(members))
    }
}

fn default_access(display: &str) -> Assignment {
    Assignment { role: String::new(), display: display.to_owned(), entitles: true }
}

fn roles(principal: &Json) -> HashMap<String, Assignment> {
    let all = principal.get("appRoles").and_then(Json::as_array).into_iter().flatten();
    let role = |one: &Json| {
        let text = |name: &str| one.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        // A role without a value is one that applications are not told of.
        let assignment = Assignment { role: text("value"), display: text("displayName"), entitles: true };
        (text("id"), assignment)
    };
    all.map(role).collect()
}

/// Who was assigned, and a trace of how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks(BTreeMap<Uuid, [u8; 4]>);

impl Marks {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whose assignments are not what they were.
    pub(super) fn differ(&self, now: &Self) -> Vec<Uuid> {
        let changed = now.0.iter().filter(|(id, mark)| self.0.get(id) != Some(mark));
        let ended = self.0.keys().filter(|id| !now.0.contains_key(id));
        changed.map(|(id, _)| id).chain(ended).copied().collect()
    }
}

impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> =
            self.0.iter().flat_map(|(id, mark)| id.as_bytes().iter().chain(mark)).copied().collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
        let (all, rest) = bytes.as_chunks::<20>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("an id and its mark are 20 bytes"));
        }
        let one = |bytes: &[u8; 20]| {
            let (id, mark) = bytes.split_at(16);
            Some((Uuid::from_slice(id).ok()?, mark.try_into().ok()?))
        };
        Ok(Self(all.iter().filter_map(one).collect()))
    }
}
