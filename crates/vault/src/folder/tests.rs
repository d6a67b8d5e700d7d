use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use latchkey_kernel::SeededEntropy;

use super::*;

/// A data folder, and answers to what sources need.
struct World {
    data: tempfile::TempDir,
    entropy: SeededEntropy,
}

const KEY_A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEY_B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

impl World {
    fn new(seed: u64) -> Self {
        Self { data: tempfile::tempdir().unwrap(), entropy: SeededEntropy::new(seed) }
    }

    fn folder(&self) -> KeyFolder {
        KeyFolder::new(self.data.path())
    }

    fn given(&self) -> impl Fn(Need<'_>) -> Option<SecretString> + Send + Sync + use<> {
        let credentials = self.data.path().display().to_string();
        move |need| {
            let text = match need {
                Need::Variable("A") => KEY_A,
                Need::Variable("B") => KEY_B,
                Need::Variable("BAD") => "canary",
                Need::Variable(CREDENTIALS) => &credentials,
                Need::Passphrase => "four random words",
                _ => return None,
            };
            Some(SecretString::from(text))
        }
    }

    async fn open(&self, source: &str) -> Result<Opened, KeyError> {
        self.folder().open(&source.parse().unwrap(), &self.given(), &self.entropy).await
    }

    async fn error(&self, source: &str) -> String {
        let error = self.open(source).await.unwrap_err();
        format!("{error} {error:?}")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join("keys").join(name)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.data.path().join("keys")).unwrap();
        let mut names =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
        names.sort();
        names
    }
}

fn mark(opened: &Opened) -> [u8; 32] {
    opened.ring.keyed_hash("x", b"x")
}

#[tokio::test]
async fn each_source_makes_the_keys_at_first_start_and_finds_them_at_the_next() {
    for source in ["file", "env:A", "credential:kek", "passphrase", "file:"] {
        let world = World::new(1);
        fs::write(world.data.path().join("kek"), [7; 32]).unwrap();
        let source =
            source.replace("file:", &format!("file:{}", world.data.path().join("apart/kek.key").display()));
        let first = world.open(&source).await.unwrap();
        let second = world.open(&source).await.unwrap();
        assert_eq!(mark(&first), mark(&second), "{source}");
        assert_eq!(first.keys.kek_id(), second.keys.kek_id(), "{source}");
        let kit = first.kit.expect("made at first start");
        assert!(second.kit.is_none(), "shown once");
        assert_eq!(kit.public().id(), second.keys.recovery_id());
        second.keys.check(&world.entropy).await.unwrap();
        let in_clear = source == "file";
        assert_eq!(second.warning.is_some(), in_clear, "{source}");
        let root = if in_clear { "root.key" } else { "root.sealed" };
        assert_eq!(world.names(), ["recovery.json", root], "{source}: no key in clear, no draft");
        for name in world.names() {
            assert_eq!(fs::metadata(world.path(&name)).unwrap().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn no_source_but_the_file_leaves_the_root_on_the_disk() {
    let world = World::new(2);
    let opened = world.open("env:A").await.unwrap();
    let digits = data_encoding::HEXLOWER.encode(opened.ring.root());
    let base64 = data_encoding::BASE64.encode(opened.ring.root());
    for name in world.names() {
        let text = fs::read_to_string(world.path(&name)).unwrap();
        assert!(!text.contains(&digits) && !text.contains(&base64[..40]), "{name}");
    }
}

#[tokio::test]
async fn a_source_without_a_key_or_with_another_says_what_to_do() {
    let world = World::new(3);
    world.open("env:A").await.unwrap();
    for (source, says) in [
        ("env:B", "is wrapped by env-"),
        ("env:ABSENT", "the environment variable ABSENT"),
        ("env:BAD", "openssl rand -hex 32"),
        ("credential:kek", "the credential kek"),
        ("passphrase", "start with that source"),
        ("file", "start with that source"),
        ("transit:https://vault.example.com#k", "a token for the transit service"),
    ] {
        let error = world.error(source).await;
        assert!(error.contains(says), "{source}: {error}");
        assert!(!error.contains("canary") && !error.contains("bbbb"), "{source}: {error}");
    }
    let apart = world.data.path().join("apart.key");
    assert!(world.error(&format!("file:{}", apart.display())).await.contains("cannot read the key file"));
    assert!(!apart.exists(), "no key is made for a folder that another one wraps");
    assert_eq!(world.names(), ["recovery.json", "root.sealed"], "no root is made beside the wrapped one");
}

#[tokio::test]
async fn a_wrong_passphrase_is_told_and_a_folder_in_clear_is_not_moved_silently() {
    let world = World::new(4);
    world.open("passphrase").await.unwrap();
    let other = |_: Need<'_>| Some(SecretString::from("four other words"));
    let error = world.folder().open(&KeySource::Passphrase, &other, &world.entropy).await.unwrap_err();
    assert!(matches!(error, KeyError::WrongPassphrase), "{error}");

    let clear = World::new(5);
    clear.open("file").await.unwrap();
    assert!(clear.error("env:A").await.contains("latchkey vault rotate-keys"));
}

/// Through every pair of steps the installation opens by the old source or by the new one.
#[tokio::test]
async fn the_source_is_changed_in_steps_that_each_leave_a_way_in() {
    let world = World::new(6);
    let first = world.open("file").await.unwrap();
    let root = mark(&first);
    for (from, to) in [("file", "env:A"), ("env:A", "env:B"), ("env:B", "passphrase"), ("passphrase", "file")]
    {
        let opened = world.open(from).await.unwrap();
        let source: KeySource = to.parse().unwrap();
        let folder = world.folder();
        let keys = folder.add_source(&opened.ring, &source, &world.given(), &world.entropy).await.unwrap();
        for both in [from, to] {
            assert_eq!(mark(&world.open(both).await.unwrap()), root, "{both} while going to {to}");
        }
        folder.keep_only(&opened.ring, &keys, &world.entropy).await.unwrap();
        let opened = world.open(to).await.unwrap();
        assert_eq!((mark(&opened), opened.keys.kek_id()), (root, keys.kek_id()));
        assert!(world.open(from).await.is_err(), "{from} after going to {to}");
        assert_eq!(opened.keys.recovery_id(), first.keys.recovery_id());
    }
}

#[tokio::test]
async fn what_is_kept_must_open_the_root_before_anything_is_removed() {
    let (world, other) = (World::new(7), World::new(8));
    let opened = world.open("file").await.unwrap();
    let stranger = other.open("env:A").await.unwrap();
    assert!(world.folder().keep_only(&opened.ring, &stranger.keys, &world.entropy).await.is_err());
    assert_eq!(world.names(), ["recovery.json", "root.key"]);
}

#[tokio::test]
async fn the_recovery_kit_gives_everything_back_when_the_source_is_lost() {
    let world = World::new(9);
    let before = world.open("env:A").await.unwrap();
    let kit = before.kit.as_ref().unwrap().to_text();
    let workspace = latchkey_kernel::id::WorkspaceId::from_uuid(Default::default());
    let (key, wrapped) = before.keys.new_workspace_key(workspace, 1, &world.entropy).await.unwrap();

    let kit = RecoveryKit::parse(kit.expose_secret()).unwrap();
    let source: KeySource = "env:B".parse().unwrap();
    let after = world.folder().recover(&kit, &source, &world.given(), &world.entropy).await.unwrap();
    assert_eq!(mark(&after), mark(&before));
    assert!(world.open("env:A").await.is_err());
    assert!(matches!(after.keys.unwrap(workspace, &wrapped).await, Err(KeyError::OtherKek { .. })));
    let recovered = Keys::recover(&kit, workspace, &wrapped).unwrap();
    assert_eq!(recovered.bytes(), key.bytes());
    let wrapped = after.keys.wrap(workspace, &recovered, &world.entropy).await.unwrap();
    assert_eq!(after.keys.unwrap(workspace, &wrapped).await.unwrap().bytes(), key.bytes());

    let other = RecoveryKit::fresh(&world.entropy);
    let error = world.folder().recover(&other, &source, &world.given(), &world.entropy).await.unwrap_err();
    assert!(matches!(error, KeyError::OtherKit { .. }), "{error}");
}

#[tokio::test]
async fn an_altered_file_is_told_and_nothing_is_sealed_for_a_stranger() {
    let world = World::new(10);
    world.open("env:A").await.unwrap();
    let (recovery, sealed) = (world.path("recovery.json"), world.path("root.sealed"));
    let text = fs::read_to_string(&recovery).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let stranger = RecoveryKit::fresh(&world.entropy).public();
    file["public"] = data_encoding::BASE64.encode(stranger.as_bytes()).into();
    fs::write(&recovery, file.to_string()).unwrap();
    assert!(world.error("env:A").await.contains("recovery.json was altered"));
    fs::write(&recovery, text).unwrap();
    world.open("env:A").await.unwrap();

    let text = fs::read_to_string(&sealed).unwrap();
    for bad in ["", "{}", r#"{"format":2,"wraps":[]}"#, &text.replace("\"format\": 1", "\"format\": 2")] {
        fs::write(&sealed, bad).unwrap();
        assert!(world.error("env:A").await.contains("root.sealed was altered"), "{bad}");
    }
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused() {
    let world = World::new(11);
    let path = world.data.path().join("kek.key");
    let source = format!("file:{}", path.display());
    world.open(&source).await.unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(world.error(&source).await.contains("chmod 600"));
}
