//! Accounts come in out of another program's file, and leave in one of ours.

use latchkey_access::Policy;
use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::SecretKind;
use latchkey_access::{Scope, TokenKind};
use latchkey_engine::exports::{self, ExportFormat};
use latchkey_engine::imports::{self, Fate, Import, Likeness, Limits, Reading, Report, Unlock};
use latchkey_engine::{Caller, Error, accounts, secrets, tokens, workspaces};
use latchkey_kernel::id::MemberId;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::world::World;

on_both! {
    a_preview_writes_nothing_and_an_import_makes_what_it_showed,
    an_import_that_runs_again_makes_nothing_twice,
    what_cannot_be_taken_over_is_told_and_the_rest_is_made,
    an_import_is_for_who_may_write_accounts_and_the_owner_must_be_in,
    v5_an_export_is_the_owner_s_alone_where_the_policy_says_so_and_on_record_first,
    what_was_exported_is_imported_elsewhere_as_it_was,
}

const FILE: &str = "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n\
    Ops/Web,,login,Shop,a note,PIN: 0000,,\"https://shop.example/in,https://b.example\",kim,first,JBSWY3DPEHPK3PXP\n\
    Ops,,login,Mail,,,,https://mail.example,kim,second,\n\
    ,,note,Wifi,the note,,,,,,\n";

async fn reading(text: &str) -> Reading {
    let bytes = Zeroizing::new(text.as_bytes().to_vec());
    imports::read(bytes, None, Unlock::default(), Limits::serving()).await.unwrap()
}

async fn run(world: &World, by: &Caller, owner: MemberId, text: &str) -> Result<Report, Error> {
    let reading = reading(text).await;
    imports::apply(&world.engine, by, Import { reading: &reading, owner, client: Client::Cli }).await
}

fn outcomes(report: &Report) -> Vec<(&str, &'static str)> {
    report.lines.iter().map(|line| (line.name.as_str(), line.fate.as_str())).collect()
}

async fn count(world: &World) -> usize {
    accounts::list(&world.engine, &world.operator(), None, 1_000).await.unwrap().len()
}

async fn let_owners_export(world: &World) {
    let policy = Policy { owners_export: true, ..Policy::default() };
    workspaces::set_policy(&world.engine, &world.operator(), policy).await.unwrap();
}

async fn a_preview_writes_nothing_and_an_import_makes_what_it_showed(world: World) {
    let owner = world.user("ana").await.member.id;
    let reading = reading(FILE).await;
    let import = Import { reading: &reading, owner, client: Client::Cli };
    let preview = imports::preview(&world.engine, &world.operator(), import).await.unwrap();
    assert_eq!(outcomes(&preview), [("Shop", "new"), ("Mail", "new"), ("Wifi", "new")]);
    assert_eq!(preview.collections, ["Ops", "Ops/Web"]);
    let kinds =
        [SecretKind::Password, SecretKind::Totp, SecretKind::Note, SecretKind::Note, SecretKind::Note];
    assert_eq!(preview.lines[0].secrets, kinds);
    assert_eq!(count(&world).await, 0);

    let done = imports::apply(&world.engine, &world.operator(), import).await.unwrap();
    assert_eq!(outcomes(&done), [("Shop", "made"), ("Mail", "made"), ("Wifi", "made")]);
    let Fate::Made(shop) = done.lines[0].fate else { panic!("made") };
    let account = accounts::get(&world.engine, &world.operator(), shop).await.unwrap();
    assert_eq!((account.app.as_str(), account.username.as_deref()), ("shop.example", Some("kim")));
    assert_eq!((account.owner_id, account.url.as_deref()), (Some(owner), Some("https://shop.example/in")));
    let stored = secrets::list(&world.engine, &world.operator(), shop).await.unwrap();
    let mut labels: Vec<_> = stored.iter().map(|view| view.secret.label.as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["Notes", "One-time code", "Other addresses", "PIN", "Password"]);
    // The owner is known to know it, and the operator is on record.
    let knowledge = secrets::who_knows_now(&world.engine, &world.operator(), shop).await.unwrap();
    assert!(knowledge.known.iter().any(|knower| knower.member.standing.member_id == owner), "{knowledge:?}");
    let ledger = secrets::ledger(&world.engine, &world.operator(), shop, None, 100).await.unwrap();
    assert_eq!(ledger.len(), 2 * stored.len());
    assert!(ledger.iter().all(|event| event.kind == ExposureKind::Import));
    assert_eq!(world.audited("secret.imported").await, 7);
}

async fn an_import_that_runs_again_makes_nothing_twice(world: World) {
    let owner = world.user("ana").await.member.id;
    // Made before, by a run that ended there.
    let first: String = FILE.lines().take(2).map(|line| format!("{line}\n")).collect();
    run(&world, &world.operator(), owner, &first).await.unwrap();
    let report = run(&world, &world.operator(), owner, FILE).await.unwrap();
    assert_eq!(outcomes(&report), [("Shop", "there"), ("Mail", "made"), ("Wifi", "made")]);
    assert!(matches!(report.lines[0].fate, Fate::There { likeness: Likeness::Login, .. }));
    let report = run(&world, &world.operator(), owner, FILE).await.unwrap();
    assert_eq!(outcomes(&report), [("Shop", "there"), ("Mail", "there"), ("Wifi", "there")]);
    assert!(matches!(report.lines[2].fate, Fate::There { likeness: Likeness::Name, .. }));
    assert_eq!(report.collections, [] as [String; 0]);
    assert_eq!(count(&world).await, 3);
}

async fn what_cannot_be_taken_over_is_told_and_the_rest_is_made(world: World) {
    let owner = world.user("ana").await.member.id;
    let long = "n".repeat(300);
    let text = format!(
        "Title,Url,Username,Password,OTPAuth\nA,https://a.example,kim,pw-a,not a seed!\n\
         {long},https://b.example,kim,pw-b,\nC,https://a.example,kim,pw-c,\ntoo,few\n"
    );
    let report = run(&world, &world.operator(), owner, &text).await.unwrap();
    let fates: Vec<_> = report.lines.iter().map(|line| line.fate.as_str()).collect();
    assert_eq!(fates, ["made", "refused", "made"]);
    assert_eq!(report.lines[0].secrets, [SecretKind::Password]);
    assert_eq!(report.lines[2].like.as_ref().map(|place| place.number), Some(2));
    let told: Vec<_> = report.errors.iter().map(|error| (error.place.number, error.field.as_str())).collect();
    assert_eq!(told, [(5, "the row"), (2, "One-time code"), (3, "the item")]);
    assert!(!format!("{report:?}").contains("not a seed"), "no value is repeated");
    assert_eq!(count(&world).await, 2);
}

async fn an_import_is_for_who_may_write_accounts_and_the_owner_must_be_in(world: World) {
    let (user, owner) = (world.user("ulf").await.member.id, world.user("ana").await.member.id);
    let program = world.program(user).await;
    assert!(matches!(run(&world, &program, user, FILE).await, Err(Error::Refused(_))));
    world.set_active(owner, false).await;
    let report = run(&world, &world.operator(), owner, FILE).await.unwrap();
    assert_eq!(outcomes(&report), [("Shop", "refused"), ("Mail", "refused"), ("Wifi", "refused")]);
    assert_eq!(count(&world).await, 0);
    let scopes = [Scope::AccountsWrite, Scope::SecretsWrite];
    let operator = world.operator();
    let issued = tokens::create_api(&world.engine, &operator, world.owner, "x", &scopes, None).await.unwrap();
    let login = tokens::authenticate(&world.engine, TokenKind::Api, issued.text.expose_secret()).await;
    let boss = Caller::of_login(&login.unwrap().unwrap(), world.engine.fresh_request_id()).unwrap();
    let done = run(&world, &boss, user, FILE).await.unwrap();
    let Fate::Made(shop) = done.lines[0].fate else { panic!("made") };
    let knowledge = secrets::who_knows_now(&world.engine, &world.operator(), shop).await.unwrap();
    let mut knowing: Vec<_> = knowledge.known.iter().map(|knower| knower.member.standing.member_id).collect();
    let mut expected = vec![user, world.owner];
    knowing.sort();
    expected.sort();
    assert_eq!(knowing, expected, "who had the file, and whose it is");
}

async fn v5_an_export_is_the_owner_s_alone_where_the_policy_says_so_and_on_record_first(world: World) {
    let (ana, other) = (world.user("ana").await.member.id, world.user("bo").await.member.id);
    let done = run(&world, &world.operator(), ana, FILE).await.unwrap();
    let Fate::Made(shop) = done.lines[0].fate else { panic!("made") };
    let program = world.program(ana).await;
    let export = async |by: &Caller, owner| {
        exports::export(&world.engine, by, owner, ExportFormat::Json, Client::Api).await
    };
    let refused = export(&program, ana).await.err().unwrap();
    assert!(matches!(refused, Error::Refused(Refusal::ExportNotAllowed)), "{refused}");
    assert!(export(&world.operator(), ana).await.is_err(), "not at the host's shell either");
    let_owners_export(&world).await;
    assert!(matches!(export(&program, other).await, Err(Error::NotFound { .. })), "another's");
    assert_eq!(export(&world.program(other).await, other).await.unwrap().accounts, 0);
    assert_eq!(world.audited("secret.exported").await, 0);

    let exported = export(&world.operator(), ana).await.unwrap();
    assert_eq!((exported.accounts, exported.secrets), (3, 7));
    let text = std::str::from_utf8(&exported.content).unwrap();
    assert!(text.contains("first") && text.contains("second"));
    let ledger = secrets::ledger(&world.engine, &world.operator(), shop, None, 100).await.unwrap();
    let exports = ledger.iter().filter(|event| event.kind == ExposureKind::Export);
    assert_eq!(exports.filter(|event| event.member_id == Some(ana)).count(), 5);
    assert_eq!(world.audited("secret.exported").await, 7);
    world.set_active(ana, false).await;
    assert_eq!(export(&world.operator(), ana).await.map(|gone| gone.accounts).unwrap_or(0), 0, "A1");
}

async fn what_was_exported_is_imported_elsewhere_as_it_was(world: World) {
    let ana = world.user("ana").await.member.id;
    run(&world, &world.operator(), ana, FILE).await.unwrap();
    let_owners_export(&world).await;
    let other = World::on_sqlite().await;
    let owner = other.user("kim").await.member.id;
    for format in [ExportFormat::Json, ExportFormat::Csv] {
        let exported =
            exports::export(&world.engine, &world.operator(), ana, format, Client::Cli).await.unwrap();
        let text = std::str::from_utf8(&exported.content).unwrap();
        let report = run(&other, &other.operator(), owner, text).await.unwrap();
        assert_eq!(report.errors, []);
        assert_eq!(report.lines.len(), 3);
        let names: Vec<_> = report.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["Wifi", "Mail", "Shop"]);
        assert_eq!(report.lines[2].collection, "Ops/Web");
        let expected = if format == ExportFormat::Json { ("made", 5) } else { ("there", 0) };
        assert_eq!((report.lines[2].fate.as_str(), report.lines[2].secrets.len()), expected);
    }
    let_owners_export(&other).await;
    let first = exports::export(&world.engine, &world.operator(), ana, ExportFormat::Json, Client::Cli)
        .await
        .unwrap();
    let again = exports::export(&other.engine, &other.operator(), owner, ExportFormat::Json, Client::Cli)
        .await
        .unwrap();
    assert_eq!(std::str::from_utf8(&first.content), std::str::from_utf8(&again.content));
}
