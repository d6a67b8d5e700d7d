//! Every template makes a job that works as it stands.

use latchkey_provisioning::gallery::{self, Role, Template, find, job, templates};
use latchkey_provisioning::jobfile::{self, JobFile};
use latchkey_provisioning::{Kind, ObjectMapping, Source};

fn of(role: Role) -> Vec<Template> {
    templates().into_iter().filter(|template| template.content.kind == role).collect()
}

fn parse(source: &Template, target: &Template) -> JobFile {
    let text = job("People \"to\" the portal", source, target);
    jobfile::parse(&text)
        .unwrap_or_else(|problems| panic!("{} to {}: {problems:?}\n{text}", source.id, target.id))
}

#[test]
fn any_source_and_any_target_make_a_job_without_a_warning() {
    for target in of(Role::Target) {
        for source in of(Role::Source) {
            let job = parse(&source, &target);
            assert_eq!(job.name, "People \"to\" the portal");
            let checked = jobfile::check(&gallery::job(&job.name, &source, &target));
            assert_eq!(checked.warnings, [], "{} to {}", source.id, target.id);
            assert!(job.users.is_some() && job.groups.is_some(), "{}", target.id);
        }
    }
}

#[test]
fn a_targets_mappings_send_what_it_needs_and_nothing_that_it_does_not_keep() {
    let source = find("embedded-directory").expect("it is in the gallery");
    for target in of(Role::Target) {
        let facts = target.content.facts.as_ref().expect("a target has facts");
        let job = parse(&source, &target);
        let users = job.users.as_ref().expect("people are mapped");
        let maps = |mapping: &ObjectMapping, path: &str| {
            mapping.attributes.iter().any(|one| one.target.to_string() == path)
        };
        for needed in &facts.required {
            assert!(maps(users, needed), "{} needs {needed}", target.id);
            let taken_away = |one: &&latchkey_provisioning::AttributeMapping| {
                one.target.to_string() == *needed
                    && one.clears
                    && matches!(one.source, Source::Direct(_))
                    && !["userName", "active"].contains(&needed.as_str())
            };
            let cleared = users.attributes.iter().find(taken_away);
            assert!(cleared.is_none(), "{}: {needed} is needed, and would be taken away", target.id);
        }
        for mapping in job.users.iter().chain(&job.groups).filter(|mapping| mapping.kind == Kind::User) {
            for one in &mapping.attributes {
                let sends = [Some(&one.target.attribute), one.target.urn.as_ref()];
                let lost = facts.unsupported.iter().find(|not| sends.contains(&Some(not)));
                assert!(lost.is_none(), "{} does not keep {}", target.id, one.target);
            }
            for one in mapping.matching() {
                let path = one.target.to_string();
                assert!(facts.filters.contains(&path), "{} cannot be searched by {path}", target.id);
            }
        }
        assert!(!target.content.setup.is_empty() && !facts.notes.is_empty(), "{}", target.id);
    }
}

#[test]
fn a_job_says_all_that_there_is_to_do_and_may_flow_otherwise() {
    let source = find("ldap").expect("it is in the gallery");
    for target in of(Role::Target) {
        let text = job("x", &source, &target);
        let facts = target.content.facts.as_ref().expect("a target has facts");
        for said in source.content.setup.iter().chain(&target.content.setup).chain(&facts.notes) {
            assert!(text.contains(said.as_str()), "{}: {said}", target.id);
        }
        let connection = target.connection();
        assert!(connection.contains("[target]") && !connection.contains("[users]"), "{connection}");
        let sections = format!("{connection}\n[users]\nmappings = \"latchkey\"\n");
        let text = gallery::job_of("x", &source, &target, &sections);
        let other = jobfile::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
        assert_eq!(other.target, parse(&source, &target).target);
        assert!(other.groups.is_none());
    }
}

#[test]
fn texts_are_what_they_were_in_whatever_quotes() {
    for text in ["plain", "a \"b\"", "it's \"so\"", "back\\slash", "line\nbreak", "del\u{7f}", "", "'"] {
        let (source, target) = (find("csv-files"), find("latchkey"));
        let made = job(text, &source.expect("it is there"), &target.expect("it is there"));
        match jobfile::parse(&made) {
            Ok(job) => assert_eq!(job.name, text),
            Err(problems) => assert!(text.is_empty(), "{text:?}: {problems:?}"),
        }
    }
}
