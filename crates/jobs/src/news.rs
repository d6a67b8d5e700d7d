//! What people are told of a job that needs somebody: once when it begins, never a flood.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey_kernel::{Clock as _, SystemClock, Timestamp};
use latchkey_provisioning::jobfile::JobFile;
use latchkey_provisioning::quarantine::Reason;
use latchkey_provisioning::state::{JobState, JobStatus};
use latchkey_store::provisioning::job::JobRow;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;

/// Something about a job that somebody has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct News {
    /// The job's id.
    pub job_id: String,
    /// What people call it.
    pub job: String,
    /// Why.
    pub reason: Option<Reason>,
    /// Whether the job was switched off.
    pub disabled: bool,
    /// What happened and what to do.
    pub message: String,
    /// How many objects wait for a person's word, or failed.
    pub counts: latchkey_provisioning::state::Counts,
    /// When.
    pub at: Timestamp,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// As `smtps://user:password@mail.example` or `smtp://localhost:25`.
    pub url: SecretString,
    /// Whom it is from.
    pub from: String,
    /// Where people find this server.
    pub base_url: String,
}

/// Sends news by mail and by webhook, where a job asks for it.
pub struct Post {
    mail: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
    base_url: String,
    web: Option<reqwest::Client>,
    /// What was told last of each job, and when.
    told: Mutex<HashMap<String, (Option<Reason>, Timestamp)>>,
}

/// A target that comes and goes is told of once in so long.
const QUIET: Duration = Duration::from_secs(3_600);

/// What is new: that a quarantine began, that its reason changed, or that the job was switched off.
pub(crate) fn of(row: &JobRow, before: &JobState, after: &JobState) -> Option<News> {
    let disabled = after.status == JobStatus::Disabled && before.status != JobStatus::Disabled;
    let reason = after.quarantine.as_ref().map(|quarantine| quarantine.reason);
    let known = before.quarantine.as_ref().map(|quarantine| quarantine.reason);
    if !disabled && (reason.is_none() || reason == known) {
        return None;
    }
    let told = after.quarantine.as_ref().map(|quarantine| quarantine.message.clone()).unwrap_or_default();
    let message = if disabled {
        format!("It was in quarantine for 28 days and is switched off; start it when it is mended. {told}")
    } else {
        told
    };
    let counts = after.last.as_ref().map(|cycle| cycle.counts).unwrap_or_default();
    Some(News {
        job_id: row.id.to_string(),
        job: row.name.clone(),
        reason,
        disabled,
        message,
        counts,
        at: SystemClock.now(),
    })
}

impl Post {
    /// Sends nothing.
    pub fn nowhere() -> Self {
        Self { mail: None, base_url: String::new(), web: None, told: Mutex::default() }
    }

    /// By these ways.
    ///
    /// # Errors
    /// When the URL or the address cannot be used.
    pub fn new(smtp: Option<&SmtpOptions>) -> Result<Self, String> {
        let tls = latchkey_scim_client::tls_config(None).map_err(|error| error.to_string())?;
        let web = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("webhooks cannot be sent: {error}"))?;
        let Some(options) = smtp else {
            return Ok(Self { mail: None, base_url: String::new(), web: Some(web), told: Mutex::default() });
        };
        // The error would have the URL in it, and the URL may have a password.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(options.url.expose_secret())
            .map_err(|_| {
                "the SMTP URL cannot be used; it is smtps://USER:PASSWORD@HOST or smtp://HOST:PORT".to_owned()
            })?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        let from = options
            .from
            .parse()
            .map_err(|error| format!("{:?} is no mail address: {error}", options.from))?;
        Ok(Self {
            mail: Some((transport, from)),
            base_url: options.base_url.clone(),
            web: Some(web),
            told: Mutex::default(),
        })
    }

    /// Tells whom the job names. That it could not be told is logged, and no cycle waits for it.
    pub(crate) async fn send(&self, news: &News, file: &JobFile, secret: Option<&SecretString>) {
        if self.was_told(news) {
            return;
        }
        if let Err(error) = self.mail_to(news, &file.notify).await {
            tracing::error!(job = news.job, error, "a mail about a job could not be sent");
        }
        if let Some(url) = &file.webhook
            && let Err(error) = self.call(news, url, secret).await
        {
            tracing::error!(job = news.job, error, "the webhook of a job could not be called");
        }
    }

    /// Whether the same was told a short while ago.
    fn was_told(&self, news: &News) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.get(&news.job_id).copied();
        let same = last.is_some_and(|(reason, at)| reason == news.reason && news.at.since(at) < QUIET);
        if !same || news.disabled {
            told.insert(news.job_id.clone(), (news.reason, news.at));
        }
        same && !news.disabled
    }

    async fn mail_to(&self, news: &News, addresses: &[String]) -> Result<(), String> {
        let (Some((transport, from)), false) = (&self.mail, addresses.is_empty()) else { return Ok(()) };
        let mut message = Message::builder().from(from.clone()).subject(subject(news));
        for address in addresses {
            let to: Mailbox = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
            message = message.to(to);
        }
        let message = message.body(body(news, &self.base_url)).map_err(|error| error.to_string())?;
        transport.send(message).await.map(drop).map_err(|error| error.to_string())
    }

    async fn call(&self, news: &News, url: &str, secret: Option<&SecretString>) -> Result<(), String> {
        let Some(client) = &self.web else { return Ok(()) };
        let body = serde_json::to_vec(news).map_err(|error| error.to_string())?;
        let at = news.at.as_micros() / 1_000_000;
        let mut request = client.post(url).header("content-type", "application/json");
        if let Some(secret) = secret {
            request = request.header("latchkey-signature", signature(secret, at, &body));
        }
        let answer = request.body(body).send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}

/// `t=SECONDS,v1=HMAC-SHA-256 of "SECONDS.BODY"`, so that an old message is not taken for a new one.
fn signature(secret: &SecretString, at: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

fn subject(news: &News) -> String {
    match (news.disabled, news.reason) {
        (true, _) => format!("Latchkey: the job {} was switched off", news.job),
        (_, Some(Reason::TooManyDeletes)) => {
            format!("Latchkey: the job {} waits for your word before it removes people", news.job)
        }
        _ => format!("Latchkey: the job {} is in quarantine", news.job),
    }
}

fn body(news: &News, base_url: &str) -> String {
    let counts = &news.counts;
    format!(
        "{}\n\nIn its last cycle: {} read, {} created, {} updated, {} disabled, {} deleted, {} held, {} failed.\n\n\
         Its log: {base_url}/v1/api/synchronization/jobs/{}/logs\n\n\
         You get one such mail when this begins, and another only if the reason changes.\n",
        news.message,
        counts.read,
        counts.created,
        counts.updated,
        counts.disabled,
        counts.deleted,
        counts.held,
        counts.failed,
        news.job_id,
    )
}
