//! Accounts are brought in out of another password manager's file.
//!
//! A preview decides everything and writes nothing. Applying writes each account with its secrets
//! at once; run again, it finds those that it made and goes on with the rest.

mod draft;
mod folders;

use latchkey_access::Account;
use latchkey_access::authority::Action;
use latchkey_access::exposure::Client;
use latchkey_access::imports::{self as rules, Importer};
use latchkey_access::secret::SecretKind;
use latchkey_interchange::{Item, Known, Lost, Place, ReadError, Twin, duplicates};
use latchkey_kernel::id::{AccountId, MemberId};
use zeroize::Zeroizing;

pub use latchkey_interchange::{Format, Likeness, Limits, Reading, RowError, Unlock};

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Caller, Engine, Error, members};
use draft::Draft;
pub(crate) use draft::NOTES;
use folders::Folders;

/// What is to be brought in.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    /// What was read of the file.
    pub reading: &'a Reading,
    /// Who becomes the owner of the accounts.
    pub owner: MemberId,
    /// By which client.
    pub client: Client,
}

/// What would come, or came, of an import.
#[derive(Debug)]
pub struct Report {
    /// The format of the file.
    pub format: Format,
    /// Who owns the accounts.
    pub owner: MemberId,
    /// One for each item that could be read, in the file's order.
    pub lines: Vec<Line>,
    /// What could not be taken over.
    pub errors: Vec<RowError>,
    /// The collections that are made for it, as paths.
    pub collections: Vec<String>,
}

/// What becomes of one item.
#[derive(Debug)]
pub struct Line {
    /// Where it stands in the file.
    pub place: Place,
    /// The account's name.
    pub name: String,
    /// The collection, as a path; empty is none.
    pub collection: String,
    /// The kinds of its secrets.
    pub secrets: Vec<SecretKind>,
    /// An earlier item of the same file with the same host and login name.
    pub like: Option<Place>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// An account would be made.
    New,
    /// An account was made.
    Made(AccountId),
    /// It is there already, and left as it is.
    There {
        /// The account.
        account: AccountId,
        /// In what it is the same.
        likeness: Likeness,
    },
    /// A rule refuses it; the errors say why.
    Refused,
}

impl Fate {
    /// As a word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Made(_) => "made",
            Self::There { .. } => "there",
            Self::Refused => "refused",
        }
    }
}

/// Reads a file on a thread that may take its time: opening a locked one costs what its maker chose.
///
/// # Errors
/// The file's fault, in a sentence.
pub async fn read(
    bytes: Zeroizing<Vec<u8>>,
    format: Option<Format>,
    unlock: Unlock,
    limits: Limits,
) -> Result<Reading, Error> {
    let reading = tokio::task::spawn_blocking(move || match format {
        Some(format) => latchkey_interchange::read_as(format, &bytes, &unlock, &limits),
        None => latchkey_interchange::read(&bytes, &unlock, &limits),
    });
    let failed = |error: ReadError| Error::Invalid(error.to_string());
    reading.await.map_err(|error| Error::damaged("file", error))?.map_err(failed)
}

/// What an import would do; nothing is written.
///
/// # Errors
/// When the caller may not, or the owner is none who can own.
pub async fn preview(engine: &Engine, by: &Caller, import: Import<'_>) -> Result<Report, Error> {
    Ok(Work::load(engine, by, import).await?.report)
}

/// Makes the accounts that a preview shows as new.
///
/// # Errors
/// As [`preview`], and when the database fails; what was made by then stays, and running it again
/// goes on from there.
pub async fn apply(engine: &Engine, by: &Caller, import: Import<'_>) -> Result<Report, Error> {
    let Work { mut report, drafts, mut folders } = Work::load(engine, by, import).await?;
    for (line, draft) in report.lines.iter_mut().zip(drafts) {
        let Some(draft) = draft else { continue };
        let collection = folders.make(engine, by, &draft.folder).await?;
        line.fate = Fate::Made(bring_in(engine, by, import, &draft, collection).await?);
    }
    Ok(report)
}

struct Work {
    report: Report,
    /// By line; none for what is not to be made.
    drafts: Vec<Option<Draft>>,
    folders: Folders,
}

impl Work {
    async fn load(engine: &Engine, by: &Caller, import: Import<'_>) -> Result<Self, Error> {
        by.may(Action::WriteAccounts)?;
        by.may(Action::WriteSecrets)?;
        let Reading { format, items, errors } = import.reading;
        let accounts = all_accounts(engine, by).await?;
        let folders = Folders::load(engine, by).await?;
        let people = People::load(engine, by, import).await?;
        let mut work = Self {
            report: Report {
                format: *format,
                owner: import.owner,
                lines: Vec::with_capacity(items.len()),
                errors: errors.clone(),
                collections: Vec::new(),
            },
            drafts: Vec::with_capacity(items.len()),
            folders,
        };
        let known: Vec<Known<'_>> = accounts.iter().map(known).collect();
        let mut twins = duplicates(items, &known).into_iter().peekable();
        for (at, item) in items.iter().enumerate() {
            let twin = twins.next_if(|twin| twin.item == at);
            let like = match twin.map(|twin| (twin.twin, twin.likeness)) {
                Some((Twin::Item(other), Likeness::Login)) => Some(items[other].place.clone()),
                _ => None,
            };
            let there = match twin.map(|twin| (twin.twin, twin.likeness)) {
                Some((Twin::Known(account), likeness)) => Some((accounts[account].id, likeness)),
                _ => None,
            };
            work.judge(item, (like, there), |draft| people.allow(engine, by, import.client, draft));
        }
        work.report.collections = work.folders.missing();
        Ok(work)
    }

    fn judge(
        &mut self,
        item: &Item,
        (like, there): (Option<Place>, Option<(AccountId, Likeness)>),
        allowed: impl Fn(&Draft) -> Result<(), Error>,
    ) {
        let mut line = Line {
            place: item.place.clone(),
            name: item.name.clone(),
            collection: item.folder.join("/"),
            secrets: Vec::new(),
            like,
            fate: Fate::New,
        };
        let mut made = None;
        if let Some((account, likeness)) = there {
            line.fate = Fate::There { account, likeness };
        } else {
            let draft = Draft::of(item, &mut self.report.errors);
            line.secrets = draft.secrets.iter().map(|secret| secret.kind).collect();
            match allowed(&draft) {
                Ok(()) => {
                    self.folders.want(&draft.folder);
                    made = Some(draft);
                }
                Err(error) => {
                    line.fate = Fate::Refused;
                    self.report.errors.push(RowError {
                        place: item.place.clone(),
                        field: "the item".to_owned(),
                        found: error.to_string(),
                        advice: "change it in the file, and import it again",
                        lost: Lost::Item,
                    });
                }
            }
        }
        self.report.lines.push(line);
        self.drafts.push(made);
    }
}

/// The owner and who imports.
struct People {
    owner: latchkey_access::Member,
    author: Option<latchkey_access::Member>,
}

impl People {
    async fn load(engine: &Engine, by: &Caller, import: Import<'_>) -> Result<Self, Error> {
        let owner = members::find(engine, by, import.owner).await?;
        let author = match by.member_id() {
            Some(id) => Some(members::find(engine, by, id).await?),
            None => None,
        };
        Ok(Self { owner, author })
    }

    const fn importer(&self, client: Client) -> Importer<'_> {
        Importer { owner: &self.owner, author: self.author.as_ref(), client }
    }

    /// Asks the rule, without the values, which it doesn't look at.
    fn allow(&self, engine: &Engine, by: &Caller, client: Client, draft: &Draft) -> Result<(), Error> {
        let cause = by.cause(engine, Action::WriteAccounts)?;
        let account = draft.account(engine, by, &self.owner, None, &cause);
        rules::bring_in(&account, Vec::new(), self.importer(client), &cause, engine.ids(&cause))?;
        Ok(())
    }
}

async fn bring_in(
    engine: &Engine,
    by: &Caller,
    import: Import<'_>,
    draft: &Draft,
    collection: Option<latchkey_kernel::id::CollectionId>,
) -> Result<AccountId, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let people = People::load(engine, by, import).await?;
            let account = draft.account(engine, by, &people.owner, collection, &cause);
            let values = draft.seal(engine, &account, &cause).await?;
            let importer = people.importer(import.client);
            let changes = rules::bring_in(&account, values, importer, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok::<_, Attempt>(account.id)
        })
        .await
}

async fn all_accounts(engine: &Engine, by: &Caller) -> Result<Vec<Account>, Error> {
    const PAGE: usize = 1_000;
    let mut all: Vec<Account> = Vec::new();
    loop {
        let page = engine.store().account_page(by.workspace_id(), all.last().map(|a| a.id), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn known(account: &Account) -> Known<'_> {
    Known { name: &account.name, url: account.url.as_deref(), username: account.username.as_deref() }
}
