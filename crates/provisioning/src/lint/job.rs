//! What goes wrong between the parts of a job: its scope, its source and what it maps.

use super::{Warning, expressions, reads};
use crate::jobfile::{Directory, JobFile};
use crate::mapping::{AttributeMapping, ObjectMapping, Reference};

/// What is likely a mistake of the job as a whole, each about a field, as `job.scope`.
pub fn of_job(job: &JobFile) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut say = |about: &str, message: String| found.push(Warning { about: about.to_owned(), message });
    if let Some(one) = rows(job).find(|one| job.sync_all && reads(one, "appRoleAssignments")) {
        let message = format!(
            "{} is filled from the roles in which somebody is assigned, and scope = \"all\" takes everybody, assigned or not: whoever has no role gets none, and Entra ID does not support it; set scope = \"assigned\"",
            one.target
        );
        say("job.scope", message);
    }
    if !job.sync_all
        && let Some(missing) = without_assignments(&job.source)
    {
        let message = format!(
            "scope = \"assigned\" takes those alone who are given the application, and the source does not say who is: name {missing}, or set scope = \"all\""
        );
        say("job.scope", message);
    }
    match &job.source {
        Directory::Files { groups: None, .. } if job.groups.is_some() => say(
            "source.groups",
            "groups are mapped, but no file of groups is named, so there are none; name it, or take [groups] out"
                .to_owned(),
        ),
        Directory::Scim { .. } if job.groups.is_some() && !job.sync_all => say(
            "groups",
            "groups of a SCIM provider carry no entitlement, so with scope = \"assigned\" no group is taken"
                .to_owned(),
        ),
        _ => {}
    }
    if job.users.is_none() && job.groups.as_ref().is_some_and(|groups| groups.sends(Reference::Members)) {
        let message = "people are not provisioned by this job, so their groups stay empty: only whom a job knows can be a member; add [users], or take members out";
        say("groups", message.to_owned());
    }
    if job.deletion_limit == Some(0) {
        let message = "with 0, nobody is ever disabled or deleted without a person's word, not even a single leaver; a limit well above an ordinary day's leavers is what catches a mistake";
        say("job.deletion_limit", message.to_owned());
    }
    if job.default_domain.is_empty()
        && let Some(one) = rows(job).find(|one| expressions::calls(one, "DefaultDomain"))
    {
        let message =
            format!("{} calls DefaultDomain(), which is empty until default_domain says it", one.target);
        say("job.default_domain", message);
    }
    found
}

fn rows(job: &JobFile) -> impl Iterator<Item = &AttributeMapping> {
    let mappings: [Option<&ObjectMapping>; 2] = [job.users.as_ref(), job.groups.as_ref()];
    mappings.into_iter().flatten().flat_map(|mapping| &mapping.attributes)
}

/// What would have to be named for the source to say who is assigned. Files have a column for it.
fn without_assignments(source: &Directory) -> Option<&'static str> {
    match source {
        Directory::Ldap { assigned_group: None, assigned_filter: None, .. } => {
            Some("assigned_group or assigned_filter under [source]")
        }
        Directory::Graph { assigned_to: None, .. } => Some("assigned_to under [source]"),
        Directory::Scim { assigned_entitlement: None, .. } => Some("assigned_entitlement under [source]"),
        _ => None,
    }
}
