//! The running service, and what its owner may ask of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::middleware::{self, Next};
use axum::response::Response;
use latchkey_kernel::{Clock, Entropy, OsEntropy, SystemClock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::world::{State, World};
use crate::{api, hooks, listener, pages};

/// How the service is set up.
#[derive(Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The fewest characters of a new password.
    pub min_length: usize,
    /// The `maxlength` of the fields for a new password: longer ones are cut off by the browser.
    pub maxlength: Option<usize>,
    /// Wrong passwords in a row after which an account is locked.
    pub tries: u32,
    /// Seconds for which a one-time code is the present one.
    pub period: u64,
    /// The token of the admin's API.
    pub admin_token: String,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Options {
    fn default() -> Self {
        let token: [u8; 16] = (&OsEntropy as &dyn Entropy).bytes();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            min_length: 12,
            maxlength: None,
            tries: 10,
            period: 30,
            admin_token: token.iter().map(|byte| format!("{byte:02x}")).collect(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }
}

/// A running service. Ends, with all its connections, when dropped.
pub struct Service {
    address: SocketAddr,
    world: World,
    task: JoinHandle<()>,
}

impl Service {
    /// Starts it.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(options: Options) -> io::Result<Self> {
        let mut state = State { maxlength: options.maxlength, ..State::default() };
        state.users.min_length = options.min_length;
        state.users.tries = options.tries.max(1);
        state.users.period = options.period.max(1);
        let world = World::new(state, options.entropy, options.clock, options.admin_token);
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let router = pages::routes()
            .merge(api::routes())
            .merge(hooks::routes())
            .layer(middleware::from_fn_with_state(world.clone(), note))
            .with_state(world.clone());
        let task = tokio::spawn(listener::serve(listener, router));
        Ok(Self { address, world, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as of its pages, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a user; with a seed, logging in asks for a one-time code.
    pub fn add_user(&self, name: &str, password: &str, seed: Option<&[u8]>) {
        let seed = seed.map(<[u8]>::to_vec);
        self.world.lock().users.add(name, password, seed, &*self.world.entropy);
    }

    /// Whether this is the user's password now. Asks the store, not the door: counts no try.
    pub fn accepts(&self, name: &str, password: &str) -> bool {
        self.world.lock().users.is(name, password)
    }

    /// Opens a session, as a browser that somebody left open.
    pub fn open_session(&self, name: &str) {
        self.world.log_in(name, true);
    }

    /// How many sessions of the user are open.
    pub fn sessions(&self, name: &str) -> usize {
        self.world.lock().sessions.values().filter(|one| one.user.as_deref() == Some(name)).count()
    }

    /// Misbehaves so from now on.
    pub fn fault(&self, fault: Fault) {
        self.world.lock().fault = fault;
    }

    /// Method and target of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.world.lock().requests.clone()
    }

    /// How often the webhook of this id was delivered.
    pub fn deliveries(&self, id: &str) -> u16 {
        self.world.lock().deliveries.get(id).copied().unwrap_or_default()
    }

    /// What its webhooks are to be signed with.
    pub fn signing_secret(&self) -> String {
        self.world.hooks.signing_secret()
    }

    /// The key that secrets in its webhooks are to be sealed to.
    pub fn receiver_key(&self) -> String {
        self.world.hooks.public_key()
    }

    /// The admin's token.
    pub fn admin_token(&self) -> &str {
        &self.world.admin_token
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn note(Shared(world): Shared<World>, request: Request, next: Next) -> Response {
    let answer = {
        let mut state = world.lock();
        state.requests.push(format!("{} {}", request.method(), request.uri()));
        state.fault.on_request()
    };
    match answer {
        Some(answer) => answer,
        None => next.run(request).await,
    }
}
