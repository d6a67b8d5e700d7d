//! What is said of a job's file has its place: the line, and the field.

use latchkey_provisioning::jobfile::{Problem, check};

/// A job with these lines in `[job]`, this source, and these sections of what flows.
fn job(settings: &str, source: &str, sections: &str) -> String {
    format!("[job]\nname = \"x\"\n{settings}\n[source]\n{source}\n[target]\n{sections}\n")
}

fn warnings(text: &str) -> Vec<Problem> {
    let checked = check(text);
    assert_eq!(checked.errors, [], "{text}");
    assert!(checked.job.is_some());
    checked.warnings
}

/// The one warning, whose field has to be in the line that it names.
fn one(text: &str) -> (String, String) {
    let found = warnings(text);
    let [Problem { line, field, message }] = &found[..] else { panic!("{found:#?}\n{text}") };
    let there = text.lines().nth(line - 1).unwrap_or_default().to_owned();
    (format!("{field} in {there}"), message.clone())
}

const ROLES: &str = r#"[users]
mappings = "latchkey"
[[users.mapping]]
target = "userType"
expression = 'SingleAppRoleAssignment([appRoleAssignments])'
"#;

#[test]
fn a_finding_about_a_row_names_the_row() {
    let text = job(
        "",
        "kind = \"embedded\"",
        "[users]\nmappings = \"latchkey\"\nmapping = [\n  { target = \"nickName\", source = \"givenName\" },\n  { target = \"externalId\", source = \"mail\" },\n]",
    );
    let (place, message) = one(&text);
    assert_eq!(place, "users.mapping[2].target in   { target = \"externalId\", source = \"mail\" },");
    assert!(message.contains("mail changes when somebody's name does"), "{message}");
}

#[test]
fn a_finding_about_a_flag_a_filter_or_what_is_not_there_names_its_place() {
    let users =
        |rest: &str| job("", "kind = \"embedded\"", &format!("[users]\n{rest}\nmappings = \"latchkey\"\n"));
    assert_eq!(one(&users("update = false")).0, "users.update in update = false");
    assert_eq!(one(&users("without = [\"active\"]")).0, "users in [users]");
    let filter = "[[users.scope]]\ntitle = \"a\"\nclauses = [{ attribute = \"city\", operator = \"EQUALS\", value = \"Lisbon\" }]\n[[users.scope]]\ntitle = \"b\"\nclauses = [{ attribute = \"manager\", operator = \"IS NULL\" }]";
    let (place, message) = one(&format!("{}{filter}\n", users("")));
    assert_eq!(place, "users.scope[2] in clauses = [{ attribute = \"manager\", operator = \"IS NULL\" }]");
    assert!(message.contains("is not seen by filters"), "{message}");
}

#[test]
fn errors_of_mappings_name_the_row_too() {
    let text =
        job("", "kind = \"embedded\"", "[groups]\n[[groups.mapping]]\ntarget = \"meta\"\nsource = \"x\"");
    let checked = check(&text);
    assert!(checked.job.is_none() && checked.warnings.is_empty());
    let meta = checked.errors.iter().find(|problem| problem.message.contains("makes it itself"));
    let meta = meta.unwrap_or_else(|| panic!("{:#?}", checked.errors));
    assert_eq!((meta.line, meta.field.as_str()), (9, "groups.mapping[1].target"));
}

#[test]
fn roles_without_assignments_are_warned_of() {
    let embedded = "kind = \"embedded\"";
    let (place, message) = one(&job("scope = \"all\"", embedded, ROLES));
    assert_eq!(place, "job.scope in scope = \"all\"");
    assert!(message.starts_with("userType is filled from the roles"), "{message}");
    assert_eq!(one(&job("", embedded, ROLES)).0, "job.scope in [job]");
    assert_eq!(warnings(&job("scope = \"assigned\"", embedded, ROLES)), []);
}

#[test]
fn assigned_people_of_a_source_that_does_not_say_who_is_are_warned_of() {
    let users = "[users]\nmappings = \"latchkey\"";
    let ldap = "kind = \"ldap\"\nurl = \"ldaps://d.example\"\nbind_dn = \"cn=a\"\nbase = \"dc=a\"\npassword_env = \"P\"\n";
    let graph = "kind = \"graph\"\ntenant = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";
    let scim = "kind = \"scim\"\nurl = \"https://d.example\"\ntoken_env = \"T\"\n";
    for (source, missing, mended) in [
        (ldap, "assigned_group or assigned_filter", "assigned_group = \"cn=b\"\n"),
        (ldap, "assigned_group or assigned_filter", "assigned_filter = \"(a=b)\"\n"),
        (graph, "assigned_to", "assigned_to = \"a\"\n"),
        (scim, "assigned_entitlement", "assigned_entitlement = \"portal\"\n"),
    ] {
        let (place, message) = one(&job("scope = \"assigned\"", source, users));
        assert_eq!(place, "job.scope in scope = \"assigned\"");
        assert!(message.contains(missing), "{message}");
        assert_eq!(warnings(&job("scope = \"assigned\"", &format!("{source}{mended}"), users)), []);
        assert_eq!(warnings(&job("", source, users)), []);
    }
}

#[test]
fn what_does_not_fit_together_is_warned_of() {
    let users = "[users]\nmappings = \"latchkey\"\n";
    let files = "kind = \"csv\"\nusers = \"people.csv\"";
    assert_eq!(one(&job("", files, &format!("{users}[groups]"))).0, "source.groups in [source]");
    assert_eq!(one(&job("", "kind = \"embedded\"", "[groups]")).0, "groups in [groups]");
    assert_eq!(one(&job("deletion_limit = 0", files, users)).0, "job.deletion_limit in deletion_limit = 0");
    let domain = format!(
        "{users}[[users.mapping]]\ntarget = \"nickName\"\nexpression = 'Append([alias], DefaultDomain())'"
    );
    assert_eq!(one(&job("", files, &domain)).0, "job.default_domain in [job]");
    assert_eq!(warnings(&job("default_domain = \"a.example\"", files, &domain)), []);
}

#[test]
fn what_is_no_toml_is_one_error() {
    let checked = check("[job");
    assert_eq!((checked.errors.len(), checked.errors[0].line, checked.warnings.len()), (1, 1, 0));
}
