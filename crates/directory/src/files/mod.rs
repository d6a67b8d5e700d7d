//! CSV and JSON files of people and groups.
//!
//! All files are read twice: the first pass checks every row and finds out who is who, the second
//! tells the objects. Both have to see the same bytes, and the files have to be the same at the end.

mod faults;
mod person;
mod reading;
mod roster;
mod rows;
mod stamp;

use std::path::{Path, PathBuf};
use std::time::Duration;

use latchkey_provisioning::feed::{Change, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::{Directory, FileFormat};
use latchkey_provisioning::{EntryId, Kind, Presence, defaults};

use crate::any::Options;
use crate::attributes::Selection;
use reading::{Select, Teller};
use roster::Roster;
use stamp::State;

pub(crate) use reading::Reading;

/// How often it is looked whether somebody wrote.
const WATCH: Duration = Duration::from_secs(1);

/// CSV or JSON files.
#[derive(Debug, Clone)]
pub struct Files {
    place: Place,
    wanted: Wanted,
    sync_all: bool,
}

/// Where the files are.
#[derive(Debug, Clone)]
struct Place {
    format: FileFormat,
    people: PathBuf,
    groups: Option<PathBuf>,
    memberships: Option<PathBuf>,
}

impl Place {
    fn paths(&self) -> Vec<PathBuf> {
        let others = self.groups.iter().chain(&self.memberships);
        std::iter::once(&self.people).chain(others).cloned().collect()
    }
}

impl Files {
    pub(crate) fn open(options: &Options) -> Result<Self, SourceError> {
        let Directory::Files { format, folder, users, groups, memberships } = &options.directory else {
            return Err(SourceError::new(SourceErrorKind::Malformed, "the source is not one of files"));
        };
        let folder = match &options.source_dir {
            Some(folder) => folder.clone(),
            None => folder.as_ref().map_or_else(|| options.base.clone(), |folder| options.base.join(folder)),
        };
        let place = Place {
            format: *format,
            people: folder.join(users),
            groups: groups.as_ref().map(|name| folder.join(name)),
            memberships: memberships.as_ref().map(|name| folder.join(name)),
        };
        Ok(Self { place, wanted: options.wanted.clone(), sync_all: options.sync_all })
    }

    pub(crate) async fn read(&self, since: Option<&Watermark>) -> Result<Reading, SourceError> {
        let paths = self.place.paths();
        let since = since.and_then(|watermark| State::of(watermark, &paths));
        let this = self.clone();
        blocking(move || {
            if let Some(since) = since {
                // A file that is gone or closed to us is told by the reading itself.
                if let Ok(Some(now)) = since.unchanged() {
                    return Ok(Reading::of_nothing(now.watermark()));
                }
            }
            let (roster, state) = Roster::read(&this.place, this.sync_all)?;
            Ok(Reading::start(this.teller(roster, state)))
        })
        .await
    }

    pub(crate) async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        let wanted = ids.to_vec();
        let mut found = self.select(kind, Select::Ids(wanted.iter().cloned().collect())).await?;
        let there: std::collections::HashSet<EntryId> = found.iter().map(|one| one.id().clone()).collect();
        let gone = wanted.into_iter().filter(|id| !there.contains(id));
        found.extend(gone.map(|id| Change::Left { id, kind, presence: Presence::Deleted }));
        Ok(found)
    }

    pub(crate) async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        self.select(kind, Select::Called(text.trim().to_owned())).await
    }

    async fn select(&self, kind: Kind, select: Select) -> Result<Vec<Change>, SourceError> {
        let this = self.clone();
        blocking(move || {
            let (roster, state) = Roster::read(&this.place, this.sync_all)?;
            this.teller(roster, state).select(kind, &select)
        })
        .await
    }

    pub(crate) async fn test(&self) -> Result<String, SourceError> {
        let this = self.clone();
        let roster = blocking(move || Roster::read(&this.place, this.sync_all)).await?.0;
        let (people, groups) = (roster.count(Kind::User), roster.count(Kind::Group));
        let file = label(&self.place.people);
        let mut said = format!("{file} has {people} {}", if people == 1 { "person" } else { "people" });
        if let Some(path) = &self.place.groups {
            said.push_str(&format!(
                ", {} has {groups} {}",
                label(path),
                if groups == 1 { "group" } else { "groups" }
            ));
        }
        said.push_str("; every row can be read");
        // Few people have all that the default mappings ask for; what was asked for beside is meant.
        let usual = defaults::users();
        let usual = usual.source_attributes();
        let asked = self.wanted.users.iter().flatten().map(String::as_str);
        let without: Vec<&str> =
            asked.filter(|name| !usual.contains(name) && !roster.can_tell(name)).collect();
        if !without.is_empty() {
            said.push_str(&format!(", but none has {}, which the mappings ask for", without.join(", ")));
        }
        Ok(said)
    }

    pub(crate) async fn changed(&self, since: &Watermark) -> Result<(), SourceError> {
        let Some(mut since) = State::of(since, &self.place.paths()) else { return Ok(()) };
        loop {
            let now = blocking(move || Ok(since.unchanged().unwrap_or_default())).await?;
            match now {
                // Later looks are at the stamps alone, even where somebody wrote the same again.
                Some(now) => since = now,
                None => return Ok(()),
            }
            tokio::time::sleep(WATCH).await;
        }
    }

    fn teller(&self, roster: Roster, state: State) -> Teller {
        Teller {
            place: self.place.clone(),
            roster,
            state,
            users: self.wanted.users.is_some(),
            groups: self.wanted.groups.is_some(),
            user_selection: Selection::of(self.wanted.users.as_ref()),
            group_selection: Selection::of(self.wanted.groups.as_ref()),
        }
    }
}

/// A file's name for people.
fn label(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Files are read on threads that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(SourceError::new(SourceErrorKind::Unreachable, format!("reading the files broke off: {error}")))
    })
}
