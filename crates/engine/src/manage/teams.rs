//! Teams: look; make, change and remove those that are kept here.

use latchkey_access::member::Version;
use latchkey_access::membership::{self, MemberChange};
use latchkey_access::{Member, Membership, Origin, Team, teams as rules};
use latchkey_kernel::id::{MemberId, TeamId};
use latchkey_scim::filter::fold;
use latchkey_scim::{Resource, Value};
use latchkey_store::{Conflict, UniqueKey};

use super::Session;
use crate::Error;
use crate::engine::only_moved;

impl Session<'_> {
    /// A page of teams, by a part of the name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn team_list(
        &self,
        text: Option<&str>,
        after: Option<TeamId>,
        limit: usize,
    ) -> Result<Vec<(Team, u64)>, Error> {
        let text = text.map(|text| fold(text.trim()).into_owned()).filter(|text| !text.is_empty());
        Ok(self.engine.store().team_search(self.workspace_id, text.as_deref(), after, limit).await?)
    }

    /// One team.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn team_get(&self, id: TeamId) -> Result<Team, Error> {
        self.engine.store().team_get(self.workspace_id, id).await?.ok_or(Error::NotFound { what: "team" })
    }

    /// A page of a team's members, each with the epoch in which access through it was confirmed.
    ///
    /// # Errors
    /// When there is no such team.
    pub async fn team_members(
        &self,
        id: TeamId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<(Member, Membership)>, Error> {
        self.team_get(id).await?;
        Ok(self.engine.store().team_member_page(self.workspace_id, id, after, limit).await?)
    }

    /// Makes a team that is kept here.
    ///
    /// # Errors
    /// When the name is empty or taken.
    pub async fn team_create(&self, name: &str) -> Result<Team, Error> {
        let now = self.engine.now();
        let blank = Team {
            workspace_id: self.workspace_id,
            id: TeamId::fresh(now, self.engine.entropy()),
            display_name: String::new(),
            display_name_key: String::new(),
            external_id: None,
            origin: Origin::Local,
            resource: String::new(),
            version: Version::FIRST,
            created_at: now,
            modified_at: now,
        };
        let team = named(&blank, name)?;
        self.engine
            .settle(async || {
                let cause = self.cause();
                let changes = rules::create(team.clone(), &cause, self.ids(&cause));
                self.engine.commit(changes, |conflict| name_taken(conflict, &team)).await?;
                Ok(team.clone())
            })
            .await
    }

    /// Renames a team that is kept here.
    ///
    /// # Errors
    /// When the directory keeps it, or the name is empty or taken.
    pub async fn team_rename(&self, id: TeamId, name: &str) -> Result<Team, Error> {
        self.engine
            .settle(async || {
                let before = self.team_get(id).await?;
                let after = named(&before, name)?;
                let cause = self.cause();
                let changes = rules::update(&before, after.clone(), &cause, self.ids(&cause))?;
                self.engine.commit(changes, |conflict| name_taken(conflict, &after)).await?;
                Ok(self.team_get(id).await?)
            })
            .await
    }

    /// Removes a team that is kept here, with its memberships and grants.
    ///
    /// # Errors
    /// When the directory keeps it.
    pub async fn team_delete(&self, id: TeamId) -> Result<(), Error> {
        self.engine
            .settle(async || {
                let team = self.team_get(id).await?;
                let reached = self.engine.store().accounts_of_team(self.workspace_id, id).await?;
                let cause = self.cause();
                let changes = rules::delete(&team, &reached, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await
            })
            .await
    }

    /// Puts a member into a team that is kept here; there already is no failure.
    ///
    /// # Errors
    /// When the directory keeps the team, or either is not there.
    pub async fn team_member_add(&self, team: TeamId, member: MemberId) -> Result<(), Error> {
        self.team_change(team, member, true).await
    }

    /// Takes a member out of a team that is kept here; not there is no failure.
    ///
    /// # Errors
    /// When the directory keeps the team, or either is not there.
    pub async fn team_member_remove(&self, team: TeamId, member: MemberId) -> Result<(), Error> {
        self.team_change(team, member, false).await
    }

    async fn team_change(&self, team: TeamId, member: MemberId, inside: bool) -> Result<(), Error> {
        self.engine
            .settle(async || {
                let store = self.engine.store();
                let ids = [member];
                let (found, workspace) = tokio::try_join!(self.team_get(team), self.workspace())?;
                let known = store.team_standings(self.workspace_id, team, &ids).await?;
                let (standing, membership) =
                    known.into_iter().next().ok_or(Error::NotFound { what: "member" })?;
                let change = match (inside, membership) {
                    (true, None) => MemberChange {
                        added: vec![(member, membership::confirmed_for(&standing, &workspace.policy))],
                        removed: Vec::new(),
                    },
                    (false, Some(_)) => MemberChange { added: Vec::new(), removed: vec![member] },
                    _ => MemberChange::default(),
                };
                let cause = self.cause();
                let mut changes = latchkey_access::ChangeSet::new(self.workspace_id);
                membership::extend(&mut changes, &found, change, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await
            })
            .await
    }
}

/// The team under this name, in its columns and its SCIM text.
fn named(team: &Team, name: &str) -> Result<Team, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::Invalid("a team's name must have 1 to 200 characters".to_owned()));
    }
    let mut resource = if team.resource.is_empty() {
        Resource::default()
    } else {
        crate::directory::team_resource(team)?
    };
    resource.core.set("displayName", Value::String(name.to_owned()));
    Ok(Team {
        display_name: name.to_owned(),
        display_name_key: fold(name).into_owned(),
        resource: resource.to_stored(),
        ..team.clone()
    })
}

fn name_taken(conflict: &Conflict, team: &Team) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::TeamDisplayName))
        .then(|| Error::Clash(format!("there is a team called {} already", team.display_name)))
}
