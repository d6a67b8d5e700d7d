//! Who may import whom, checked over what cargo knows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run;

pub(crate) const HELP: &str = "\
Checks over `cargo metadata` that imports between our crates only go down, that the pure ones
pull in no runtime, driver, log or randomness, and that `scim` could be published alone.
The table is in xtask/src/layers.rs; a new crate needs a row there.
";

/// Our crates and the floor that each stands on. A crate may import any of a lower floor, none of its own.
const FLOORS: &[(&str, u8)] = &[
    ("latchkey-kernel", 0),
    ("latchkey-scim", 1),
    ("latchkey-expr", 1),
    ("latchkey-access", 2),
    ("latchkey-interchange", 2),
    ("latchkey-provisioning", 2),
    ("latchkey-evidence", 2),
    ("latchkey-rotation", 2),
    ("latchkey-vault", 2),
    ("latchkey-directory", 3),
    ("latchkey-rotators", 3),
    ("latchkey-scim-client", 3),
    ("latchkey-store", 3),
    ("latchkey-cycles", 4),
    ("latchkey-engine", 4),
    ("latchkey-jobs", 5),
    ("latchkey-practice", 6),
    ("latchkey-scim-http", 6),
    ("latchkey-api", 6),
    ("latchkey", 7),
];

/// Rules and words only: the same input gives the same output, and nothing waits.
const PURE: &[&str] = &[
    "latchkey-kernel",
    "latchkey-scim",
    "latchkey-access",
    "latchkey-rotation",
    "latchkey-evidence",
    "latchkey-expr",
    "latchkey-interchange",
    "latchkey-provisioning",
];

/// What no pure crate may pull in, not even by way of others. (Not `log`: cargo's metadata names it for jiff,
/// which does not build with it.)
const IMPURE: &[&str] = &[
    "axum",
    "deadpool-postgres",
    "hyper",
    "libsqlite3-sys",
    "metrics",
    "postgres-protocol",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio-postgres",
    "tracing",
];

/// Where randomness may come from: the kernel's `OsEntropy`, and nowhere else that is pure.
const RANDOM: &[&str] = &["fastrand", "getrandom", "rand"];

/// All that `scim` builds with: data formats and dates.
const SCIM_MAY: &[&str] = &["base64", "jiff", "serde", "serde_json"];

/// Crates for tests and tasks. Ours take them as dev-dependencies only, and they take none of ours but each
/// other: the rooms' own tests use them.
const BESIDE: &[(&str, &[&str])] = &[
    ("latchkey-daemons", &[]),
    ("latchkey-testkit", &["latchkey-daemons"]),
    ("xtask", &["latchkey-daemons"]),
];

pub(crate) fn run(_: &[String]) -> Result<()> {
    let metadata = run::output(&mut run::cargo(&["metadata", "--format-version", "1", "--locked"]))?;
    let graph = Graph::read(&serde_json::from_str(&metadata)?)?;
    let faults = faults(&graph);
    if !faults.is_empty() {
        bail!("the layers do not hold:\n  {}", faults.join("\n  "));
    }
    println!("layers: {} crates, all arrows go down", graph.ours.len());
    Ok(())
}

/// Normal and build dependencies by name, dev-dependencies left out.
#[derive(Debug, Default)]
struct Graph {
    ours: BTreeSet<String>,
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text =
            |value: &Value| value.as_str().map(str::to_owned).context("cargo metadata has another form");
        let mut names = BTreeMap::new();
        for package in list(&metadata["packages"]) {
            names.insert(text(&package["id"])?, text(&package["name"])?);
        }
        let mut graph = Self::default();
        for member in list(&metadata["workspace_members"]) {
            graph.ours.insert(names[&text(&member)?].clone());
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let needs = graph.needs.entry(names[&text(&node["id"])?].clone()).or_default();
            for dependency in list(&node["deps"]) {
                let kinds = list(&dependency["dep_kinds"]);
                if kinds.iter().any(|kind| kind["kind"] != "dev") {
                    needs.insert(names[&text(&dependency["pkg"])?].clone());
                }
            }
        }
        Ok(graph)
    }

    fn direct(&self, name: &str) -> impl Iterator<Item = &str> {
        self.needs.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Everything that `name` pulls in, with the way to it.
    fn all(&self, name: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![(name.to_owned(), name.to_owned())];
        while let Some((at, way)) = open.pop() {
            for next in self.direct(&at) {
                if !found.contains_key(next) {
                    let way = format!("{way} → {next}");
                    found.insert(next.to_owned(), way.clone());
                    open.push((next.to_owned(), way));
                }
            }
        }
        found
    }
}

fn faults(graph: &Graph) -> Vec<String> {
    let floor = |name: &str| FLOORS.iter().find(|(room, _)| *room == name).map(|(_, floor)| *floor);
    let beside = |name: &str| BESIDE.iter().find(|(room, _)| *room == name).map(|(_, may)| *may);
    let mut faults = Vec::new();
    for name in &graph.ours {
        let ours = graph.direct(name).filter(|needed| graph.ours.contains(*needed));
        match (floor(name), beside(name)) {
            (Some(own), _) => {
                for needed in ours {
                    match floor(needed) {
                        Some(below) if below < own => {}
                        Some(_) => faults.push(format!("{name} → {needed}: imports only go down")),
                        None => faults.push(format!("{name} → {needed}: only as a dev-dependency")),
                    }
                }
            }
            (None, Some(may)) => {
                for needed in ours.filter(|needed| !may.contains(needed)) {
                    faults.push(format!(
                        "{name} → {needed}: crates for tests and tasks stand apart from the product"
                    ));
                }
            }
            (None, None) => faults.push(format!("{name} has no floor; give it a row in xtask/src/layers.rs")),
        }
    }
    for name in PURE {
        let all = graph.all(name);
        for way in IMPURE.iter().filter_map(|impure| all.get(*impure)) {
            faults.push(format!("{way}: {name} is pure"));
        }
        if *name != "latchkey-kernel" {
            for needed in graph.direct(name).filter(|needed| RANDOM.contains(needed)) {
                faults.push(format!("{name} → {needed}: take an `Entropy` (kernel::entropy)"));
            }
        }
    }
    for needed in graph.direct("latchkey-scim").filter(|needed| !SCIM_MAY.contains(needed)) {
        faults.push(format!("latchkey-scim → {needed}: scim builds with {} only", SCIM_MAY.join(", ")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_hold() {
        run(&[]).unwrap();
    }

    /// Checks what is said of a graph in which each crate needs some others.
    fn check(needs: &[(&str, &[&str])], expected: &[&str]) {
        let mut graph = Graph::default();
        for (name, needed) in needs {
            let ours =
                FLOORS.iter().any(|(room, _)| room == name) || BESIDE.iter().any(|(room, _)| room == name);
            if ours || name.starts_with("latchkey") {
                graph.ours.insert((*name).to_owned());
            }
            graph.needs.insert((*name).to_owned(), needed.iter().map(|&name| name.to_owned()).collect());
        }
        assert_eq!(faults(&graph), expected);
    }

    #[test]
    fn an_arrow_that_goes_down_may_skip_a_floor() {
        check(&[("latchkey-api", &["latchkey-access"]), ("latchkey-access", &["latchkey-kernel"])], &[]);
    }

    #[test]
    fn an_arrow_up_or_sideways_is_a_fault() {
        check(
            &[("latchkey-store", &["latchkey-engine"]), ("latchkey-engine", &[])],
            &["latchkey-store → latchkey-engine: imports only go down"],
        );
        check(
            &[("latchkey-api", &["latchkey-scim-http"]), ("latchkey-scim-http", &[])],
            &["latchkey-api → latchkey-scim-http: imports only go down"],
        );
    }

    #[test]
    fn a_pure_crate_may_not_reach_a_runtime_by_way_of_another() {
        check(
            &[("latchkey-access", &["harmless"]), ("harmless", &["tokio"])],
            &["latchkey-access → harmless → tokio: latchkey-access is pure"],
        );
    }

    #[test]
    fn test_crates_stay_out_of_the_product_and_the_product_out_of_them() {
        check(
            &[
                ("latchkey-store", &["latchkey-testkit"]),
                ("latchkey-testkit", &["latchkey-kernel"]),
                ("latchkey-kernel", &[]),
            ],
            &[
                "latchkey-store → latchkey-testkit: only as a dev-dependency",
                "latchkey-testkit → latchkey-kernel: crates for tests and tasks stand apart from the product",
            ],
        );
    }

    #[test]
    fn scim_takes_nothing_else_and_a_new_crate_needs_a_row() {
        check(
            &[("latchkey-scim", &["regex"])],
            &["latchkey-scim → regex: scim builds with base64, jiff, serde, serde_json only"],
        );
        check(&[("latchkey-new", &[])], &["latchkey-new has no floor; give it a row in xtask/src/layers.rs"]);
        check(
            &[("latchkey-access", &["getrandom"])],
            &["latchkey-access → getrandom: take an `Entropy` (kernel::entropy)"],
        );
    }
}
