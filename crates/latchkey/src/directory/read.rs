//! People and groups from a file. Every mistake is told with its row and column.

use std::path::Path;

use anyhow::{Context, bail};
use latchkey_engine::people::{Draft, GroupDraft, ObjectPatch, Roster};
use serde_json::{Map, Value};

/// Columns with a meaning of their own; all others are attributes.
const NAMES: &[&str] = &["userPrincipalName", "userName", "login"];
const GROUP_NAMES: &[&str] = &["displayName", "name"];
const IDS: &[&str] = &["externalId", "id"];
const ENABLED: &[&str] = &["accountEnabled", "enabled", "active"];
/// By which names files call what mappings call otherwise.
const ALIASES: &[(&str, &str)] = &[
    ("email", "mail"),
    ("firstName", "givenName"),
    ("lastName", "surname"),
    ("familyName", "surname"),
    ("name", "displayName"),
    ("title", "jobTitle"),
    ("employeeNumber", "employeeId"),
    ("phone", "telephoneNumber"),
];

/// One object of a file, and where it stands.
struct Row {
    place: String,
    cells: Map<String, Value>,
}

pub(super) fn roster(path: &Path, people: bool) -> anyhow::Result<Roster> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rows = if is_json { of_json(&name, &text)? } else { of_csv(&name, &text)? };
    let (mut roster, mut wrong) = (Roster::default(), Vec::new());
    for row in rows {
        if people {
            row.person(&mut wrong).into_iter().for_each(|draft| roster.people.push(draft));
        } else {
            row.group(&mut wrong).into_iter().for_each(|draft| roster.groups.push(draft));
        }
    }
    if !wrong.is_empty() {
        let more = wrong.len().saturating_sub(20);
        wrong.truncate(20);
        let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
        bail!("nothing was brought in:\n{}{rest}", wrong.join("\n"));
    }
    Ok(roster)
}

fn of_json(name: &str, text: &str) -> anyhow::Result<Vec<Row>> {
    let all: Vec<Map<String, Value>> =
        serde_json::from_str(text).with_context(|| format!("{name} is no list of objects"))?;
    let row = |(at, cells)| Row { place: format!("{name}, object {}", at + 1), cells };
    Ok(all.into_iter().enumerate().map(row).collect())
}

fn of_csv(name: &str, text: &str) -> anyhow::Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let head: Vec<String> = reader
        .headers()
        .with_context(|| format!("{name} has no row of names"))?
        .iter()
        .map(str::to_owned)
        .collect();
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        // The first row has the names.
        let place = format!("{name}, row {}", at + 2);
        let record = record.map_err(|error| anyhow::anyhow!("{place}: {error}"))?;
        let cells = head.iter().zip(&record).map(|(name, cell)| (name.clone(), Value::from(cell))).collect();
        rows.push(Row { place, cells });
    }
    Ok(rows)
}

impl Row {
    fn say(&self, wrong: &mut Vec<String>, column: &str, message: &str) {
        wrong.push(format!("{}, column {column}: {message}", self.place));
    }

    /// The text of the first of these columns that there is.
    fn text(&self, columns: &[&'static str], wrong: &mut Vec<String>) -> Option<String> {
        let column = columns.iter().find(|column| self.cells.contains_key(**column))?;
        match &self.cells[*column] {
            Value::Null => Some(String::new()),
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            other => {
                self.say(wrong, column, &format!("found {other}, but a text is needed"));
                None
            }
        }
    }

    fn flag(&self, columns: &[&'static str], wrong: &mut Vec<String>) -> Option<bool> {
        let column = columns.iter().find(|column| self.cells.contains_key(**column))?;
        match &self.cells[*column] {
            Value::Bool(flag) => Some(*flag),
            Value::Null => None,
            Value::String(word) if word.is_empty() => None,
            Value::String(word) if ["true", "yes", "1"].contains(&word.to_lowercase().as_str()) => Some(true),
            Value::String(word) if ["false", "no", "0"].contains(&word.to_lowercase().as_str()) => {
                Some(false)
            }
            other => {
                self.say(wrong, column, &format!("found {other}, but true or false is needed"));
                None
            }
        }
    }

    /// A list: of JSON, or with semicolons between.
    fn list(&self, column: &'static str, wrong: &mut Vec<String>) -> Option<Vec<String>> {
        match self.cells.get(column)? {
            Value::Null => Some(Vec::new()),
            Value::String(text) => Some(
                text.split(';').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect(),
            ),
            Value::Array(all) => {
                let texts: Option<Vec<String>> =
                    all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
                if texts.is_none() {
                    self.say(wrong, column, "a list of texts is needed");
                }
                texts
            }
            other => {
                self.say(wrong, column, &format!("found {other}, but a list is needed"));
                None
            }
        }
    }

    fn attributes(&self, own: &[&[&str]]) -> Map<String, Value> {
        let others =
            self.cells.iter().filter(|(name, _)| !own.iter().any(|list| list.contains(&name.as_str())));
        others
            .map(|(name, value)| {
                let ours =
                    ALIASES.iter().find(|(alias, _)| alias == name).map_or(name.as_str(), |(_, ours)| ours);
                match (ours.strip_suffix("[]"), value.as_str()) {
                    (Some(list), Some(text)) => {
                        let parts = text.split(';').map(str::trim).filter(|one| !one.is_empty());
                        let parts: Vec<Value> = parts.map(Value::from).collect();
                        let value = if parts.is_empty() { Value::Null } else { Value::Array(parts) };
                        (list.to_owned(), value)
                    }
                    _ => (ours.to_owned(), value.clone()),
                }
            })
            .collect()
    }

    fn person(&self, wrong: &mut Vec<String>) -> Option<Draft> {
        let before = wrong.len();
        let name = self.text(NAMES, wrong).filter(|name| !name.is_empty());
        let external_id = self.text(IDS, wrong);
        if name.is_none() {
            self.say(wrong, NAMES[0], "found nothing, but each person needs a login name");
        }
        let assigned = self.list("assigned", wrong).unwrap_or_default();
        let part = |text: &String| match text.split_once(':') {
            Some((application, role)) => (application.to_owned(), role.to_owned()),
            None => (text.clone(), String::new()),
        };
        let draft = Draft {
            manager: self.text(&["manager"], wrong),
            groups: self.list("groups", wrong).unwrap_or_default(),
            assignments: assigned.iter().map(part).collect(),
            patch: ObjectPatch {
                name,
                external_id: external_id.map(Some),
                enabled: self.flag(ENABLED, wrong),
                attributes: self.attributes(&[NAMES, IDS, ENABLED, &["manager", "groups", "assigned"]]),
                manager: None,
            },
        };
        (wrong.len() == before).then_some(draft)
    }

    fn group(&self, wrong: &mut Vec<String>) -> Option<GroupDraft> {
        let before = wrong.len();
        let name = self.text(GROUP_NAMES, wrong).filter(|name| !name.is_empty());
        if name.is_none() {
            self.say(wrong, GROUP_NAMES[0], "found nothing, but each group needs a name");
        }
        let draft = GroupDraft {
            members: self.list("members", wrong),
            patch: ObjectPatch {
                name,
                external_id: self.text(IDS, wrong).map(Some),
                attributes: self.attributes(&[GROUP_NAMES, IDS, &["members"]]),
                ..ObjectPatch::default()
            },
        };
        (wrong.len() == before).then_some(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str, people: bool) -> anyhow::Result<Roster> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        roster(&path, people)
    }

    #[test]
    fn mistakes_name_row_and_column() {
        let text = "userName,enabled\nada@quarry.example,maybe\n,true\nboris@quarry.example,no\n";
        let error = read("people.csv", text, true).expect_err("two rows are wrong").to_string();
        assert!(error.contains("people.csv, row 2, column enabled: found \"maybe\""), "{error}");
        assert!(error.contains("people.csv, row 3, column userPrincipalName"), "{error}");
        assert!(!error.contains("row 4"), "{error}");
        let error =
            read("people.json", r#"[{"login": "a"}, {"login": ["b"]}]"#, true).expect_err("one is wrong");
        assert!(error.to_string().contains("people.json, object 2, column login"), "{error}");
    }

    #[test]
    fn a_row_is_a_person_with_all_that_it_says() {
        let text = "id,userName,email,otherMails[],manager,groups,assigned,accountEnabled\n\
                    7,ada@quarry.example,ada@quarry.example,a@a.example;b@b.example,9,Leads;All,Quarry:Reader,false\n";
        let roster = read("people.csv", text, true).expect("it reads");
        let ada = &roster.people[0];
        assert_eq!(ada.patch.external_id, Some(Some("7".to_owned())));
        assert_eq!((ada.patch.enabled, ada.manager.as_deref()), (Some(false), Some("9")));
        assert_eq!(ada.patch.attributes["mail"], "ada@quarry.example");
        assert_eq!(ada.patch.attributes["otherMails"], serde_json::json!(["a@a.example", "b@b.example"]));
        assert_eq!(ada.groups, ["Leads", "All"]);
        assert_eq!(ada.assignments, [("Quarry".to_owned(), "Reader".to_owned())]);
        let groups = read("groups.json", r#"[{"name": "Leads", "members": ["7"]}, {"name": "All"}]"#, false);
        let groups = groups.expect("it reads").groups;
        assert_eq!(groups[0].members.as_deref(), Some(&["7".to_owned()][..]));
        assert_eq!(groups[1].members, None, "nothing is said of them");
    }
}
