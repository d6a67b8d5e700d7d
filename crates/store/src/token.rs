//! Tokens, the look-up of a login, and how each token is used.

use latchkey_access::member::{Epoch, Standing};
use latchkey_access::{Role, Scope, Token};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TokenId, WorkspaceId};

use crate::change::Op;
use crate::row::Columns;
use crate::sqlite::rows;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError, member};

macro_rules! columns {
    () => {
        "k.id, k.workspace_id, k.kind, k.name, k.hint, k.hash, k.sealed, k.member_id, k.member_epoch, \
         k.scopes, k.rate_limit, k.created_at, k.valid_until, k.revoked_at"
    };
}

statements! {
    TOKEN_GET = concat!("select ", columns!(), " from token k where k.workspace_id = $1 and k.id = $2");
    TOKEN_LIST = concat!("select ", columns!(), " from token k where k.workspace_id = $1 order by k.id desc");
    TOKEN_LOGIN = concat!("select ", columns!(), ", m.id, m.state, m.access_epoch, m.reviewed_epoch, m.role \
        from token k left join member m on m.workspace_id = k.workspace_id and m.id = k.member_id \
        where k.hash = $1");
    TOKEN_INSERT = "insert into token (id, workspace_id, kind, name, hint, hash, sealed, member_id, \
        member_epoch, scopes, rate_limit, created_at, valid_until, revoked_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    TOKEN_REVOKE = "update token set \
        valid_until = case when valid_until is null or valid_until > $3 then $3 else valid_until end, \
        revoked_at = coalesce(revoked_at, $4) where workspace_id = $1 and id = $2";
    TOKEN_USES = "select u.workspace_id, u.token_id, u.last_used_at, u.last_address, u.last_agent, u.requests \
        from token_use u where u.workspace_id = $1 order by u.token_id";
    TOKEN_USE_RECORD = "insert into token_use (workspace_id, token_id, last_used_at, last_address, last_agent, \
        requests) select k.workspace_id, k.id, $3, $4, $5, $6 from token k \
        where k.workspace_id = $1 and k.id = $2 \
        on conflict (workspace_id, token_id) do update set requests = token_use.requests + excluded.requests, \
        last_address = case when excluded.last_used_at >= token_use.last_used_at \
        then excluded.last_address else token_use.last_address end, \
        last_agent = case when excluded.last_used_at >= token_use.last_used_at \
        then excluded.last_agent else token_use.last_agent end, \
        last_used_at = case when excluded.last_used_at >= token_use.last_used_at \
        then excluded.last_used_at else token_use.last_used_at end";
}

/// What a request's token leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLogin {
    /// The token.
    pub token: Token,
    /// The present standing and role of the member whose token it is.
    pub member: Option<(Standing, Role)>,
}

/// How a token has been used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The token.
    pub token_id: TokenId,
    /// When last.
    pub last_used_at: Timestamp,
    /// From where last.
    pub last_address: String,
    /// By what program last.
    pub last_agent: Option<String>,
    /// How many requests; recording adds to those that are there.
    pub requests: u64,
}

fn load(row: &mut Columns<'_>) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.next()?,
        workspace_id: row.next()?,
        kind: row.next()?,
        name: row.next()?,
        hint: row.next()?,
        hash: row.next()?,
        sealed: row.maybe()?,
        member: {
            let (member, epoch): (Option<MemberId>, Option<Epoch>) = (row.maybe()?, row.maybe()?);
            member.zip(epoch)
        },
        scopes: {
            let words: String = row.next()?;
            // A scope that a newer program wrote opens nothing here.
            words.split(' ').filter_map(Scope::from_word).collect()
        },
        rate_limit: row.maybe::<i64>()?.and_then(|limit| u32::try_from(limit).ok()),
        created_at: row.next()?,
        valid_until: row.maybe()?,
        revoked_at: row.maybe()?,
    })
}

fn load_login(row: &mut Columns<'_>) -> Result<TokenLogin, StoreError> {
    let token = load(row)?;
    let member = if token.member.is_some() { Some((member::load_standing(row)?, row.next()?)) } else { None };
    Ok(TokenLogin { token, member })
}

fn load_use(row: &mut Columns<'_>) -> Result<TokenUse, StoreError> {
    Ok(TokenUse {
        workspace_id: row.next()?,
        token_id: row.next()?,
        last_used_at: row.next()?,
        last_address: row.next()?,
        last_agent: row.maybe()?,
        requests: row.count()?,
    })
}

impl Store {
    /// The token of this hash, with its member. On PostgreSQL it may be up to a second old, unless
    /// something was changed here or a notice of a change elsewhere has come.
    pub async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<TokenLogin>, StoreError> {
        let params = params![hash.as_slice()];
        let postgres = match self {
            Self::Sqlite(_) => return self.look_up_one(&TOKEN_LOGIN, params, load_login).await,
            Self::Instant(at) => {
                let (name, sql) = (TOKEN_LOGIN.name, TOKEN_LOGIN.sqlite());
                return at.login(hash, |connection| rows(connection, name, sql, &params, load_login));
            }
            Self::Postgres(postgres) => postgres,
        };
        let logins = postgres.logins();
        if let Some(login) = logins.get(&hash) {
            return Ok(Some(login));
        }
        let asked = logins.ask();
        let found = self.look_up_one(&TOKEN_LOGIN, params, load_login).await?;
        if let Some(login) = &found {
            logins.keep(asked, hash, login.clone());
        }
        Ok(found)
    }

    /// The token of this id.
    pub async fn token_get(&self, ws: WorkspaceId, id: TokenId) -> Result<Option<Token>, StoreError> {
        self.look_up_one(&TOKEN_GET, params![ws, id], load).await
    }

    /// All tokens of a workspace, newest first, those that are over too.
    pub async fn token_list(&self, ws: WorkspaceId) -> Result<Vec<Token>, StoreError> {
        self.scan(&TOKEN_LIST, params![ws], load).await
    }

    /// How the tokens of a workspace have been used.
    pub async fn token_uses(&self, ws: WorkspaceId) -> Result<Vec<TokenUse>, StoreError> {
        self.scan(&TOKEN_USES, params![ws], load_use).await
    }

    /// Adds to what is known of the use of tokens; of tokens that are gone nothing is kept.
    pub async fn token_use_record(&self, mut uses: Vec<TokenUse>) -> Result<(), StoreError> {
        // In one order, so that two nodes that write at the same time wait for each other in no circle.
        uses.sort_by_key(|used| (used.workspace_id, used.token_id));
        let ops = uses.into_iter().map(|u| {
            let requests = i64::try_from(u.requests).unwrap_or(i64::MAX);
            let params =
                params![u.workspace_id, u.token_id, u.last_used_at, u.last_address, u.last_agent, requests];
            Op::new(&TOKEN_USE_RECORD, params, "token")
        });
        self.write(ops.collect()).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, t: &Token) -> Op {
    let scopes: Vec<&str> = t.scopes.iter().map(|scope| scope.as_str()).collect();
    let params = params![
        t.id,
        ws,
        t.kind,
        &t.name,
        &t.hint,
        t.hash.as_slice(),
        t.sealed.as_deref(),
        t.member.map(|(id, _)| id),
        t.member.map(|(_, epoch)| epoch),
        scopes.join(" "),
        t.rate_limit.map(i64::from),
        t.created_at,
        t.valid_until,
        t.revoked_at,
    ];
    Op::new(&TOKEN_INSERT, params, "token")
}

pub(crate) fn revoke(ws: WorkspaceId, id: TokenId, valid_until: Timestamp, at: Timestamp) -> Op {
    Op::new(&TOKEN_REVOKE, params![ws, id, valid_until, at], "token").or_missing("token")
}
