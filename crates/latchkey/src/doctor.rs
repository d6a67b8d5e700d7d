//! `latchkey doctor`: looks at an installation as a careful colleague would, and says what to do.

use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

use latchkey_store::Options;
use latchkey_vault::{KeyRing, KeySource};
use serde::Serialize;
use serde_json::json;

use crate::cli::{Doctor, Place};
use crate::output::Output;
use crate::{operations, wire};

/// How one look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    /// Works, but somebody should look.
    Look,
    Bad,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    says: String,
}

/// Ends with 1 when something is bad.
pub(crate) async fn run(options: Doctor, output: Output) -> anyhow::Result<ExitCode> {
    if options.routes {
        print_routes(output);
        return Ok(ExitCode::SUCCESS);
    }
    let findings = look(&options.place).await;
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    output.answer(&json!({ "good": !bad, "findings": findings }), || {
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| {
                let mark = match finding.verdict {
                    Verdict::Good => "ok  ",
                    Verdict::Look => "look",
                    Verdict::Bad => "BAD ",
                };
                format!("{mark}  {}: {}", finding.check, finding.says)
            })
            .collect();
        lines.join("\n")
    });
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn look(place: &Place) -> Vec<Finding> {
    let mut findings = vec![folder(place), key(place)];
    findings.extend(kit(place));
    if findings.iter().any(|finding| finding.verdict == Verdict::Bad) {
        return findings;
    }
    let engine = match wire::open(place, Options::one_command()).await {
        Ok(engine) => engine,
        Err(error) => {
            findings.push(finding("database", Verdict::Bad, format!("{error:#}")));
            return findings;
        }
    };
    let kind = if place.database_url.is_some() { "PostgreSQL" } else { "the embedded database" };
    findings.push(match engine.store().ping().await {
        Ok(()) => finding("database", Verdict::Good, format!("{kind} answers; its schema is this version's")),
        Err(error) => finding("database", Verdict::Bad, error.to_string()),
    });
    match engine.store().workspace_list().await {
        Ok(all) if all.is_empty() => findings.push(finding(
            "workspaces",
            Verdict::Look,
            "there is none yet: latchkey admin workspace create NAME --owner EMAIL".to_owned(),
        )),
        Ok(all) => {
            for workspace in all {
                findings.extend(of_workspace(&engine, &workspace).await);
            }
        }
        Err(error) => findings.push(finding("workspaces", Verdict::Bad, error.to_string())),
    }
    findings
}

async fn of_workspace(
    engine: &latchkey_engine::Engine,
    workspace: &latchkey_access::Workspace,
) -> Vec<Finding> {
    let name = &workspace.name;
    let by = latchkey_engine::Caller::operator(workspace.id, engine.fresh_request_id());
    let mut findings = Vec::new();
    if workspace.state == latchkey_access::WorkspaceState::Ownerless {
        findings.push(finding(
            "owner",
            Verdict::Bad,
            format!("{name} has no Owner: latchkey admin workspace recover {name} --owner EMAIL"),
        ));
    }
    findings.push(match engine.store().audit_verify(workspace.id).await {
        Ok(report) if report.breaks.is_empty() => finding(
            "audit",
            Verdict::Good,
            format!(
                "the chain of {name} is whole: {} records, {} not yet sealed",
                report.sealed, report.unsealed
            ),
        ),
        Ok(_) => finding(
            "audit",
            Verdict::Bad,
            format!("the chain of {name} is broken: run latchkey audit verify"),
        ),
        Err(error) => finding("audit", Verdict::Bad, error.to_string()),
    });
    findings.push(match latchkey_engine::tokens::list_scim(engine, &by).await {
        Ok(all) => directory(name, &all, engine.now()),
        Err(error) => finding("directory", Verdict::Bad, error.to_string()),
    });
    findings
}

/// Entra's cycles come about every 40 minutes; after more than two without a request something is off.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(90 * 60);

fn directory(
    name: &str,
    tokens: &[latchkey_engine::tokens::TokenView],
    now: latchkey_kernel::Timestamp,
) -> Finding {
    let valid = tokens.iter().filter(|view| view.token.is_valid(now));
    let (mut count, mut last) = (0, None);
    for view in valid {
        count += 1;
        last = last.max(view.used.as_ref().map(|used| used.last_used_at));
    }
    match (count, last) {
        (0, _) => finding(
            "directory",
            Verdict::Look,
            format!("{name} has no valid SCIM token: latchkey admin scim-token create --workspace {name}"),
        ),
        (_, None) => finding(
            "directory",
            Verdict::Look,
            format!("no directory has written to {name} yet: turn provisioning on"),
        ),
        (_, Some(at)) if now.since(at) > SILENCE => finding(
            "directory",
            Verdict::Look,
            format!("{name} was last written to at {at}: look at the directory's provisioning log"),
        ),
        (_, Some(at)) => finding("directory", Verdict::Good, format!("{name} was last asked at {at}")),
    }
}

fn folder(place: &Place) -> Finding {
    let shown = place.data.display();
    match std::fs::metadata(&place.data) {
        Ok(found) if !found.is_dir() => finding("folder", Verdict::Bad, format!("{shown} is not a folder")),
        Ok(found) if found.mode() & 0o077 != 0 => {
            finding("folder", Verdict::Look, format!("{shown} can be read by others: chmod 700 {shown}"))
        }
        Ok(_) => finding("folder", Verdict::Good, format!("{shown} is there, for its owner alone")),
        Err(error) => finding(
            "folder",
            Verdict::Bad,
            format!("{shown} cannot be used: {error}; name another with --data"),
        ),
    }
}

/// A recovery kit that nobody has locked away yet.
fn kit(place: &Place) -> Option<Finding> {
    let path = wire::kit_path(&place.data);
    let says = format!(
        "the recovery kit still lies in {}: print it, lock it away, and remove the file",
        path.display()
    );
    path.exists().then(|| finding("recovery kit", Verdict::Look, says))
}

fn key(place: &Place) -> Finding {
    if place.key_source != KeySource::File {
        let says = format!("the keys are wrapped by {}; nothing here opens them", place.key_source);
        return finding("key", Verdict::Good, says);
    }
    let path = KeyRing::path_in(&place.data);
    match KeyRing::open_file(&path) {
        Ok(_) => finding(
            "key",
            Verdict::Good,
            format!("{} is readable by its owner alone; keep a copy apart from the database", path.display()),
        ),
        Err(error) => finding("key", Verdict::Bad, error.to_string()),
    }
}

fn finding(check: &'static str, verdict: Verdict, says: String) -> Finding {
    Finding { check, verdict, says }
}

fn print_routes(output: Output) {
    let mut all: Vec<(String, String, String)> = Vec::new();
    fn own((method, path, auth): (&str, &str, &str)) -> (String, String, String) {
        (method.to_owned(), path.to_owned(), auth.to_owned())
    }
    all.extend(latchkey_scim_http::routes().into_iter().map(|(method, path, auth)| {
        let token = match auth {
            latchkey_scim_http::Auth::DirectoryToken => "scim",
        };
        (method.to_string(), path, token.to_owned())
    }));
    all.extend(latchkey_api::routes().into_iter().map(own));
    all.extend(operations::ROUTES.into_iter().map(own));
    let shown: Vec<_> = all
        .iter()
        .map(|(method, path, auth)| json!({ "method": method, "path": path, "auth": auth }))
        .collect();
    output.answer(&shown, || {
        let rows: Vec<_> =
            all.iter().map(|(method, path, auth)| vec![method.clone(), path.clone(), auth.clone()]).collect();
        crate::output::table(&["METHOD", "PATH", "TOKEN"], &rows)
    });
}
