//! Makes the accounts, collections and grants of the plan by the management API.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use latchkey_kernel::{Clock, SystemClock};
use serde_json::{Value, json};

use super::api::Named;
use super::provision::Links;
use super::service::{self, Stored};
use super::sharing::{COLLECTIONS, Give, LOGINS, Login, On, Plan, To};
use super::story::{Story, list};

/// What was shared, by id.
pub(super) struct Shared {
    pub(super) plan: Plan,
    pub(super) links: Links,
    /// Ids of the logins by name.
    pub(super) logins: HashMap<&'static str, String>,
    /// The passwords that were put into the vault and work at the practice service, by login.
    pub(super) stored: HashMap<&'static str, Stored>,
}

/// Ids of collections and logins by name.
type Ids = HashMap<&'static str, String>;

const A_MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Shares what the plan says, and shows it.
pub(super) async fn share(story: &mut Story, plan: Plan, links: Links) -> anyhow::Result<Shared> {
    story.screen.stage("Accounts are shared")?;
    let collections = make_collections(story).await?;
    let known: Vec<Named> = story.api.all("/accounts").await?;
    let logins = make_logins(story, &plan, &known, &collections).await?;
    // Whoever knows a password knows what is in the vault by then, and only an account's owner stores one.
    let stored = service::store(story, &logins).await?;
    if !known.iter().any(|account| account.name == plan.owned) {
        hand_over(story, &plan, &links, &logins[plan.owned]).await?;
    }
    for give in &plan.gives {
        let body = grant(give, &links, &collections, &logins)?;
        story.api.tell("/grants", &body).await?;
    }
    for (at, name) in &plan.knows {
        let body = json!({"member_id": person(&links, *at)?});
        story.api.tell(&format!("/accounts/{}/exposures", logins[name]), &body).await?;
    }
    show(story, &plan)?;
    Ok(Shared { plan, links, logins, stored })
}

async fn make_collections(story: &mut Story) -> anyhow::Result<Ids> {
    let known: Vec<Named> = story.api.all("/collections").await?;
    let mut made = Ids::new();
    for (name, parent) in COLLECTIONS {
        let mut body = json!({"name": name});
        if let Some(parent) = parent.and_then(|parent| made.get(parent)) {
            body["parent_id"] = json!(parent);
        }
        made.insert(name, story.api.ensure("/collections", &known, &body).await?);
    }
    Ok(made)
}

async fn make_logins(
    story: &mut Story,
    plan: &Plan,
    known: &[Named],
    collections: &Ids,
) -> anyhow::Result<Ids> {
    let leaver = &story.company.people[plan.leaver];
    let domain = leaver.user_name.rsplit_once('@').map_or("corp.example", |(_, domain)| domain).to_owned();
    // Whoever is to store its password answers for it; no role alone gives access to secrets.
    let me: Value = story.api.read("/me").await?;
    let mut made = Ids::new();
    for login in LOGINS {
        let mut body = account(login, &domain, collections);
        body["owner_id"] = me["member_id"].clone();
        made.insert(login.name, story.api.ensure("/accounts", known, &body).await?);
    }
    Ok(made)
}

/// The leaver answers for a login, and whoever stays is to take it over.
async fn hand_over(story: &mut Story, plan: &Plan, links: &Links, account: &str) -> anyhow::Result<()> {
    let mut body = json!({"owner_id": person(links, plan.leaver)?});
    if let Some(stays) = plan.stays {
        body["successor_id"] = json!(person(links, stays)?);
    }
    story.api.change(&format!("/accounts/{account}"), &body).await
}

fn account(login: &Login, domain: &str, collections: &Ids) -> Value {
    let mut body = json!({
        "name": login.name,
        "app": login.app,
        "url": login.url,
        "username": format!("{}@{domain}", login.mailbox),
        "sensitivity": login.sensitivity,
    });
    if let Some(id) = login.collection.and_then(|name| collections.get(name)) {
        body["collection_id"] = json!(id);
    }
    body
}

fn grant(give: &Give, links: &Links, collections: &Ids, logins: &Ids) -> anyhow::Result<Value> {
    let mut body = json!({"permission": give.permission, "reason": give.reason});
    match give.to {
        To::Person(at) => body["member_id"] = json!(person(links, at)?),
        To::Team(at) => body["team_id"] = json!(links.groups[at]),
    }
    match give.on {
        On::Login(name) => body["account_id"] = json!(logins[name]),
        On::Collection(name) => body["collection_id"] = json!(collections[name]),
    }
    if give.for_a_month {
        body["ends_at"] = json!(SystemClock.now().plus(A_MONTH));
    }
    Ok(body)
}

fn person(links: &Links, at: usize) -> anyhow::Result<&str> {
    links.people[at].as_deref().context("everybody in the plan was sent")
}

fn show(story: &mut Story, plan: &Plan) -> anyhow::Result<()> {
    let rows: Vec<Vec<String>> = LOGINS
        .iter()
        .map(|login| vec![login.name.to_owned(), login.sensitivity.to_owned(), path_of(login.collection)])
        .collect();
    story.screen.table(&["Account", "Sensitivity", "In the collection"], &rows)?;
    story.screen.text("")?;
    let rows: Vec<Vec<String>> = plan.gives.iter().map(|give| grant_row(story, give)).collect();
    story.screen.table(&["Given to", "May", "What", "Why"], &rows)?;
    let known = plan.knows.iter().filter(|(at, _)| *at == plan.leaver);
    let known: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
    let name = &story.company.people[plan.leaver].display_name;
    let note = format!("And {name} knows the passwords of {} by heart.", list(&known));
    story.screen.note(&note)?;
    let note = format!("Their passwords are in the vault, and open {}.", story.service.login_page());
    story.screen.note(&note)?;
    story
        .screen
        .note("That practice service stands in for the real ones; a connector changes passwords there.")?;
    story.screen.facts(&json!({
        "stage": "accounts",
        "accounts": LOGINS.len(),
        "privileged": LOGINS.iter().filter(|login| login.sensitivity != "standard").count(),
        "collections": COLLECTIONS.len(),
        "grants": plan.gives.len(),
        "exposures": plan.knows.len(),
        "service": story.service.login_page(),
    }))
}

fn grant_row(story: &Story, give: &Give) -> Vec<String> {
    let to = match give.to {
        To::Person(at) => story.company.people[at].display_name.clone(),
        To::Team(at) => format!("team {}", story.company.groups[at].display_name),
    };
    let on = match give.on {
        On::Login(name) => name.to_owned(),
        On::Collection(name) => format!("collection {name}"),
    };
    let reason = if give.for_a_month { format!("{}, for a month", give.reason) } else { give.reason.into() };
    vec![to, give.permission.to_owned(), on, reason]
}

/// A collection with the one above it, as `Social media / Campaigns`.
fn path_of(collection: Option<&str>) -> String {
    let Some(name) = collection else { return String::new() };
    let parent = COLLECTIONS.iter().find(|(known, _)| *known == name).and_then(|(_, parent)| *parent);
    parent.map_or_else(|| name.to_owned(), |parent| format!("{parent} / {name}"))
}
