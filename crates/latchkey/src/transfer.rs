//! `latchkey import` and `latchkey export`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use latchkey_access::exposure::Client;
use latchkey_engine::exports::{self, ExportFormat};
use latchkey_engine::imports::{self, Fate, Import, Limits, Report};
use latchkey_engine::members;
use latchkey_interchange::{RowError, Unlock};
use latchkey_store::Options;
use secrecy::SecretString;
use serde_json::json;
use zeroize::Zeroizing;

use crate::admin::{operator, workspace};
use crate::cli::{Export, Import as Arguments};
use crate::output::{Output, table};
use crate::wire;

pub(crate) async fn import(options: Arguments, output: Output) -> anyhow::Result<()> {
    let Arguments { file, workspace: name, owner, preview, format, password_file, key_file, place } = options;
    let limits = Limits::default();
    let bytes = read_file(&file, limits.file_bytes)?;
    let unlock = Unlock {
        password: password_file.as_deref().map(read_password).transpose()?,
        key_file: key_file.as_deref().map(|path| read_file(path, limits.file_bytes)).transpose()?,
    };
    let engine = wire::open(&place, Options::one_command()).await?;
    let found = workspace(&engine, &name).await?;
    let owner = members::by_login(&engine, &operator(&engine, &found), &owner).await?;
    let reading = imports::read(bytes, format, unlock, limits)
        .await
        .with_context(|| format!("cannot import {}", file.display()))?;
    let import = Import { reading: &reading, owner: owner.id, client: Client::Cli };
    let by = operator(&engine, &found);
    let report = if preview {
        imports::preview(&engine, &by, import).await?
    } else {
        imports::apply(&engine, &by, import).await?
    };
    output.answer(&told(&report, preview), || words(&report, &owner.user_name));
    if preview {
        output.remark("Nothing was written. Run it again without --preview to import.");
    } else {
        output.remark(format_args!(
            "Now destroy {}: it has the passwords in the clear or opens them.",
            file.display()
        ));
    }
    Ok(())
}

pub(crate) async fn export(options: Export, output: Output) -> anyhow::Result<()> {
    let Export { workspace: name, member, out, format, place } = options;
    let shown = out.display();
    let format = ExportFormat::from_word(&format).context("there are the formats csv and json")?;
    let engine = wire::open(&place, Options::one_command()).await?;
    let found = workspace(&engine, &name).await?;
    let member = members::by_login(&engine, &operator(&engine, &found), &member).await?;
    // Before anything is on record as exported.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&out)
        .with_context(|| format!("cannot make {shown}"))?;
    let exported = exports::export(&engine, &operator(&engine, &found), member.id, format, Client::Cli).await;
    let exported = match exported {
        Ok(exported) => exported,
        Err(error) => {
            // It is empty, and ours.
            let _ = std::fs::remove_file(&out);
            return Err(error.into());
        }
    };
    file.write_all(&exported.content)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {shown}"))?;
    output.answer(
        &json!({
            "file": out,
            "accounts": exported.accounts,
            "secrets": exported.secrets,
            "left_out": exported.left_out,
        }),
        || format!("{shown}: {} accounts with {} secrets", exported.accounts, exported.secrets),
    );
    exported.left_out.iter().for_each(|what| output.remark(format_args!("left out, a file: {what}")));
    output.remark(format_args!(
        "{shown} has every password in the clear, for whoever can read it. Each is on record as exported by {}. \
         Destroy the file when it has done its work.",
        member.user_name
    ));
    Ok(())
}

fn read_file(path: &Path, limit: usize) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if usize::try_from(size).map_or(true, |size| size > limit) {
        bail!("{} has {size} bytes, more than the {limit} that are read; export it in parts", path.display());
    }
    std::fs::read(path).map(Zeroizing::new).with_context(|| format!("cannot read {}", path.display()))
}

/// The first line of a file; a password is never an argument, which every process could see.
fn read_password(path: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read the password in {}", path.display()))?;
    Ok(SecretString::from(text.lines().next().unwrap_or_default()))
}

fn told(report: &Report, preview: bool) -> serde_json::Value {
    let count = |wanted: fn(&Fate) -> bool| report.lines.iter().filter(|line| wanted(&line.fate)).count();
    let items: Vec<_> = report
        .lines
        .iter()
        .map(|line| {
            let (account, likeness) = match &line.fate {
                Fate::Made(account) => (Some(account.to_string()), None),
                Fate::There { account, likeness } => (Some(account.to_string()), Some(likeness.as_str())),
                Fate::New | Fate::Refused => (None, None),
            };
            json!({
                "at": line.place.to_string(),
                "name": line.name,
                "collection": line.collection,
                "secrets": line.secrets.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
                "outcome": line.fate.as_str(),
                "account": account,
                "same": likeness,
                "same_login_as": line.like.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    let errors: Vec<_> = report
        .errors
        .iter()
        .map(|RowError { place, field, found, advice, lost }| {
            json!({ "at": place.to_string(), "field": field, "found": found, "do": advice, "lost": lost.as_str() })
        })
        .collect();
    json!({
        "preview": preview,
        "format": report.format.as_str(),
        "owner": report.owner.to_string(),
        "new": count(|fate| matches!(fate, Fate::New)),
        "made": count(|fate| matches!(fate, Fate::Made(_))),
        "there": count(|fate| matches!(fate, Fate::There { .. })),
        "refused": count(|fate| matches!(fate, Fate::Refused)),
        "collections": report.collections,
        "items": items,
        "errors": errors,
    })
}

fn words(report: &Report, owner: &str) -> String {
    let rows: Vec<Vec<String>> = report
        .lines
        .iter()
        .map(|line| {
            let kinds: Vec<_> = line.secrets.iter().map(|kind| kind.as_str()).collect();
            let mut outcome = line.fate.as_str().to_owned();
            if let Fate::There { likeness, .. } = &line.fate {
                outcome.push_str(&format!(", by its {}", likeness.as_str()));
            }
            if let Some(other) = &line.like {
                outcome.push_str(&format!("; the same login as {} {}", other.unit, other.number));
            }
            vec![line.name.clone(), line.collection.clone(), kinds.join(" "), outcome]
        })
        .collect();
    let mut text = table(&["NAME", "COLLECTION", "SECRETS", "OUTCOME"], &rows);
    text.push_str(&format!("\n{} items of a {} file; owner: {owner}", report.lines.len(), report.format));
    for RowError { place, field, found, advice, lost } in &report.errors {
        text.push_str(&format!("\n{place}: {field}: {found} ({} left out); {advice}", lost.as_str()));
    }
    text
}
