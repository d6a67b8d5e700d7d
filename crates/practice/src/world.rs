//! Everything that the service knows, behind one lock that is never held across a wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_kernel::{Clock, Entropy};

use crate::fault::Fault;
use crate::users::Users;

/// An open session, or one that still lacks its one-time code.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: Option<String>,
    pub(crate) whole: bool,
    pub(crate) csrf: String,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) users: Users,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) fault: Fault,
    pub(crate) requests: Vec<String>,
    pub(crate) pending: BTreeMap<String, String>,
    pub(crate) done: BTreeSet<String>,
    pub(crate) deliveries: BTreeMap<String, u16>,
    pub(crate) maxlength: Option<usize>,
}

#[derive(Clone)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) admin_token: Arc<str>,
    pub(crate) hooks: Arc<crate::hooks::Receiver>,
}

impl World {
    pub(crate) fn new(
        state: State,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
        admin_token: String,
    ) -> Self {
        let hooks = Arc::new(crate::hooks::Receiver::new(&*entropy));
        Self { state: Arc::new(Mutex::new(state)), entropy, clock, admin_token: admin_token.into(), hooks }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seconds(&self) -> u64 {
        u64::try_from(self.clock.now().as_millis() / 1_000).unwrap_or_default()
    }

    pub(crate) fn token(&self) -> String {
        let bytes: [u8; 16] = self.entropy.bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A session of nobody yet, for the form's token.
    pub(crate) fn open(&self) -> (String, Session) {
        let session = Session { user: None, whole: false, csrf: self.token() };
        let id = self.token();
        self.lock().sessions.insert(id.clone(), session.clone());
        (id, session)
    }

    /// A session that somebody has logged in to. Gets a new id, so that nobody can lay one under.
    pub(crate) fn log_in(&self, user: &str, whole: bool) -> (String, Session) {
        let session = Session { user: Some(user.to_owned()), whole, csrf: self.token() };
        let id = self.token();
        self.lock().sessions.insert(id.clone(), session.clone());
        (id, session)
    }

    /// Ends the user's sessions but this one; gives back how many.
    pub(crate) fn end_others(&self, user: &str, keep: Option<&str>) -> usize {
        let mut state = self.lock();
        let before = state.sessions.len();
        state
            .sessions
            .retain(|id, session| session.user.as_deref() != Some(user) || Some(id.as_str()) == keep);
        before - state.sessions.len()
    }
}
