//! A connection that only reads, and the logins that it has looked up.

use std::collections::HashMap;

use rusqlite::Connection;

use super::rows;
use crate::token::TokenLogin;
use crate::{StoreError, row};

/// Logins that one reader keeps. A server has a handful of tokens in use.
const LOGINS: usize = 64;

pub(crate) struct Reader {
    connection: Connection,
    /// What `pragma data_version` said when the first of them was looked up.
    as_of: i64,
    logins: HashMap<[u8; 32], TokenLogin>,
}

impl Reader {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, as_of: 0, logins: HashMap::new() }
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The login of this hash, which only a transaction may ask for: kept from an earlier request
    /// while nobody, in this process or another, has committed anything since. So a revoked token
    /// is refused at the next request, and asking whether something was committed takes a fifth of
    /// the instructions of the look-up.
    pub(super) fn login(
        &mut self,
        hash: [u8; 32],
        look_up: impl FnOnce(&Connection) -> Result<Vec<TokenLogin>, StoreError>,
    ) -> Result<Option<TokenLogin>, StoreError> {
        let as_of = rows(&self.connection, "data_version", "pragma data_version", &[], row::first)?;
        let as_of: i64 = as_of.first().copied().unwrap_or_default();
        if self.as_of != as_of || self.logins.len() >= LOGINS {
            self.logins.clear();
            self.as_of = as_of;
        }
        if let Some(login) = self.logins.get(&hash) {
            return Ok(Some(login.clone()));
        }
        let found = look_up(&self.connection)?.into_iter().next();
        if let Some(login) = &found {
            self.logins.insert(hash, login.clone());
        }
        Ok(found)
    }
}
