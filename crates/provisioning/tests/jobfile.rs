//! `provision.toml`: what a whole one gives, and that every field that is wrong is named with its line.

use std::time::Duration;

use latchkey_provisioning::jobfile::{Credential, Dialect, Directory, FileFormat, SecretFrom, parse};
use latchkey_provisioning::mapping::{Apply, Source};

const WHOLE: &str = r#"[job]
name = "People to the portal"
schedule = "40m"
scope = "assigned"
deletion_limit = 20
skip_out_of_scope_deletions = true
default_domain = "quarry.example"
notify = ["ops@quarry.example"]

[source]
kind = "csv"
users = "people.csv"
groups = "groups.csv"

[target]
url = "https://portal.example/scim/v2/"
token_env = "PORTAL_TOKEN"
dialect = "entra"
concurrency = 4
requests_per_second = 25
timeout_seconds = 10

[users]
mappings = "default"
without = ["title"]

[[users.scope]]
title = "Lisbon"
clauses = [{ attribute = "city", operator = "EQUALS", value = "Lisbon" }]

[[users.mapping]]
target = "externalId"
source = "objectId"
match = 2

[[users.mapping]]
target = "nickName"
expression = 'ToLower([givenName])'
apply = "on-create"
default = "friend"
clears = false

[groups]
delete = false
"#;

#[test]
fn a_whole_file_gives_a_whole_job() {
    let job = parse(WHOLE).unwrap();
    assert_eq!(job.name, "People to the portal");
    assert_eq!(job.schedule, Some(Duration::from_secs(2_400)));
    assert!(!job.sync_all && job.skip_out_of_scope_deletions);
    assert_eq!(job.deletion_limit, Some(20));
    assert_eq!(job.notify, ["ops@quarry.example"]);
    let files = Directory::Files {
        format: FileFormat::Csv,
        folder: None,
        users: "people.csv".to_owned(),
        groups: Some("groups.csv".to_owned()),
        memberships: None,
    };
    assert_eq!(job.source, files);
    assert_eq!(job.target.url.as_deref(), Some("https://portal.example/scim/v2"));
    let token = SecretFrom::Environment("PORTAL_TOKEN".to_owned());
    assert_eq!(job.target.credential, Some(Credential::Bearer(token)));
    assert_eq!((job.target.dialect, job.target.concurrency), (Dialect::Entra, 4));
    let users = job.users.unwrap();
    let find = |path: &str| users.attributes.iter().find(|one| one.target.to_string() == path);
    assert!(find("title").is_none());
    let external = find("externalId").unwrap();
    assert!(matches!(&external.source, Source::Direct(name) if name == "objectId"));
    assert_eq!(external.matching, Some(2));
    let nick = find("nickName").unwrap();
    assert!(nick.apply == Apply::OnCreate && !nick.clears && nick.default.as_deref() == Some("friend"));
    assert_eq!(users.attributes.len(), 22);
    assert_eq!(users.scope.groups.len(), 1);
    assert!(!job.groups.unwrap().flow.delete);
}

#[test]
fn the_shortest_file_has_good_defaults() {
    let job = parse("[job]\nname = \"x\"\n[source]\nkind = \"embedded\"\n[target]\n[users]\n").unwrap();
    assert_eq!((job.schedule, job.sync_all, job.deletion_limit), (None, true, Some(500)));
    assert_eq!((job.target.dialect, job.target.url), (Dialect::Auto, None));
    assert!(job.groups.is_none());
}

#[test]
fn each_field_that_is_wrong_is_named_with_its_line_what_was_found_and_what_is_allowed() {
    for (from, to, line, field, words) in [
        ("name = \"People to the portal\"", "name = 3", 2, "job.name", "found the number 3, but a text"),
        ("name = \"People to the portal\"\n", "", 1, "job.name", "is missing: what people call the job"),
        ("name = \"People to the portal\"", "name = \" \"", 2, "job.name", "is empty"),
        ("\"40m\"", "\"40 minutes\"", 3, "job.schedule", "as 30s, 40m, 6h or 1d"),
        ("\"40m\"", "\"99d\"", 3, "job.schedule", "from 1s to 30d"),
        ("\"assigned\"", "\"some\"", 4, "job.scope", "one of all, assigned"),
        ("deletion_limit = 20", "deletion_limit = -1", 5, "job.deletion_limit", "0 to 1000000 are allowed"),
        ("deletion_limit = 20", "deletion_limit = \"20\"", 5, "job.deletion_limit", "a whole number"),
        ("deletions = true", "deletions = \"yes\"", 6, "job.skip_out_of_scope_deletions", "true or false"),
        ("[\"ops@quarry.example\"]", "[\"ops\"]", 8, "job.notify", "no mail address"),
        ("[\"ops@quarry.example\"]", "[7]", 8, "job.notify[1]", "a text is needed"),
        (
            "default_domain",
            "default_domian",
            7,
            "job.default_domian",
            "there is no such field here; there are default_domain",
        ),
        ("kind = \"csv\"", "kind = \"excel\"", 11, "source.kind", "one of csv, json, ldap"),
        ("kind = \"csv\"\n", "", 10, "source.kind", "is missing: csv, json"),
        ("users = \"people.csv\"\n", "", 10, "source.users", "is missing: the file of people"),
        (
            "groups = \"groups.csv\"",
            "memberships = \"memberships.csv\"",
            13,
            "source.memberships",
            "name the file of groups too",
        ),
        ("kind = \"csv\"", "kind = \"ldap\"", 10, "source.url", "as ldaps://"),
        (
            "kind = \"csv\"",
            "kind = \"ldap\"\nuser_filter = \"objectClass=person\"",
            12,
            "source.user_filter",
            "a filter in brackets is needed",
        ),
        (
            "kind = \"csv\"",
            "kind = \"ldap\"\nassigned_group = \"cn=a\"\nassigned_filter = \"(a=b)\"",
            13,
            "source.assigned_filter",
            "keep one of them",
        ),
        ("kind = \"csv\"", "kind = \"ldap\"\nca_file = 1", 12, "source.ca_file", "a text in quotes"),
        (
            "kind = \"csv\"",
            "kind = \"scim\"\nassigned_entitlement = true",
            12,
            "source.assigned_entitlement",
            "a text in quotes",
        ),
        ("kind = \"csv\"", "kind = \"graph\"", 10, "source.tenant", "is missing"),
        ("kind = \"csv\"", "kind = \"scim\"", 10, "source.token_file", "name the file that holds the secret"),
        ("https://portal.example/scim/v2/", "portal.example", 16, "target.url", "a URL is needed"),
        ("https://portal.example/scim/v2/", "http://portal.example", 16, "target.url", "use https://"),
        ("token_env = ", "token_file = \"a\"\ntoken_env = ", 18, "target.token_env", "keep one of them"),
        ("\"entra\"", "\"azure\"", 18, "target.dialect", "one of auto, rfc, entra, entra-compliant"),
        ("concurrency = 4", "concurrency = 0", 19, "target.concurrency", "1 to 256 are allowed"),
        ("timeout_seconds = 10", "timeout_seconds = 1.5", 21, "target.timeout_seconds", "found a fraction"),
        (
            "mappings = \"default\"",
            "mappings = \"all\"",
            24,
            "users.mappings",
            "one of default, latchkey, none",
        ),
        ("[\"title\"]", "[\"titel\"]", 25, "users.without", "\"titel\" is not mapped"),
        ("\"EQUALS\"", "\"LIKE\"", 29, "users.scope[1].clauses[1].operator", "there are EQUALS"),
        (
            "value = \"Lisbon\"",
            "valeu = \"Lisbon\"",
            29,
            "users.scope[1].clauses[1].valeu",
            "there are attribute, operator, value",
        ),
        ("attribute = \"city\", ", "", 29, "users.scope[1].clauses[1].attribute", "is missing"),
        (
            "clauses = [{ attribute = \"city\", operator = \"EQUALS\", value = \"Lisbon\" }]",
            "",
            27,
            "users.scope[1].clauses",
            "at least one clause",
        ),
        (
            "target = \"externalId\"",
            "target = \"external Id\"",
            32,
            "users.mapping[1].target",
            "is no target attribute",
        ),
        (
            "target = \"externalId\"",
            "target = \"id\"",
            32,
            "users.mapping[1].target",
            "the target makes it itself",
        ),
        (
            "source = \"objectId\"",
            "source = \"objectId\"\nconstant = \"x\"",
            33,
            "users.mapping[1].source",
            "only one of",
        ),
        (
            "source = \"objectId\"",
            "reference = \"boss\"",
            33,
            "users.mapping[1].reference",
            "\"manager\" is the one",
        ),
        ("source = \"objectId\"\n", "", 31, "users.mapping[1].source", "is missing"),
        ("match = 2", "match = 0", 34, "users.mapping[1].match", "1 to 9 are allowed"),
        (
            "ToLower([givenName])",
            "ToLowr([givenName])",
            38,
            "users.mapping[2].expression",
            "ToLower is meant",
        ),
        (
            "\"on-create\"",
            "\"once\"",
            39,
            "users.mapping[2].apply",
            "always, on-create, while-empty, add-only",
        ),
        ("clears = false", "clears = 0", 41, "users.mapping[2].clears", "true or false"),
        ("delete = false", "delete = \"no\"", 44, "groups.delete", "true or false"),
        ("delete = false", "delet = false", 44, "groups.delet", "there is no such field here"),
        ("[job]", "[job", 1, "", "this is no TOML"),
        ("[groups]\n", "[gruops]\n", 43, "gruops", "there are groups, job, source, target, users"),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let text = WHOLE.replacen(from, to, 1);
        let problems = parse(&text).expect_err(&text);
        let found = problems
            .iter()
            .any(|problem| problem.line == line && problem.field == field && problem.message.contains(words));
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(found, "{from} → {to}: wanted line {line}: {field}: {words}; found {all:#?}");
    }
}

#[test]
fn all_mistakes_are_found_in_one_reading_in_the_order_of_lines() {
    let text = WHOLE.replace("\"40m\"", "40").replace("\"entra\"", "1").replace("match = 2", "match = \"x\"");
    let lines: Vec<usize> = parse(&text).unwrap_err().iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [3, 18, 34]);
    let missing = parse("").unwrap_err();
    let fields: Vec<&str> = missing.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["job", "source", "target", "users"]);
}
