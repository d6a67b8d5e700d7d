//! What is done with an object, in the words of the checklist that Entra's behaviour is tested by.

use latchkey_expr::{Program, Surroundings};
use latchkey_provisioning::decide::Target;
use latchkey_provisioning::mapping::{Apply, Flow, Source};
use latchkey_provisioning::{
    Assignment, AttributeMapping, Decision, Entry, EntryId, Kind, Link, ObjectMapping, Presence, Settings,
    SkipReason, decide, defaults, desired, facts,
};
use serde_json::{Map, Value as Json, json};

fn map(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

fn mira() -> Entry {
    Entry {
        id: EntryId("7".to_owned()),
        kind: Kind::User,
        presence: Presence::Present,
        enabled: true,
        attributes: map(json!({
            "userPrincipalName": "mira@quarry.example", "mail": "mira@quarry.example", "givenName": "Mira",
            "surname": "Moss", "objectId": "7",
        })),
        assignments: vec![Assignment { role: String::new(), display: String::new(), entitles: true }],
        manager: None,
    }
}

fn stored() -> Map<String, Json> {
    map(json!({
        "id": "t7", "userName": "mira@quarry.example", "active": true, "externalId": "7",
        "emails": [{"type": "work", "value": "mira@quarry.example", "primary": true}],
        "name": {"givenName": "Mira", "familyName": "Moss"},
    }))
}

fn linked(managed: bool) -> Link {
    Link { target_id: "t7".to_owned(), managed, fingerprint: None }
}

fn judge(
    entry: &Entry,
    mapping: &ObjectMapping,
    link: Option<&Link>,
    target: Target<'_>,
    settings: Settings,
) -> Decision {
    let facts = facts(entry, mapping, false);
    let desired = desired(entry, mapping, facts.is_soft_deleted(), &Surroundings::fixed())
        .expect("the mapping has a value");
    decide(entry, mapping, (&facts, &desired), link, target, settings)
}

/// What changes, as `path: new`.
fn changes(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Update { differences, .. } => differences
            .iter()
            .map(|d| format!("{}: {}", d.path, d.new.clone().unwrap_or(Json::Null)))
            .collect(),
        other => panic!("{other:?} is no update"),
    }
}

fn latchkey() -> ObjectMapping {
    defaults::latchkey_users()
}

#[test]
fn row_1_what_was_sent_last_is_neither_read_nor_sent_again() {
    let (entry, mapping) = (mira(), latchkey());
    let facts = facts(&entry, &mapping, false);
    let desired = desired(&entry, &mapping, false, &Surroundings::fixed()).expect("the mapping has a value");
    let link = Link { fingerprint: Some(desired.fingerprint()), ..linked(true) };
    let judge =
        |settings| decide(&entry, &mapping, (&facts, &desired), Some(&link), Target::Unknown, settings);
    assert_eq!(judge(Settings::default()), Decision::Skip(SkipReason::RedundantExport));
    assert_eq!(judge(Settings { check_drift: true, ..Settings::default() }), Decision::Read);
}

#[test]
fn row_3_somebody_disabled_who_was_never_linked_is_not_made() {
    let entry = Entry { enabled: false, ..mira() };
    let decision = judge(&entry, &latchkey(), None, Target::Unknown, Settings::default());
    assert_eq!(decision, Decision::Skip(SkipReason::NotEffectivelyEntitled));
}

#[test]
fn row_4_each_way_out_is_one_change_of_active_and_none_is_repeated() {
    let out = |managed| Link { ..linked(managed) };
    for (entry, managed) in [
        (Entry { enabled: false, ..mira() }, true),
        (Entry { presence: Presence::SoftDeleted, ..mira() }, true),
        (Entry { assignments: vec![], ..mira() }, false),
    ] {
        let mapping = latchkey();
        let decision =
            judge(&entry, &mapping, Some(&out(true)), Target::One("t7", &stored()), Settings::default());
        assert_eq!(changes(&decision), ["active: false"]);
        assert!(
            matches!(decision, Decision::Update { disables: true, managed: after, .. } if after == managed)
        );
        let mut after = stored();
        after.insert("active".to_owned(), json!(false));
        let again =
            judge(&entry, &mapping, Some(&out(managed)), Target::One("t7", &after), Settings::default());
        let reason = if managed { SkipReason::RedundantExport } else { SkipReason::NotManaged };
        assert_eq!(again, Decision::Skip(reason));
    }
}

#[test]
fn row_4_what_changes_at_the_same_time_goes_with_the_disabling() {
    let mut entry = Entry { enabled: false, ..mira() };
    entry.attributes.insert("surname".to_owned(), json!("Kefa"));
    let decision =
        judge(&entry, &latchkey(), Some(&linked(true)), Target::One("t7", &stored()), Settings::default());
    assert_eq!(changes(&decision), ["active: false", "name.familyName: \"Kefa\""]);
}

#[test]
fn row_5_who_is_deleted_for_good_is_deleted_unless_the_job_had_let_go() {
    let entry = Entry { presence: Presence::Deleted, ..mira() };
    let judge =
        |managed| judge(&entry, &latchkey(), Some(&linked(managed)), Target::Unknown, Settings::default());
    assert_eq!(judge(true), Decision::Delete { target_id: "t7".to_owned() });
    assert_eq!(judge(false), Decision::Skip(SkipReason::NotManaged));
}

#[test]
fn row_6_who_is_assigned_again_is_enabled_on_the_same_id() {
    let mut resource = stored();
    resource.insert("active".to_owned(), json!(false));
    let decision =
        judge(&mira(), &latchkey(), Some(&linked(false)), Target::One("t7", &resource), Settings::default());
    assert_eq!(changes(&decision), ["active: true"]);
    assert!(matches!(decision, Decision::Update { managed: true, disables: false, .. }));
}

#[test]
fn row_7_and_8_what_may_not_be_done_is_not_and_says_so() {
    let out = Entry { enabled: false, ..mira() };
    let with = |flow| ObjectMapping { flow, ..latchkey() };
    let here = stored();
    let link = linked(true);
    let judge =
        |entry: &Entry, flow, link, target| judge(entry, &with(flow), link, target, Settings::default());
    let no_update = Flow { update: false, ..Flow::ALL };
    assert_eq!(
        judge(&out, no_update, Some(&link), Target::One("t7", &here)),
        Decision::Skip(SkipReason::UpdateNotAllowed)
    );
    let no_delete = Flow { delete: false, ..Flow::ALL };
    let gone = Entry { presence: Presence::Deleted, ..mira() };
    assert_eq!(
        judge(&gone, no_delete, Some(&link), Target::Unknown),
        Decision::Skip(SkipReason::DeleteNotAllowed)
    );
    let no_create = Flow { create: false, ..Flow::ALL };
    assert_eq!(judge(&mira(), no_create, None, Target::None), Decision::Skip(SkipReason::CreateNotAllowed));
    let settings = Settings { skip_out_of_scope_deletions: true, ..Settings::default() };
    let unassigned = Entry { assignments: vec![], ..mira() };
    let decision = self::judge(&unassigned, &latchkey(), Some(&link), Target::One("t7", &here), settings);
    assert_eq!(decision, Decision::Skip(SkipReason::OutOfScopeDeletionSkipped));
}

#[test]
fn row_9_and_10_matching_goes_by_rank_and_several_are_none() {
    let mut entry = mira();
    entry.attributes.remove("userPrincipalName");
    entry.attributes.insert("userPrincipalName".to_owned(), json!(""));
    let mapping = latchkey();
    let facts = facts(&entry, &mapping, false);
    let wanted = desired(&entry, &mapping, false, &Surroundings::fixed()).expect("the mapping has a value");
    let ranks: Vec<_> =
        wanted.matching.iter().map(|(path, value)| (path.to_string(), value.as_str())).collect();
    assert_eq!(ranks, [("emails[type eq \"work\"].value".to_owned(), "mira@quarry.example")]);
    let decide = |target| decide(&entry, &mapping, (&facts, &wanted), None, target, Settings::default());
    assert_eq!(decide(Target::Unknown), Decision::Match);
    assert_eq!(decide(Target::Several(2)), Decision::Ambiguous { count: 2 });
    let held = stored();
    assert!(matches!(decide(Target::One("t7", &held)), Decision::Update { .. }));
    assert_eq!(decide(Target::None), Decision::Create);
}

#[test]
fn row_9_who_has_no_value_to_be_matched_by_is_skipped() {
    let mut mapping = latchkey();
    for one in &mut mapping.attributes {
        one.matching = one.matching.filter(|rank| *rank == 2);
    }
    let mut entry = mira();
    entry.attributes.remove("mail");
    let decision = judge(&entry, &mapping, None, Target::Unknown, Settings::default());
    assert_eq!(decision, Decision::Skip(SkipReason::ImportSkipped));
}

fn with(target: &str, source: Source, default: Option<&str>, apply: Apply, clears: bool) -> ObjectMapping {
    let mut mapping = latchkey();
    mapping.attributes.push(AttributeMapping {
        target: target.parse().expect("it is a path"),
        source,
        default: default.map(str::to_owned),
        matching: None,
        apply,
        clears,
    });
    mapping
}

fn direct(name: &str) -> Source {
    Source::Direct(name.to_owned())
}

#[test]
fn row_11_a_default_is_for_creation_only() {
    let mapping = with("title", direct("jobTitle"), Some("Member"), Apply::Always, false);
    let wanted = desired(&mira(), &mapping, false, &Surroundings::fixed()).expect("the mapping has a value");
    assert_eq!(wanted.resource()["title"], "Member");
    let link = linked(true);
    let decision = judge(&mira(), &mapping, Some(&link), Target::One("t7", &stored()), Settings::default());
    assert_eq!(decision, Decision::Skip(SkipReason::RedundantExport));
}

#[test]
fn row_12_and_14_what_flows_when() {
    let old = |value: &str| {
        let mut resource = stored();
        resource.insert("title".to_owned(), json!(value));
        resource
    };
    let mut entry = mira();
    entry.attributes.insert("jobTitle".to_owned(), json!("CHIEF"));
    for (apply, held, flows) in [
        (Apply::Always, "Miner", true),
        (Apply::Always, "Chief", false),
        (Apply::OnCreate, "Miner", false),
        (Apply::WhileEmpty, "Miner", false),
        (Apply::WhileEmpty, "", true),
    ] {
        let mapping = with("title", direct("jobTitle"), None, apply, true);
        let decision =
            judge(&entry, &mapping, Some(&linked(true)), Target::One("t7", &old(held)), Settings::default());
        assert_eq!(matches!(decision, Decision::Update { .. }), flows, "{apply:?} {held}");
    }
    // externalId is exact, so its case is a change.
    entry.attributes.insert("objectId".to_owned(), json!("aB"));
    let mut resource = stored();
    resource.insert("externalId".to_owned(), json!("AB"));
    let decision =
        judge(&entry, &latchkey(), Some(&linked(true)), Target::One("t7", &resource), Settings::default());
    assert_eq!(changes(&decision), ["externalId: \"aB\""]);
}

#[test]
fn row_13_what_is_gone_at_the_source_is_cleared_or_left() {
    let mut resource = stored();
    resource.insert("title".to_owned(), json!("Miner"));
    for (clears, changed) in [(true, vec!["title: null"]), (false, vec![])] {
        let mapping = with("title", direct("jobTitle"), None, Apply::Always, clears);
        let decision =
            judge(&mira(), &mapping, Some(&linked(true)), Target::One("t7", &resource), Settings::default());
        match decision {
            Decision::Skip(reason) => assert_eq!((reason, changed.len()), (SkipReason::RedundantExport, 0)),
            update => assert_eq!(changes(&update), changed),
        }
    }
}

#[test]
fn row_17_a_new_name_is_a_change_by_id() {
    let mut entry = mira();
    entry.attributes.insert("userPrincipalName".to_owned(), json!("mira.kefa@quarry.example"));
    let decision =
        judge(&entry, &latchkey(), Some(&linked(true)), Target::One("t7", &stored()), Settings::default());
    assert_eq!(changes(&decision), ["userName: \"mira.kefa@quarry.example\""]);
}

#[test]
fn row_18_a_linked_object_that_is_gone_is_matched_anew_unless_it_should_not_be_there() {
    let link = linked(true);
    let judge = |entry: &Entry| judge(entry, &latchkey(), Some(&link), Target::Gone, Settings::default());
    assert_eq!(judge(&mira()), Decision::Relink);
    let out = Entry { enabled: false, ..mira() };
    assert_eq!(judge(&out), Decision::Skip(SkipReason::NotEffectivelyEntitled));
}

#[test]
fn a_group_that_is_out_is_deleted() {
    let mut group = Entry { kind: Kind::Group, assignments: vec![], ..mira() };
    group.attributes.insert("displayName".to_owned(), json!("Leads"));
    let decision =
        judge(&group, &defaults::groups(), Some(&linked(true)), Target::Unknown, Settings::default());
    assert_eq!(decision, Decision::Delete { target_id: "t7".to_owned() });
}

#[test]
fn what_the_target_adds_of_its_own_is_no_difference() {
    let mut resource = stored();
    resource.insert(
        "emails".to_owned(),
        json!([{"type": "work", "value": "MIRA@quarry.example", "display": "M"}]),
    );
    resource.insert("active".to_owned(), json!("True"));
    let decision =
        judge(&mira(), &latchkey(), Some(&linked(true)), Target::One("t7", &resource), Settings::default());
    assert_eq!(decision, Decision::Skip(SkipReason::RedundantExport));
}

#[test]
fn an_expression_that_fails_stops_the_object_and_names_the_attribute() {
    let program = Program::compile(r#"Item(Split([mail], "@"), 9)"#).unwrap();
    let mapping = with("title", Source::Expression(Box::new(program)), None, Apply::Always, true);
    let error = desired(&mira(), &mapping, false, &Surroundings::fixed()).unwrap_err();
    assert_eq!(error.code(), "ExpressionError");
    assert!(error.to_string().starts_with("title: Item: there is no value at 9"), "{error}");
    let mut nameless = mira();
    nameless.attributes.remove("userPrincipalName");
    let error = desired(&nameless, &latchkey(), false, &Surroundings::fixed()).unwrap_err();
    assert_eq!(error.code(), "MissingValues");
    let mut several = mira();
    several.attributes.insert("surname".to_owned(), json!(["a", "b"]));
    let error = desired(&several, &latchkey(), false, &Surroundings::fixed()).unwrap_err();
    assert_eq!(error.code(), "SchemaPropertyCanOnlyAcceptValue");
}
