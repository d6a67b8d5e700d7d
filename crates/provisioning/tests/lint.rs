//! Each mistake in a mapping is named: what cannot work refuses the job, the rest is a warning.

use latchkey_provisioning::jobfile;
use latchkey_provisioning::lint;

const ACTIVE: &str =
    r#"{ target = "active", expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' }"#;
const NAME: &str = r#"{ target = "userName", source = "userPrincipalName", match = 1 }"#;
const GROUP: &str = r#"{ target = "displayName", source = "displayName", match = 1 }, { target = "members", reference = "members" }"#;
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What is said of a job with this section of people or groups; whether it is refused.
fn said(section: &str) -> (bool, Vec<String>) {
    let text = format!("[job]\nname = \"x\"\n[source]\nkind = \"embedded\"\n[target]\n{section}\n");
    match jobfile::parse(&text) {
        Err(problems) => (true, problems.into_iter().map(|problem| problem.message).collect()),
        Ok(job) => {
            let mappings = job.users.iter().chain(&job.groups);
            let warnings = mappings.flat_map(lint::warnings);
            (false, warnings.map(|warning| format!("{}: {}", warning.about, warning.message)).collect())
        }
    }
}

/// Of people that are mapped well, and by these rows besides.
fn besides(rows: &str) -> (bool, Vec<String>) {
    said(&format!("[users]\nmapping = [{NAME}, {ACTIVE}, {rows}]"))
}

fn only(found: (bool, Vec<String>), refused: bool, words: &[&str]) {
    assert_eq!((found.0, found.1.len()), (refused, 1), "{found:#?}");
    for word in words {
        assert!(found.1[0].contains(word), "no {word:?} in {:?}", found.1[0]);
    }
}

#[test]
fn a_good_mapping_is_without_a_word() {
    let rows = format!(
        r#"{{ target = "externalId", source = "objectId" }},
           {{ target = 'emails[type eq "work"].value', source = "mail", match = 2 }},
           {{ target = 'emails[type eq "work"].primary', constant = "True" }},
           {{ target = "title", expression = 'Switch([jobTitle], [jobTitle], "", "none")' }},
           {{ target = "nickName", expression = 'IIF(IsNullOrEmpty([nick]), [givenName], [nick])' }},
           {{ target = "userType", expression = 'IIF(DateDiff("d", Now(), CDate([hired])) > 5, "later", "here")' }},
           {{ target = "roles", expression = 'AssertiveAppRoleAssignmentsComplex([appRoleAssignments])' }},
           {{ target = "urn:quarry:2.0:User:badge", source = "badge" }},
           {{ target = "{ENTERPRISE}:manager", reference = "manager" }}"#
    );
    assert_eq!(besides(&rows), (false, Vec::new()));
    assert_eq!(said(&format!("[groups]\nmapping = [{GROUP}]")), (false, Vec::new()));
}

#[test]
fn what_would_be_no_valid_scim_refuses_the_job() {
    for (row, words) in [
        (r#"target = "id", source = "objectId""#, "the target makes it itself"),
        (r#"target = "meta.created", source = "made""#, "the target makes it itself"),
        (r#"target = "schemas", constant = "x""#, "the target makes it itself"),
        (r#"target = "groups", source = "memberOf""#, "map groups with their members"),
        (r#"target = "password", source = "pw""#, "passwords are not provisioned"),
        (r#"target = "name", source = "displayName""#, "map name.formatted, name.familyName"),
        (r#"target = "name.firstName", source = "givenName""#, "there is no firstName in name"),
        (r#"target = 'name[type eq "work"].givenName', source = "givenName""#, "has one value"),
        (r#"target = "title.value", source = "jobTitle""#, "map title itself"),
        (r#"target = 'title[type eq "work"]', source = "jobTitle""#, "map title itself"),
        (r#"target = "emails.value", source = "mail""#, "emails[type eq \"work\"].value"),
        (r#"target = "addresses", source = "city""#, "addresses[type eq \"work\"].locality"),
        (r#"target = 'addresses[type eq "work"]', source = "city""#, "a text is none of them"),
        (r#"target = 'emails[type eq "work"].address', source = "mail""#, "there is no address in emails"),
        (r#"target = 'emails[type eq "work"].primary', constant = "yes""#, "\"yes\" is neither"),
        (
            r#"target = 'emails[type eq "work"].primary', source = "p", default = "1""#,
            "default \"1\" is neither",
        ),
        (
            r#"target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", source = "manager""#,
            "reference = \"manager\"",
        ),
        (
            r#"target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName", source = "x""#,
            "makes it itself",
        ),
        (r#"target = "username", source = "mail""#, "mapped twice"),
        (
            r#"target = "emails", source = "mail" }, { target = 'emails[type eq "work"].value', source = "mail""#,
            "is part of it",
        ),
        (
            r#"target = 'emails[type eq "work"].primary', constant = "True" }, { target = 'emails[type eq "home"].primary', constant = "true""#,
            "one value at most",
        ),
    ] {
        only(besides(&format!("{{ {row} }}")), true, &[words]);
    }
    let row =
        r#"{ target = "displayName", source = "x", match = 1 }, { target = "members", source = "members" }"#;
    only(said(&format!("[groups]\nmapping = [{row}]")), true, &["reference = \"members\""]);
}

#[test]
fn a_job_that_would_find_nobody_or_everybody_is_refused() {
    let users = |name: &str| said(&format!("[users]\nmapping = [{ACTIVE}, {{ {name} }}]"));
    only(users(r#"target = "userName", source = "mail""#), true, &["no attribute is marked for matching"]);
    only(
        users(r#"target = "externalId", source = "objectId", match = 1"#),
        true,
        &["userName", "RFC 7643 §4"],
    );
    only(
        users(r#"target = "userName", constant = "all", match = 1"#).with_one("matched"),
        true,
        &["the same for every person"],
    );
    only(
        users(
            r#"target = "userName", expression = 'SelectUniqueValue([mail], [upn])', match = 1, apply = "on-create""#,
        ),
        true,
        &["SelectUniqueValue"],
    );
    only(
        users(
            r#"target = "userName", expression = 'SelectUniqueValue([mail], [upn])' }, { target = "externalId", source = "id", match = 1"#,
        ),
        true,
        &["on creation only"],
    );
    let row = r#"{ target = "userName", source = "upn" }, { target = "active", source = "IsSoftDeleted", match = 1 }"#;
    only(
        said(&format!("[users]\nmapping = [{row}]")),
        true,
        &["active: it is matched by, but it is no single text"],
    );
    only(
        said(
            "[groups]\nmapping = [{ target = \"displayName\", source = \"x\" }, { target = \"members\", reference = \"members\", match = 1 }]",
        ),
        true,
        &["no single text"],
    );
}

trait WithOne {
    /// Only what is said with this word.
    fn with_one(self, word: &str) -> Self;
}

impl WithOne for (bool, Vec<String>) {
    fn with_one(mut self, word: &str) -> Self {
        self.1.retain(|message| message.contains(word));
        self
    }
}

#[test]
fn what_becomes_of_leavers_is_thought_of() {
    let users = |active: &str| said(&format!("[users]\nmapping = [{NAME}{active}]"));
    only(users(""), false, &["active is not mapped", "deleted at the target instead"]);
    for (source, words) in [
        (r#"source = "accountEnabled""#, "follows accountEnabled alone"),
        (r#"expression = 'CStr([accountEnabled])'"#, "follows accountEnabled alone"),
        (r#"constant = "True""#, "does not depend on IsSoftDeleted"),
        (r#"source = "IsSoftDeleted""#, "those who leave are active"),
    ] {
        only(users(&format!(", {{ target = \"active\", {source} }}")), false, &[words]);
    }
    let off = said(&format!("[users]\nupdate = false\nmapping = [{NAME}, {ACTIVE}]"));
    only(off, false, &["disabling is an update"]);
}

#[test]
fn what_people_are_found_by_has_to_tell_them_apart_and_to_stay() {
    for (row, words) in [
        (r#"target = "displayName", source = "displayName", match = 2"#, "may have the same value"),
        (
            r#"target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", source = "department", match = 2"#,
            "may have the same value",
        ),
        (r#"target = "externalId", source = "objectId", match = 1"#, "with rank 1 too"),
        (r#"target = "externalId", source = "objectId", match = 2, apply = "on-create""#, "never updated"),
        (
            r#"target = "externalId", expression = 'Guid()', match = 2, apply = "on-create""#,
            "nobody is ever found",
        ),
        (r#"target = "externalId", source = "mailNickname""#, "neither always there nor unique"),
        (r#"target = "externalId", source = "mail""#, "is to stay the same"),
    ] {
        let found = besides(&format!("{{ {row} }}"));
        let about: Vec<&String> = found.1.iter().filter(|message| message.contains(words)).collect();
        assert!(!found.0 && about.len() == 1, "{row}: {found:#?}");
    }
}

#[test]
fn expressions_that_mean_something_else_are_named() {
    for (row, words) in [
        (r#"target = "title", expression = 'Guid()'"#, "at each cycle"),
        (r#"target = "title", expression = 'Append("x", RandomString(3, 3, 0, 0, 0))'"#, "at each cycle"),
        (
            r#"target = "title", expression = 'FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")'"#,
            "everybody is written each time",
        ),
        (r#"target = "title", expression = 'Switch([city], , "Lisbon", "PT")'"#, "give a default"),
        (
            r#"target = "title", expression = 'Switch(IsNullOrEmpty([city]), "x", "True", "none")'"#,
            "not supported by Entra ID",
        ),
        (r#"target = "title", expression = 'IIF([city] = "", "none", [city])'"#, "IsNullOrEmpty([city])"),
        (r#"target = "title", expression = 'IIF([accountEnabled] = "true", "a", "b")'"#, "write \"True\""),
        (
            r#"target = "title", expression = 'Switch([IsSoftDeleted], "x", "true", "gone")'"#,
            "write \"True\"",
        ),
        (
            r#"target = "roles", expression = 'AppRoleAssignmentsComplex([appRoleAssignments])'"#,
            "AssertiveAppRoleAssignmentsComplex",
        ),
        (r#"target = "title", source = "manager""#, "reference = \"manager\""),
        (r#"target = "title", expression = 'Append([manager], "!")'"#, "reference = \"manager\""),
        (r#"target = "title", reference = "manager""#, "belongs into manager"),
        (r#"target = "emails", source = "mail""#, "the whole list is replaced"),
        (r#"target = "badge", source = "badge""#, "a URN"),
        (
            r#"target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:team", source = "team""#,
            "no such attribute",
        ),
    ] {
        only(besides(&format!("{{ {row} }}")), false, &[words]);
    }
    only(
        said("[groups]\nmapping = [{ target = \"displayName\", source = \"x\", match = 1 }]"),
        false,
        &["groups stay empty"],
    );
}

#[test]
fn filters_that_let_in_others_than_were_meant_are_named() {
    let scope = |clause: &str| {
        said(&format!(
            "[users]\nmapping = [{NAME}, {ACTIVE}]\nscope = [{{ title = \"t\", clauses = [{{ {clause} }}] }}]"
        ))
    };
    only(
        scope(r#"attribute = "city", operator = "REGEX MATCH", value = "[1-9][0-9]""#),
        false,
        &["write ^[1-9][0-9]$"],
    );
    only(scope(r#"attribute = "IsSoftDeleted", operator = "IS FALSE""#), false, &["never holds"]);
    assert_eq!(scope(r#"attribute = "city", operator = "REGEX MATCH", value = "^Eng""#).1, [""; 0]);
}
