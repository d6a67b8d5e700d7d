//! Logins that were looked up a moment ago, so that a request costs no round trip for its token.
//!
//! An entry lives a second at most. What changes a token or a member who has one sends a notice in
//! its transaction, on which every node forgets; a lost notice, or a lost connection, costs that second.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use latchkey_kernel::id::{MemberId, WorkspaceId};
use tokio_postgres::{AsyncMessage, Config, NoTls};

use crate::change::Op;
use crate::statement::statements;
use crate::store::LoginChange;
use crate::token::TokenLogin;
use crate::value::params;

/// How old an entry may get: the bound on revocation that the design names.
const LIFE: Duration = Duration::from_secs(1);
/// Entries kept at most; beyond, all are forgotten.
const ENTRIES: usize = 10_000;
/// How long until a lost listener is tried anew.
const PAUSE: Duration = Duration::from_millis(500);

statements! {
    NOTIFY_TOKENS = "select pg_notify('latchkey_logins', '')";
    NOTIFY_MEMBER = "select pg_notify('latchkey_logins', cast(k.member_id as text)) from token k \
        where k.workspace_id = $1 and k.member_id = $2 limit 1";
}

/// The notice of a change.
pub(super) fn notify((ws, change): &(WorkspaceId, LoginChange)) -> Op {
    match change {
        LoginChange::Tokens => Op::new(&NOTIFY_TOKENS, params![], "token"),
        LoginChange::Member(member) => Op::new(&NOTIFY_MEMBER, params![*ws, *member], "token"),
    }
}

/// The cache.
#[derive(Default)]
pub(crate) struct Logins(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: HashMap<[u8; 32], (Instant, TokenLogin)>,
    /// Counts the forgettings, so that an answer that was asked for before one is not kept after it.
    forgettings: u64,
}

/// When a look-up began.
#[derive(Clone, Copy)]
pub(crate) struct Asked(u64, Instant);

impl Logins {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().expect("no holder of this lock panics")
    }

    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<TokenLogin> {
        let kept = self.kept();
        kept.entries.get(hash).filter(|(since, _)| since.elapsed() < LIFE).map(|(_, login)| login.clone())
    }

    pub(crate) fn ask(&self) -> Asked {
        Asked(self.kept().forgettings, Instant::now())
    }

    pub(crate) fn keep(&self, Asked(forgettings, since): Asked, hash: [u8; 32], login: TokenLogin) {
        let mut kept = self.kept();
        if kept.forgettings == forgettings {
            if kept.entries.len() >= ENTRIES {
                kept.entries.clear();
            }
            kept.entries.insert(hash, (since, login));
        }
    }

    pub(crate) fn forget(&self, change: &LoginChange) {
        match change {
            LoginChange::Tokens => self.forget_all(),
            LoginChange::Member(id) => self.forget_member(*id),
        }
    }

    fn forget_member(&self, id: MemberId) {
        let mut kept = self.kept();
        kept.forgettings += 1;
        kept.entries.retain(|_, (_, login)| login.token.member.is_none_or(|(member, _)| member != id));
    }

    fn forget_all(&self) {
        let mut kept = self.kept();
        kept.forgettings += 1;
        kept.entries.clear();
    }
}

/// Listens for notices for as long as the store lives.
pub(super) async fn listen(config: Config, logins: Arc<Logins>) {
    loop {
        if let Err(error) = listen_once(&config, &logins).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "lost the listener for logins");
        }
        logins.forget_all();
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(config: &Config, logins: &Logins) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
    let mut listening = std::pin::pin!(client.batch_execute("listen latchkey_logins").fuse());
    let mut begun = false;
    loop {
        let message = poll_fn(|context| {
            if !begun && listening.poll_unpin(context).is_ready() {
                begun = true;
            }
            futures_util::StreamExt::poll_next_unpin(&mut messages, context)
        })
        .await;
        match message {
            None => return Ok(()),
            Some(Err(error)) => return Err(error),
            Some(Ok(AsyncMessage::Notification(notice))) => match notice.payload().parse() {
                Ok(member) => logins.forget_member(member),
                Err(_) => logins.forget_all(),
            },
            Some(Ok(_)) => {}
        }
    }
}
