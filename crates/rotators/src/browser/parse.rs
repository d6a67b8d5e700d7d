//! Reads a browser recipe and holds it to the rules.

use serde::Deserialize;

use super::recipe::{Act, Change, Declared, Login, Marker, Recipe, Step, Target};
use crate::recipe::{Head, Host, RecipeError, Slot, Template, class, read};

const ROLES: [&str; 8] = ["button", "link", "textbox", "checkbox", "alert", "status", "heading", "dialog"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDocument {
    recipe: Head,
    login: RawLogin,
    change: RawChange,
    terminate: Option<RawTerminate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLogin {
    step: Vec<RawStep>,
    accepted: RawMarker,
    refused: RawMarker,
    #[serde(default)]
    errors: Vec<RawDeclared>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChange {
    step: Vec<RawStep>,
    done: RawMarker,
    #[serde(default)]
    errors: Vec<RawDeclared>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerminate {
    step: Vec<RawStep>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawStep {
    goto: Option<String>,
    host: Option<String>,
    fill: Option<RawFill>,
    click: Option<Several>,
    wait_for: Option<RawMarker>,
    totp: Option<Several>,
    expect: Option<RawMarker>,
    human: Option<RawHuman>,
    #[serde(default)]
    point_of_no_return: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFill {
    r#in: Option<Several>,
    selector: Option<String>,
    label: Option<String>,
    role: Option<String>,
    name: Option<String>,
    with: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    selector: Option<String>,
    label: Option<String>,
    role: Option<String>,
    name: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Several {
    One(RawTarget),
    Any(Vec<RawTarget>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMarker {
    any: Option<Vec<RawTarget>>,
    selector: Option<String>,
    label: Option<String>,
    role: Option<String>,
    name: Option<String>,
    text: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHuman {
    r#if: Option<RawMarker>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeclared {
    at: RawMarker,
    class: String,
    message: Option<String>,
}

impl Recipe {
    /// Reads TOML or JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, RecipeError> {
        let raw: RawDocument = read(text)?;
        let hosts = raw.recipe.hosts()?;
        let login = Login {
            steps: steps("login", raw.login.step, &hosts)?,
            accepted: marker("login.accepted", raw.login.accepted)?,
            refused: marker("login.refused", raw.login.refused)?,
            errors: errors("login", raw.login.errors)?,
        };
        let change = Change {
            steps: steps("change", raw.change.step, &hosts)?,
            done: marker("change.done", raw.change.done)?,
            errors: errors("change", raw.change.errors)?,
        };
        let terminate = match raw.terminate {
            Some(raw) => steps("terminate", raw.step, &hosts)?,
            None => Vec::new(),
        };
        let recipe = Self { id: raw.recipe.id, hosts, phase: raw.recipe.phase, login, change, terminate };
        recipe.rules()?;
        Ok(recipe)
    }

    fn rules(&self) -> Result<(), RecipeError> {
        let wrong = |at: &str, problem: &str| Err(RecipeError::new(at, problem));
        let sets = |steps: &[Step]| steps.iter().any(|step| step.act.uses(&Slot::Staged));
        let turns = |steps: &[Step]| steps.iter().filter(|step| step.point_of_no_return).count();
        let outside = [("login.step", &self.login.steps), ("terminate.step", &self.terminate)];
        for (at, steps) in outside {
            if sets(steps) || turns(steps) > 0 {
                return wrong(
                    at,
                    "only the change itself types {{secret.staged}} and has the point of no return",
                );
            }
        }
        if !self.login.steps.iter().any(|step| step.act.uses(&Slot::Current)) {
            return wrong("login.step", "no step types {{secret.current}}");
        }
        if turns(&self.change.steps) != 1 {
            return wrong(
                "change.step",
                "exactly one step says point_of_no_return = true: the click that sends the new password",
            );
        }
        if !sets(&self.change.steps) {
            return wrong("change.step", "no step types {{secret.staged}}");
        }
        for step in &self.change.steps {
            if step.point_of_no_return && !matches!(step.act, Act::Click { .. }) {
                return wrong("change.step", "the point of no return is a click");
            }
        }
        Ok(())
    }
}

fn steps(part: &str, raw: Vec<RawStep>, hosts: &[Host]) -> Result<Vec<Step>, RecipeError> {
    raw.into_iter()
        .enumerate()
        .map(|(index, raw)| step(&format!("{part}.step[{index}]"), raw, hosts))
        .collect()
}

fn step(at: &str, raw: RawStep, hosts: &[Host]) -> Result<Step, RecipeError> {
    let fail = |field: &str, problem: String| RecipeError::new(format!("{at}.{field}"), problem);
    let RawStep { goto, host, fill, click, wait_for, totp, expect, human, point_of_no_return } = raw;
    let given = [
        goto.is_some(),
        fill.is_some(),
        click.is_some(),
        wait_for.is_some(),
        totp.is_some(),
        expect.is_some(),
        human.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let problem = "a step is exactly one of goto, fill, click, wait_for, totp, expect and human";
        return Err(RecipeError::new(at, problem));
    }
    if host.is_some() && goto.is_none() {
        return Err(fail("host", "only a goto has a host".into()));
    }
    let act = if let Some(path) = goto {
        go(path, host, hosts).map_err(|(field, problem)| fail(field, problem))?
    } else if let Some(raw) = fill {
        let with = Template::parse(&raw.with).map_err(|problem| fail("fill.with", problem))?;
        if let Some(slot) =
            with.slots().find(|slot| !matches!(slot, Slot::Username | Slot::Current | Slot::Staged))
        {
            let problem = format!("{slot:?} has no place here; a code is typed by a totp step");
            return Err(fail("fill.with", problem));
        }
        let own = RawTarget {
            selector: raw.selector,
            label: raw.label,
            role: raw.role,
            name: raw.name,
            text: None,
        };
        let targets = match raw.r#in {
            Some(several) => targets(several),
            None => targets(Several::One(own)),
        };
        Act::Fill { targets: targets.map_err(|problem| fail("fill", problem))?, with }
    } else if let Some(several) = click {
        Act::Click { targets: targets(several).map_err(|problem| fail("click", problem))? }
    } else if let Some(several) = totp {
        Act::Code { targets: targets(several).map_err(|problem| fail("totp", problem))? }
    } else if let Some(raw) = wait_for {
        Act::WaitFor { marker: marker(&format!("{at}.wait_for"), raw)? }
    } else if let Some(raw) = expect {
        Act::Expect { marker: marker(&format!("{at}.expect"), raw)? }
    } else if let Some(raw) = human {
        let when = raw.r#if.map(|raw| marker(&format!("{at}.human.if"), raw)).transpose()?;
        Act::Human { when, why: raw.why }
    } else {
        return Err(RecipeError::new(at, "the step is empty"));
    };
    Ok(Step { act, point_of_no_return })
}

fn go(path: String, host: Option<String>, hosts: &[Host]) -> Result<Act, (&'static str, String)> {
    let host = match host {
        None => hosts[0].clone(),
        Some(text) => {
            let host = Host::parse(&text).map_err(|problem| ("host", problem))?;
            if !hosts.contains(&host) {
                return Err(("host", format!("{host} is not listed in recipe.hosts")));
            }
            host
        }
    };
    if !path.starts_with('/') || path.starts_with("//") || path.contains('\\') {
        return Err(("goto", "a path that begins with one /".to_owned()));
    }
    let path = Template::parse(&path).map_err(|problem| ("goto", problem))?;
    if path.slots().any(|slot| *slot != Slot::Username) {
        return Err(("goto", "no slot but {{username}} may stand in an address".to_owned()));
    }
    Ok(Act::Goto { host, path })
}

fn targets(raw: Several) -> Result<Vec<Target>, String> {
    let all = match raw {
        Several::One(raw) => vec![raw],
        Several::Any(all) => all,
    };
    if all.is_empty() {
        return Err("it points at nothing".to_owned());
    }
    all.into_iter().map(target).collect()
}

fn target(raw: RawTarget) -> Result<Target, String> {
    match raw {
        RawTarget { selector: Some(selector), label: None, role: None, name: None, text: None } => {
            Ok(Target::Selector { selector })
        }
        RawTarget { selector: None, label: Some(label), role: None, name: None, text: None } => {
            Ok(Target::Label { label })
        }
        RawTarget { selector: None, label: None, role: Some(role), name, text: None } => {
            if ROLES.contains(&role.as_str()) {
                Ok(Target::Role { role, name })
            } else {
                Err(format!("\"{role}\" is none of the roles {}", ROLES.join(", ")))
            }
        }
        RawTarget { selector: None, label: None, role: None, name: None, text: Some(text) } => {
            Ok(Target::Text { text })
        }
        _ => Err("exactly one of selector, label, role (with name) and text".to_owned()),
    }
}

fn marker(at: &str, raw: RawMarker) -> Result<Marker, RecipeError> {
    let RawMarker { any, selector, label, role, name, text, path } = raw;
    let own = [&selector, &label, &role, &name, &text].iter().any(|field| field.is_some());
    let targets = match (any, own) {
        (Some(any), false) => targets(Several::Any(any)),
        (None, true) => targets(Several::One(RawTarget { selector, label, role, name, text })),
        (None, false) if path.is_some() => Ok(Vec::new()),
        (None, false) => Err("it shows nothing: selector, label, role, text, any or path".to_owned()),
        (Some(_), true) => Err("either any, or one of selector, label, role and text".to_owned()),
    }
    .map_err(|problem| RecipeError::new(at, problem))?;
    Ok(Marker { targets, path })
}

fn errors(part: &str, raw: Vec<RawDeclared>) -> Result<Vec<Declared>, RecipeError> {
    raw.into_iter()
        .enumerate()
        .map(|(index, raw)| {
            let at = format!("{part}.errors[{index}]");
            Ok(Declared {
                marker: marker(&format!("{at}.at"), raw.at)?,
                class: class(&raw.class)
                    .map_err(|problem| RecipeError::new(format!("{at}.class"), problem))?,
                message: raw.message,
            })
        })
        .collect()
}
