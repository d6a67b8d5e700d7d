//! `latchkey connector check` as an admin runs it, at a target on the web.

use std::process::{Command, Output};

use latchkey_practice::{Fault, Options, Service, recipes};
use serde_json::Value;

const OLD: &str = "First-Passw0rd!";
const NEW: &str = "It's \"new\" ü-Passw0rd";

struct Check {
    folder: tempfile::TempDir,
    service: Service,
    runtime: tokio::runtime::Runtime,
}

impl Check {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let service = runtime.block_on(Service::start(options)).expect("a free port");
        service.add_user("app", OLD, None);
        let check = Self { folder: tempfile::tempdir().expect("a folder"), service, runtime };
        check.file("old", &format!("{OLD}\n"));
        check.file("new", &format!("{NEW}\n"));
        check
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    fn run(&self, kind: &str, options: &[&str]) -> (Vec<Value>, bool) {
        let _running = self.runtime.enter();
        let output: Output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .current_dir(self.folder.path())
            .args(["connector", "check", kind, "--json", "--login", "app"])
            .args(["--allow-network", "127.0.0.0/8", "--plain-http-on-loopback"])
            .args(["--old-password-file", "old", "--new-password-file", "new"])
            .args(options)
            .output()
            .expect("the program runs");
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!told.contains("Passw0rd"), "a secret is told: {told}");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let steps = lines.lines().map(|line| serde_json::from_str(line).expect(&told)).collect();
        (steps, output.status.success())
    }

    fn with_recipe(&self, kind: &str, recipe: &str, more: &[&str]) -> (Vec<Value>, bool) {
        self.file("recipe.toml", recipe);
        let host = self.service.address().to_string();
        let options = [&["--recipe", "recipe.toml", "--host", &host], more].concat();
        self.run(kind, &options)
    }

    fn all_held(&self, (steps, well): &(Vec<Value>, bool)) {
        assert!(steps.iter().all(|step| step["held"] == true) && *well, "{steps:?}");
        let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().expect("a name")).collect();
        assert_eq!(names, ["probe", "change", "new_works", "old_refused", "end_sessions"]);
        assert!(self.service.accepts("app", NEW));
    }
}

#[test]
fn an_http_recipe_is_proved_on_one_login() {
    let check = Check::new();
    check.all_held(&check.with_recipe("http", recipes::FORMS, &[]));
}

#[test]
fn a_login_with_one_time_codes_is_proved_with_its_seed() {
    const SEED: &str = "otpauth://totp/app?secret=JBSWY3DPEHPK3PXP&algorithm=SHA256&period=2";
    let check = Check::with(Options { period: 2, ..Options::default() });
    check.service.add_user("app", OLD, Some(b"Hello!\xde\xad\xbe\xef"));
    let (steps, well) = check.with_recipe("http", recipes::API_TOTP, &[]);
    assert!(!well && steps.last().is_some_and(|step| step["held"] == false), "no code, no login: {steps:?}");
    assert!(check.service.accepts("app", OLD));
    check.file("seed", "no seed at all");
    let (steps, well) = check.with_recipe("http", recipes::API_TOTP, &["--totp-file", "seed"]);
    assert!(!well && steps.is_empty(), "{steps:?}");
    check.file("seed", &format!("{SEED}\n"));
    check.all_held(&check.with_recipe("http", recipes::API_TOTP, &["--totp-file", "seed"]));
}

#[test]
fn an_http_recipe_with_an_admin_secret_ends_sessions_too() {
    let check = Check::new();
    check.file("admin", check.service.admin_token());
    check.service.open_session("app");
    check.all_held(&check.with_recipe("http", recipes::ADMIN, &["--admin-password-file", "admin"]));
    assert_eq!(check.service.sessions("app"), 0);
}

#[test]
fn a_webhook_is_proved_on_one_login_and_each_check_is_meant() {
    let check = Check::new();
    check.file("signing", &check.service.signing_secret());
    let (url, key) = (format!("{}/hooks/rotation", check.service.url()), check.service.receiver_key());
    let options = ["--url", &url, "--receiver-key", &key, "--signing-secret-file", "signing"];
    check.all_held(&check.run("webhook", &options));
    check.file("old", NEW);
    check.file("new", "Another-Passw0rd");
    let (steps, well) = check.run("webhook", &options);
    assert!(well, "{steps:?}");
    assert!(check.service.accepts("app", "Another-Passw0rd"));
}

#[test]
fn a_browser_recipe_is_proved_on_one_login() {
    let check = Check::new();
    check.all_held(&check.with_recipe("browser", recipes::BROWSER, &["--timeout", "60"]));
}

#[test]
fn a_failing_browser_step_leaves_a_picture() {
    let check = Check::new();
    check.service.fault(Fault::Captcha);
    let more = ["--timeout", "60", "--screenshot", "failed.png"];
    let (steps, well) = check.with_recipe("browser", recipes::BROWSER, &more);
    assert!(!well);
    assert_eq!(steps.last().expect("a step")["class"], "needs_person", "{steps:?}");
    let picture = std::fs::read(check.folder.path().join("failed.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"));
}
