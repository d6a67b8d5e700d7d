//! The report of an offboarding: its facts gathered, worded and signed.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_access::authority::Action;
use latchkey_access::offboarding::{ItemDecision, OffboardingCase};
use latchkey_access::rotation::ManualTask;
use latchkey_access::{Member, Workspace};
pub use latchkey_evidence::Signed;
use latchkey_evidence::{
    Account, Change, Clock, Exception, Header, Integrity, Knowledge, Ownership, Removed, Report, Signer,
    Task, Way, summary,
};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, MemberId};
use latchkey_rotation::Job;
use serde_json::Value;

use crate::offboardings::{self, CaseView, Simulation};
use crate::rotations::job_of;
use crate::{Caller, Engine, Error};

/// The format that is written.
const FORMAT: u32 = 1;

/// The signed report of a case, as things stand now.
///
/// # Errors
/// When there is no such case, or the caller may not.
pub async fn of_case(engine: &Engine, by: &Caller, id: CaseId) -> Result<Signed, Error> {
    let view = offboardings::get(engine, by, id).await?;
    let workspace = engine.workspace(by.workspace_id()).await?;
    let mut report = Gathered::load(engine, by, &view).await?.report(engine, &workspace, &view);
    report.summary = summary(&report);
    Ok(signer(engine).sign(report))
}

/// The signed report of a member's last offboarding.
///
/// # Errors
/// When there is no such member, they have never left, or the caller may not.
pub async fn of_member(engine: &Engine, by: &Caller, id: MemberId) -> Result<Signed, Error> {
    by.may(Action::ReadOffboardings)?;
    let case = engine.store().case_of_member_last(by.workspace_id(), id).await?;
    let case = case.ok_or(Error::NotFound { what: "offboarding" })?;
    of_case(engine, by, case.id).await
}

/// What the report would say if a member left now. Writes nothing but its signature.
///
/// # Errors
/// When there is no such member, or the caller may not.
pub async fn foreseen(engine: &Engine, by: &Caller, id: MemberId) -> Result<Signed, Error> {
    let simulation = offboardings::simulate(engine, by, id).await?;
    let workspace = engine.workspace(by.workspace_id()).await?;
    let mut report = of_simulation(engine, &workspace, &simulation);
    report.summary = summary(&report);
    Ok(signer(engine).sign(report))
}

/// The fingerprint of the key that this installation signs reports with.
pub fn fingerprint(engine: &Engine) -> String {
    signer(engine).fingerprint()
}

/// A signed report as a page of its own, to be read, kept and printed.
///
/// # Errors
/// When it cannot be put together, which would be a mistake of ours.
pub fn page(signed: &Signed) -> Result<String, Error> {
    latchkey_evidence::page(signed).map_err(|error| Error::damaged("report", error))
}

/// The key is made of the installation's root key, so that every node signs alike.
fn signer(engine: &Engine) -> Signer {
    Signer::from_seed(&engine.keys().keyed_hash("offboarding report signature", b"ed25519"))
}

/// Of whom no row is left there is the id alone.
fn header(engine: &Engine, workspace: &Workspace, id: MemberId, member: Option<&Member>) -> Header {
    Header {
        format: FORMAT,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        workspace: workspace.name.clone(),
        case: None,
        state: "foreseen".to_owned(),
        member: id,
        name: member.map_or_else(|| id.to_string(), |member| member.display_name.clone()),
        user_name: member.map(|member| member.user_name.clone()).unwrap_or_default(),
        external_id: member.and_then(|member| member.external_id.clone()),
        trigger: "foreseen".to_owned(),
        request: None,
        written_at: engine.now(),
    }
}

/// What belongs to a case besides what its page shows.
struct Gathered {
    jobs: BTreeMap<AccountId, Job>,
    tasks: Vec<ManualTask>,
    names: BTreeMap<MemberId, String>,
    tokens: u64,
}

impl Gathered {
    async fn load(engine: &Engine, by: &Caller, view: &CaseView) -> Result<Self, Error> {
        let (store, workspace) = (engine.store(), by.workspace_id());
        let case = &view.case;
        let mut jobs = BTreeMap::new();
        for row in store.rotations_of_case(workspace, case.id).await? {
            jobs.insert(row.account_id, job_of(&row)?);
        }
        let tasks = store.tasks_of_case(workspace, case.id).await?;
        let heirs = handed_over(case).into_values().flatten();
        let people = heirs.chain(tasks.iter().filter_map(|task| task.assignee_id)).collect::<BTreeSet<_>>();
        let people = people.into_iter().collect::<Vec<_>>();
        let briefs = store.member_briefs(workspace, &people).await?;
        let names = briefs.into_iter().map(|brief| (brief.standing.member_id, brief.display_name)).collect();
        let tokens = store.token_list(workspace).await?;
        let theirs = tokens.iter().filter(|token| token.member.is_some_and(|(id, _)| id == case.member_id));
        let ended = theirs.filter(|token| token.revoked_at == Some(case.cut_at)).count();
        Ok(Self { jobs, tasks, names, tokens: ended as u64 })
    }

    fn report(&self, engine: &Engine, workspace: &Workspace, view: &CaseView) -> Report {
        let case = &view.case;
        let accounts: Vec<Account> = view
            .items
            .iter()
            .map(|item| Account {
                change: self.jobs.get(&item.account_id).map(change),
                ..account(item.account_id, &item.account_name, item.decision, &item.rule, &item.evidence)
            })
            .collect();
        let name_of = |id: AccountId| {
            view.items
                .iter()
                .find(|item| item.account_id == id)
                .map_or_else(|| id.to_string(), |item| item.account_name.clone())
        };
        let teams: BTreeSet<String> =
            accounts.iter().flat_map(|account| &account.ways).filter_map(|way| way.team.clone()).collect();
        let exceptions = self.jobs.values().flat_map(|job| {
            let ended = (job.state.is_over() && !job.state.is_safe())
                .then(|| format!("the rotation ended as {}", job.state.as_str().replace('_', " ")));
            let account = name_of(job.account_id);
            ended
                .into_iter()
                .chain(job.exceptions.iter().cloned())
                .map(move |reason| Exception { account: account.clone(), reason })
        });
        let ownership = handed_over(case).into_iter().map(|(id, to)| Ownership {
            account: name_of(id),
            to: to.map(|to| self.names.get(&to).cloned().unwrap_or_else(|| to.to_string())),
            rule: if to.is_some() { "successor_or_co_owner" } else { "workspace_owners" }.to_owned(),
        });
        let task = |task: &ManualTask| Task {
            account: name_of(task.account_id),
            kind: task.kind.clone(),
            state: task.state.as_str().to_owned(),
            due_at: task.due_at,
            closed_at: task.closed_at,
            assignee: task.assignee_id.and_then(|id| self.names.get(&id).cloned()),
        };
        let head = header(engine, workspace, case.member_id, view.member.as_ref());
        Report {
            header: Header {
                case: Some(case.id),
                state: case.state.as_str().to_owned(),
                trigger: case.trigger.as_str().to_owned(),
                request: Some(case.request_id),
                ..head
            },
            clock: clock(case, self.jobs.values()),
            removed: Removed {
                direct_grants: view.grants.len() as u64,
                tokens: self.tokens,
                teams: teams.into_iter().collect(),
            },
            ownership: ownership.collect(),
            tasks: self.tasks.iter().map(task).collect(),
            exceptions: exceptions.collect(),
            integrity: integrity(view),
            accounts,
            summary: String::new(),
        }
    }
}

/// Safe is when every password that was to change has changed.
fn clock<'j>(case: &OffboardingCase, jobs: impl Iterator<Item = &'j Job>) -> Clock {
    let jobs: Vec<&Job> = jobs.collect();
    let verified = || jobs.iter().filter_map(|job| job.verified_at);
    let all_safe = jobs.iter().all(|job| job.state.is_safe());
    let over = case.state != latchkey_access::offboarding::CaseState::Held && all_safe;
    let last: Option<Timestamp> = jobs.iter().filter_map(|job| job.committed_at.or(job.ended_at)).max();
    Clock {
        access_cut_at: Some(case.cut_at),
        first_verified_at: verified().min(),
        last_verified_at: verified().max(),
        safe_at: over.then(|| last.unwrap_or(case.cut_at)),
    }
}

fn change(job: &Job) -> Change {
    Change {
        state: job.state.as_str().to_owned(),
        verified_at: job.verified_at,
        old_refused_at: job.old_refused_at,
        committed_at: job.committed_at,
        sessions_ended: job.sessions_ended,
        changes_sent: job.changes_sent,
        failure: job.last_failure.as_ref().filter(|_| job.committed_at.is_none()).map(ToString::to_string),
    }
}

/// What a case wrote down of one account, at the moment of the cut.
fn account(id: AccountId, name: &str, decision: ItemDecision, rule: &str, evidence: &Value) -> Account {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| evidence.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let way = |way: &Value| Way {
        by: text(way, "by").unwrap_or_default(),
        permission: text(way, "permission").unwrap_or_default(),
        team: way.get("team").and_then(|team| text(team, "name")),
        granted_by: text(way, "granted_by"),
    };
    let knowledge: Vec<Knowledge> = list("known")
        .iter()
        .filter_map(|known| {
            Some(Knowledge {
                kind: text(known, "kind")?,
                version: known.get("generation").and_then(Value::as_i64)?,
                at: serde_json::from_value(known.get("at")?.clone()).ok()?,
            })
        })
        .collect();
    Account {
        id,
        name: name.to_owned(),
        sensitivity: text(evidence, "sensitivity").unwrap_or_default(),
        permission: text(evidence, "permission"),
        ways: list("ways").iter().map(way).collect(),
        knew_current: !knowledge.is_empty(),
        knowledge,
        decision: decision.as_str().to_owned(),
        rule: rule.to_owned(),
        change: None,
    }
}

/// Whom each account went to; nobody stands for the workspace's Owners.
fn handed_over(case: &OffboardingCase) -> BTreeMap<AccountId, Option<MemberId>> {
    let handed = case.summary.get("handed_over").cloned().unwrap_or_default();
    serde_json::from_value(handed).unwrap_or_default()
}

fn integrity(view: &CaseView) -> Integrity {
    let sealed: Vec<i64> = view
        .timeline
        .iter()
        .filter_map(|entry| entry.seq)
        .filter_map(|seq| i64::try_from(seq).ok())
        .collect();
    let head = view.timeline.iter().rev().find_map(|entry| entry.hash);
    Integrity {
        audit: sealed.iter().min().copied().zip(sealed.iter().max().copied()),
        chain_head: head.map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

fn of_simulation(engine: &Engine, workspace: &Workspace, simulation: &Simulation) -> Report {
    let accounts = simulation.accounts.iter().map(|one| Account {
        permission: one.permission.map(|permission| permission.as_str().to_owned()),
        sensitivity: one.account.sensitivity.as_str().to_owned(),
        knew_current: one.knows,
        ..account(one.account.id, &one.account.name, one.decision, one.rule, &Value::Null)
    });
    Report {
        header: header(engine, workspace, simulation.member.id, Some(&simulation.member)),
        clock: Clock::default(),
        removed: Removed { direct_grants: simulation.direct_grants, ..Removed::default() },
        accounts: accounts.collect(),
        ownership: Vec::new(),
        tasks: Vec::new(),
        exceptions: Vec::new(),
        integrity: Integrity::default(),
        summary: String::new(),
    }
}
