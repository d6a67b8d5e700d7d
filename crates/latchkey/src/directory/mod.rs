//! `latchkey directory`: people and groups of a workspace's own directory, on the host.

mod options;
mod read;

use anyhow::{Context, bail};
use latchkey_access::{EmbeddedAssignment, EmbeddedObject, ObjectKind, ObjectPresence};
use latchkey_engine::people::{self, ObjectPatch};
use latchkey_engine::{Caller, Engine};
use latchkey_kernel::id::ObjectId;
use latchkey_store::Options as StoreOptions;
use serde_json::{Map, Value, json};

pub(crate) use options::Directory;
use options::{Assign, GroupCommand, Import, Kind, List, One, PersonCommand, PersonSet, Seats, Where};

use crate::output::{Output, table};
use crate::rotate::operator;
use crate::wire;

pub(crate) async fn run(command: Directory, output: Output) -> anyhow::Result<()> {
    match command {
        Directory::Import(options) => import(*options, output).await,
        Directory::Person(PersonCommand::Set(options)) => set(*options, output).await,
        Directory::Person(PersonCommand::Disable(one)) => enable(one, false, output).await,
        Directory::Person(PersonCommand::Enable(one)) => enable(one, true, output).await,
        Directory::Person(PersonCommand::Delete(one)) => bin((ObjectKind::User, one), true, output).await,
        Directory::Person(PersonCommand::Restore(one)) => bin((ObjectKind::User, one), false, output).await,
        Directory::Person(PersonCommand::Purge(one)) => purge(ObjectKind::User, one, output).await,
        Directory::Group(GroupCommand::Add(one)) => add_group(one, output).await,
        Directory::Group(GroupCommand::Join(seats)) => seat(*seats, true, output).await,
        Directory::Group(GroupCommand::Leave(seats)) => seat(*seats, false, output).await,
        Directory::Group(GroupCommand::Delete(one)) => bin((ObjectKind::Group, one), true, output).await,
        Directory::Group(GroupCommand::Purge(one)) => purge(ObjectKind::Group, one, output).await,
        Directory::Assign(options) => assign(*options, true, output).await,
        Directory::Unassign(options) => assign(*options, false, output).await,
        Directory::List(options) => list(*options, output).await,
    }
}

async fn open(at: &Where) -> anyhow::Result<(Engine, Caller)> {
    let engine = wire::open(&at.place, StoreOptions::one_command()).await?;
    let by = operator(&engine, at.workspace.as_deref()).await?;
    Ok((engine, by))
}

async fn called(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    text: &str,
) -> anyhow::Result<EmbeddedObject> {
    people::called(engine, by, kind, text)
        .await
        .with_context(|| format!("cannot use {text:?}; `latchkey directory list` shows who there is"))
}

async fn import(options: Import, output: Output) -> anyhow::Result<()> {
    let roster = read::roster(&options.file, options.kind == Kind::People)?;
    if options.leave_absent && options.kind == Kind::Groups {
        bail!("--leave-absent is for people; groups are deleted one by one");
    }
    let (engine, by) = open(&options.at).await?;
    let report = people::import(&engine, &by, &roster).await?;
    let gone = if options.leave_absent {
        people::leave_absent(&engine, &by, &report.people).await?
    } else {
        Vec::new()
    };
    let value = json!({ "added": report.added, "updated": report.updated, "unchanged": report.unchanged,
        "unknown": report.unknown, "left": gone.len() });
    output.answer(&value, || {
        format!(
            "{} added, {} changed, {} as before, {} put into the bin",
            report.added,
            report.updated,
            report.unchanged,
            gone.len()
        )
    });
    for name in &report.unknown {
        output.remark(format!("{name:?} is named in the file, and nobody is called so; it was left out"));
    }
    Ok(())
}

async fn set(options: PersonSet, output: Output) -> anyhow::Result<()> {
    let mut attributes = Map::new();
    for pair in &options.values {
        let (name, value) = pair
            .split_once('=')
            .with_context(|| format!("{pair:?} is no NAME=VALUE, as department=Geology"))?;
        attributes.insert(name.to_owned(), Value::from(value));
    }
    let (engine, by) = open(&options.at).await?;
    let manager = match options.manager.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(text) => Some(Some(called(&engine, &by, ObjectKind::User, text).await?.id)),
    };
    let external_id = options.external_id.map(Some);
    let patch = ObjectPatch { external_id, attributes, manager, ..ObjectPatch::default() };
    let row = match people::called(&engine, &by, ObjectKind::User, &options.name).await {
        Ok(found) => people::change(&engine, &by, (ObjectKind::User, found.id), &patch).await?,
        Err(latchkey_engine::Error::NotFound { .. }) => {
            let new = ObjectPatch { name: Some(options.name.clone()), ..patch };
            people::add(&engine, &by, ObjectKind::User, &new).await?
        }
        Err(error) => return Err(error.into()),
    };
    told(&row, "is set", output);
    Ok(())
}

async fn enable(one: One, enabled: bool, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&one.at).await?;
    let found = called(&engine, &by, ObjectKind::User, &one.name).await?;
    let patch = ObjectPatch { enabled: Some(enabled), ..ObjectPatch::default() };
    let row = people::change(&engine, &by, (ObjectKind::User, found.id), &patch).await?;
    told(&row, if enabled { "is enabled" } else { "is disabled" }, output);
    Ok(())
}

async fn bin((kind, one): (ObjectKind, One), binned: bool, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&one.at).await?;
    let found = match people::called(&engine, &by, kind, &one.name).await {
        Err(latchkey_engine::Error::NotFound { .. }) if !binned => {
            // Names in the bin are free, so whoever is there is known by an id.
            in_bin(&engine, &by, kind, &one.name).await?
        }
        found => found?.id,
    };
    let row = people::bin(&engine, &by, (kind, found), binned).await?;
    told(&row, if binned { "is in the bin" } else { "is back" }, output);
    Ok(())
}

async fn in_bin(engine: &Engine, by: &Caller, kind: ObjectKind, name: &str) -> anyhow::Result<ObjectId> {
    let mut after = None;
    loop {
        let page = people::list(engine, by, kind, after, 500).await?;
        let Some(last) = page.last() else { bail!("nobody in the bin is called {name:?}") };
        after = Some(last.id);
        let binned = |row: &&EmbeddedObject| row.presence == ObjectPresence::SoftDeleted && row.name == name;
        if let Some(row) = page.iter().find(binned) {
            return Ok(row.id);
        }
    }
}

async fn purge(kind: ObjectKind, one: One, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&one.at).await?;
    let found = called(&engine, &by, kind, &one.name).await?;
    people::purge(&engine, &by, kind, found.id).await?;
    output.answer(&json!({ "purged": found.id }), || format!("{} is gone for good", found.name));
    Ok(())
}

async fn add_group(one: One, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&one.at).await?;
    let new = ObjectPatch { name: Some(one.name), ..ObjectPatch::default() };
    let row = people::add(&engine, &by, ObjectKind::Group, &new).await?;
    told(&row, "is added", output);
    Ok(())
}

async fn seat(seats: Seats, join: bool, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&seats.at).await?;
    let group = called(&engine, &by, ObjectKind::Group, &seats.group).await?;
    let mut ids = Vec::with_capacity(seats.people.len());
    for text in &seats.people {
        ids.push(called(&engine, &by, ObjectKind::User, text).await?.id);
    }
    let change: (&[ObjectId], &[ObjectId]) = if join { (&ids, &[]) } else { (&[], &ids) };
    people::set_members(&engine, &by, group.id, change).await?;
    let value = json!({ "group": group.id, "people": ids });
    output.answer(&value, || {
        let what = if join { "in" } else { "out of" };
        format!("{} people are {what} {} now", ids.len(), group.name)
    });
    Ok(())
}

async fn assign(options: Assign, given: bool, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&options.at).await?;
    let (kind, text) = match (&options.person, &options.group) {
        (Some(person), _) => (ObjectKind::User, person),
        (None, Some(group)) => (ObjectKind::Group, group),
        (None, None) => bail!("name a person or a group"),
    };
    let row = called(&engine, &by, kind, text).await?;
    if given {
        let assignment = EmbeddedAssignment {
            principal_id: row.id,
            application: options.application.clone(),
            role: options.role.clone(),
            display: options.role.clone(),
            entitles: true,
        };
        people::assign(&engine, &by, kind, &assignment).await?;
    } else {
        people::unassign(&engine, &by, (kind, row.id), (&options.application, &options.role)).await?;
    }
    let value =
        json!({ "id": row.id, "application": options.application, "role": options.role, "assigned": given });
    output.answer(&value, || {
        let what = if given { "has" } else { "no longer has" };
        format!("{} {what} {}", row.name, options.application)
    });
    Ok(())
}

async fn list(options: List, output: Output) -> anyhow::Result<()> {
    let (engine, by) = open(&options.at).await?;
    let kind = if options.kind == Kind::People { ObjectKind::User } else { ObjectKind::Group };
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = people::list(&engine, &by, kind, after, 500).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        rows.extend(page);
    }
    let values: Vec<Value> = rows.iter().map(value).collect();
    output.answer(&values, || {
        if rows.is_empty() {
            return "There is nobody yet; `latchkey directory import` brings people in.".to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let state = match (row.presence, row.enabled) {
                    (ObjectPresence::Present, true) => "active",
                    (ObjectPresence::Present, false) => "disabled",
                    _ => "in the bin",
                };
                vec![
                    row.id.to_string(),
                    row.name.clone(),
                    row.external_id.clone().unwrap_or_default(),
                    state.to_owned(),
                ]
            })
            .collect();
        table(&["ID", "NAME", "EXTERNAL ID", "STATE"], &cells)
    });
    Ok(())
}

fn told(row: &EmbeddedObject, what: &str, output: Output) {
    output.answer(&value(row), || format!("{} {what}", row.name));
}

fn value(row: &EmbeddedObject) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "external_id": row.external_id,
        "enabled": row.enabled,
        "presence": row.presence,
        "manager": row.manager,
        "attributes": row.attributes,
    })
}
