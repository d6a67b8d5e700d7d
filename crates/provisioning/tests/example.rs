//! `examples/csv-to-scim`: what newcomers begin with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use latchkey_provisioning::jobfile::{self, Directory};
use latchkey_provisioning::lint;

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/csv-to-scim").join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(example(file)).expect("the example is there")
}

#[test]
fn its_job_reads_the_files_beside_it_and_is_without_a_warning() {
    let job = jobfile::parse(&read("provision.toml")).expect("it is a job file");
    let Directory::Files { users, groups, .. } = &job.source else { panic!("it reads files") };
    assert!(example(users).exists() && example(groups.as_ref().expect("groups are read")).exists());
    assert!(job.target.url.is_none() && job.target.credential.is_none(), "both come from the command line");
    for mapping in [&job.users, &job.groups] {
        let mapping = mapping.as_ref().expect("people and groups are mapped");
        assert_eq!(lint::warnings(mapping), []);
        let (columns, attributes) = match mapping.kind {
            latchkey_provisioning::Kind::User => (read(users), mapping.source_attributes()),
            latchkey_provisioning::Kind::Group => {
                (read(groups.as_ref().expect("groups are read")), mapping.source_attributes())
            }
        };
        let columns: BTreeSet<&str> = columns.lines().next().expect("a first row").split(',').collect();
        // What every source has: whether somebody is out, and the row's id.
        let computed = ["IsSoftDeleted", "objectId"];
        let missing: Vec<&&str> =
            attributes.iter().filter(|name| !computed.contains(*name) && !columns.contains(**name)).collect();
        assert!(missing.is_empty(), "no column {missing:?}");
    }
}

#[test]
fn every_manager_and_member_is_a_person_of_it() {
    let people = read("people.csv");
    let rows: Vec<Vec<&str>> = people.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let ids: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(ids.len(), rows.len(), "an id is given twice");
    for row in &rows {
        assert!(row[8].is_empty() || ids.contains(row[8]), "{} is nobody's id", row[8]);
        assert!(row[1].ends_with(".example") && row[5].ends_with(".example"), "{} could be real", row[1]);
    }
    for row in read("groups.csv").lines().skip(1) {
        for member in row.split(',').nth(2).unwrap_or_default().split(';') {
            assert!(ids.contains(member), "{member} is nobody's id");
        }
    }
}
