//! What an outside program thinks of our SCIM endpoint: scim2-tester, from PyPI.

use std::path::Path;
use std::process::Command;

use latchkey_testkit::{Server, on_both};

on_both! {
    async fn scim2_tester_finds_no_error(server: &Server) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        // `cargo xtask test` makes this environment, and says where it is if the target folder is elsewhere.
        let python = std::env::var_os("LATCHKEY_TEST_PYTHON")
            .map_or_else(|| root.join("target/interop/bin/python"), Into::into);
        assert!(
            python.exists(),
            "scim2-tester is not installed; `cargo xtask test` does it, or leaves it out with --without interop"
        );
        let workspace = server.workspace("Interop").await;
        let mut checks = Command::new(python);
        checks
            .arg(root.join("tests/interop/scim2_tester.py"))
            .arg(workspace.scim_url())
            .env("SCIM_TOKEN", &workspace.scim_token);
        let output = tokio::task::spawn_blocking(move || checks.output())
            .await
            .expect("the checks end")
            .expect("Python starts");
        let [found, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success(), "{found}{errors}");
    }
}
