//! Every template makes a job that works as it stands.

use latchkey_provisioning::gallery::{Role, Template, find, job, templates};
use latchkey_provisioning::jobfile::{self, JobFile};
use latchkey_provisioning::{Kind, ObjectMapping, Source, lint};

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
            for mapping in job.users.iter().chain(&job.groups) {
                assert_eq!(lint::warnings(mapping), [], "{} to {}", source.id, target.id);
            }
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
