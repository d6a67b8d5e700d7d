//! Typical mappings, evaluated again and again: `cargo bench -p latchkey-expr`.

use latchkey_expr::{Program, Surroundings, sample};

fn main() {
    divan::main();
}

const TYPICAL: &[&str] = &[
    r#"Join(" ", [givenName], [surname])"#,
    r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#,
    r#"ToLower(NormalizeDiacritics(Append(Mid([givenName], 1, 1), [surname])))"#,
    r#"Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , )"#,
];

#[divan::bench(args = TYPICAL)]
fn evaluate(bencher: divan::Bencher<'_, '_>, text: &str) {
    let program = Program::compile(text).expect("it is an expression");
    let (person, surroundings) = (sample(), Surroundings::fixed());
    bencher
        .bench_local(|| program.evaluate(&person, &surroundings).map(|evaluated| evaluated.value.is_null()));
}

#[divan::bench(args = TYPICAL)]
fn compile(text: &str) -> bool {
    Program::compile(text).is_ok()
}
