//! One suite for every connector, each against a real target that the test starts.

mod cut;
mod postgres;
mod suite;

use secrecy::SecretString;

/// Passwords that break what is quoted, cut or encoded carelessly.
fn awkward_passwords() -> Vec<SecretString> {
    [
        r#"It's "quoted" \back\ `tick` $HOME"#,
        "ünïcödé-пароль-密码-🔑Aa1",
        "semi;colon--comment/*x*/%s%n{}#Q1",
        "-n --leading dashes: and colons:Q1",
        &"Long0!".repeat(22)[..128],
        "Plain-Last-0ne!",
    ]
    .map(SecretString::from)
    .into()
}
