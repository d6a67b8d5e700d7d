//! People files: what they may look like, and what is said of those that don't.

use super::super::column::Column;
use super::*;

/// The problems of a file, a line each, without the first line that names it.
#[track_caller]
fn problems(file: &str) -> Vec<String> {
    let bad = Company::parse("people", file.as_bytes()).expect_err("the file should be refused");
    bad.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[track_caller]
fn check(file: &str, expected: &[&str]) {
    assert_eq!(problems(file), expected, "{file}");
}

#[test]
fn the_sample_is_a_company_of_about_five_hundred_people_in_a_dozen_groups() {
    let company = Company::sample().unwrap();
    assert_eq!(company.people.len(), 504);
    assert_eq!(company.groups.len(), 12);
    assert!(company.ignored.is_empty());
    assert_eq!(company.people.iter().filter(|p| !p.active).count(), 3);
    let without_manager: Vec<&str> =
        company.people.iter().filter(|p| p.manager.is_none()).map(|p| p.display_name.as_str()).collect();
    assert_eq!(without_manager, ["Harriet Langford"]);
    assert!(company.people.iter().all(|p| p.user_name.ends_with(".example")));
}

#[test]
fn csv_and_json_of_the_same_people_are_the_same_company() {
    let csv = "\u{feff}User Name,givenName,SURNAME,mail,accountEnabled,manager,employeeId,groups,shoe size\n\
        ida@corp.example,Ida,Holm,ida@corp.example,TRUE,bo@corp.example,7,Sales; Ops ;;Sales,38\n\
        \n\
        bo@corp.example,,,,no,,,,\n";
    let json = r#"{"people": [
        {"user_name": "ida@corp.example", "given_name": "Ida", "family_name": "Holm",
         "email": "ida@corp.example", "active": true, "manager": "BO@corp.example", "employee_number": 7,
         "groups": ["Sales", "Ops", "Sales"], "shoe size": 38},
        {"user_name": "bo@corp.example", "active": false, "groups": null}]}"#;
    let from_csv = Company::parse("a.csv", csv.as_bytes()).unwrap();
    assert_eq!(from_csv, Company::parse("a.json", json.as_bytes()).unwrap());
    assert_eq!(from_csv.ignored, ["shoe size"]);
    let [ida, bo] = from_csv.people.as_slice() else { panic!("two people") };
    assert_eq!((ida.display_name.as_str(), ida.manager, ida.active), ("Ida Holm", Some(1), true));
    assert_eq!((bo.display_name.as_str(), bo.manager, bo.active), ("bo@corp.example", None, false));
    let groups: Vec<(&str, &[usize])> =
        from_csv.groups.iter().map(|g| (g.display_name.as_str(), g.members.as_slice())).collect();
    assert_eq!(groups, [("Sales", &[0][..]), ("Ops", &[0][..])]);
}

#[test]
fn every_problem_of_a_file_is_told_with_its_row_and_column() {
    check(
        "userPrincipalName,mail,active,manager,groups\n\
         ,ida@corp.example,true,,\n\
         bo@corp.example,bo at corp,perhaps,nobody@corp.example,Sales\n\
         \n\
         BO@corp.example,,,bo@corp.example,sales\n\
         cy@corp.example,,\n\
         di@corp.example,,,DI@corp.example,\n",
        &[
            "row 2, column `userPrincipalName`: is empty; expected the name that they sign in with, \
             as ida.holm@corp.example",
            "row 3, column `mail`: \"bo at corp\" is none; expected a mail address, as ida.holm@corp.example",
            "row 3, column `active`: \"perhaps\" is neither; expected true or false",
            "row 3, column `manager`: \"nobody@corp.example\" is nobody here; expected the `user_name` of \
             somebody in this file",
            "row 5, column `userPrincipalName`: \"BO@corp.example\" stands in row 3 too; expected each name \
             once, case aside",
            "row 5, column `manager`: is the person themself; expected somebody else",
            "row 5, column `groups`: \"sales\" is \"Sales\" in row 3; expected one spelling",
            "row 6: has 3 cells; expected 5 as in the header; a cell that holds a comma stands in double quotes",
            "row 7, column `manager`: is the person themself; expected somebody else",
        ],
    );
    check(
        r#"[{"user_name": "ida@corp.example", "active": 1, "groups": ["Sales", 4], "external_id": "x"},
            {"user_name": 9, "given_name": {}, "external_id": "x"},
            "bo@corp.example",
            {"user_name": "cy@corp.example", "mail": "cy@corp.example", "email": "cy@corp.example"}]"#,
        &[
            "entry 1, field `active`: is a number; expected true or false",
            "entry 1, field `groups`: holds a number; expected names of groups",
            "entry 2, field `user_name`: is a number; expected text",
            "entry 2, field `given_name`: is an object; expected text",
            "entry 2, field `external_id`: \"x\" stands in entry 1 too; expected each id once",
            "entry 3: is a text; expected an object, as {\"user_name\": \"ida.holm@corp.example\"}",
            "entry 4, field `mail`: means the same as `email`; expected each field once",
        ],
    );
}

#[test]
fn a_file_of_the_wrong_form_says_what_form_is_meant() {
    check("", &["the file: is empty; expected a header row and a person in each row below"]);
    check("user_name\n", &["the file: names nobody; expected at least one person"]);
    check("name,mail\nIda,\n", &["row 1: has no column `user_name`; expected a header row that names it"]);
    check(
        "user_name,upn\nida,ida\n",
        &["row 1, column `upn`: means the same as `user_name`; expected each column once"],
    );
    check(
        "user_name;mail\nida;ida@corp.example\n",
        &["row 1: columns are divided by semicolons; expected commas; semicolons divide the groups within \
           their column"],
    );
    check("[]", &["the file: names nobody; expected at least one person"]);
    check(
        "[{]",
        &["the file: is no JSON (key must be a string at line 1 column 3); expected a list of people"],
    );
    check("{}", &["the file: has no list `people`; expected `{\"people\": [ … ]}` or a list of people"]);
    let latin1 = Company::parse("p.csv", b"user_name,given_name\nida,J\xfcrgen\n").unwrap_err();
    assert_eq!(
        latin1.to_string(),
        "p.csv has one problem; nothing was sent\n  row 2, column `given_name`: is not UTF-8; expected text"
    );
    let utf16 = Company::parse("p.csv", b"\xff\xfeu\0").unwrap_err();
    assert_eq!(utf16.to_string().lines().last(), Some("  the file: is UTF-16; expected UTF-8"));
}

#[test]
fn ids_that_a_file_leaves_out_are_the_same_each_time() {
    let one = Company::parse("a", b"user_name\nida\n").unwrap();
    let two = Company::parse("b", b"user_name,city\nIDA,Oslo\n").unwrap();
    assert_eq!(one.people[0].external_id, two.people[0].external_id);
}

/// The page that documents people files.
const PAGE: &str = include_str!("../../../../../docs/how-to/demo-with-your-people.md");

/// The first block of code of this language on the page.
fn block(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).expect("the page has such a block");
    rest.split_once("```").expect("a block ends").0
}

#[test]
fn the_examples_on_the_page_are_files_that_the_demo_takes() {
    for language in ["csv", "json"] {
        let company = Company::parse(language, block(language).as_bytes()).unwrap();
        assert!(company.ignored.is_empty(), "{language}");
        assert_eq!((company.people.len(), company.groups.len()), (2, 2), "{language}");
        assert_eq!(company.people[0].manager, Some(1), "{language}");
    }
}

#[test]
fn the_page_lists_every_column_under_every_name() {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let mut documented: Vec<Column> = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let names = |cell: &str| -> Vec<Column> {
            let quoted = cell.split('`').skip(1).step_by(2);
            quoted.map(|name| Column::named(name).unwrap_or_else(|| panic!("{name} is a column"))).collect()
        };
        let columns = names(cells[0]);
        assert!(names(cells[2]).iter().all(|column| columns.contains(column)), "{row}");
        documented.extend(columns);
    }
    assert_eq!(documented, Column::all().collect::<Vec<_>>());
}
