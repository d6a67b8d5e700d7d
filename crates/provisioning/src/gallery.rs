//! The gallery: templates of sources and targets, each a file of `gallery/`.
//!
//! A template holds sections of a job file and what an admin has to know and do. One of a source
//! and one of a target make a job ([`job`]). To add one, add a file and its name to the list below.

use serde::{Deserialize, Serialize};

use crate::jobfile;

macro_rules! files {
    ($($id:literal,)*) => {
        &[$(($id, include_str!(concat!("../gallery/", $id, ".toml"))),)*]
    };
}

/// By id, which is the file's name; a test compares the list with the folder.
const FILES: &[(&str, &str)] = files![
    "active-directory",
    "aws-iam-identity-center",
    "better-auth-scim",
    "cerby",
    "csv-files",
    "django-scim2-server",
    "embedded-directory",
    "entra-id",
    "generic-scim",
    "google-cloud-identity",
    "json-files",
    "latchkey",
    "ldap",
    "scim-provider",
    "scim2-server",
    "scimmy-routers",
    "slack",
];

/// A source or a target that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Template {
    /// Its id.
    pub id: &'static str,
    /// All else, as the file says it.
    #[serde(flatten)]
    pub content: Content,
}

/// What a template's file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Whether it is read or written.
    pub kind: Role,
    /// What people call it.
    pub name: String,
    /// Who makes it; empty when many do.
    pub vendor: String,
    /// What is provisioned with it, in a sentence.
    pub summary: String,
    /// The maker's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// What an admin does, in order.
    pub setup: Vec<String>,
    /// Sections of a job file: `[source]`, or `[target]`, `[users]` and `[groups]`.
    pub job: String,
    /// How a target differs from the standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

/// Which end of a job a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// People are read there.
    Source,
    /// People are written there.
    Target,
}

/// How a target differs from the standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The form of its base URL.
    pub base_url: String,
    /// What becomes of those who leave.
    pub leavers: Leavers,
    /// Attributes without which it refuses an object.
    pub required: Vec<String>,
    /// Attributes, and URNs of extensions, that it does not keep.
    pub unsupported: Vec<String>,
    /// Attributes that it can be searched by.
    pub filters: Vec<String>,
    /// What else differs, in sentences.
    pub notes: Vec<String>,
}

/// What becomes of those who leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leavers {
    /// They are there, and not active.
    Disabled,
    /// They are gone.
    Deleted,
}

/// All templates, by id.
pub fn templates() -> Vec<Template> {
    // A file that is no template is found by a test.
    FILES.iter().filter_map(|(id, text)| Some(Template { id, content: toml::from_str(text).ok()? })).collect()
}

/// The template of this id.
pub fn find(id: &str) -> Option<Template> {
    templates().into_iter().find(|template| template.id == id)
}

impl Template {
    /// The section that says how it is reached, without what flows.
    pub fn connection(&self) -> &str {
        let job = self.content.job.as_str();
        let end = ["\n[users]", "\n[groups]"].iter().filter_map(|section| job.find(section)).min();
        job.split_at(end.unwrap_or(job.len())).0.trim_end()
    }

    /// What an admin does, and how it differs from the standard, as comments.
    fn explained(&self) -> String {
        let content = &self.content;
        let mut lines = vec![format!("{}: {}", content.name, content.summary)];
        lines.extend(content.documentation.iter().map(ToString::to_string));
        lines.extend(content.setup.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)));
        if let Some(facts) = &content.facts {
            lines.push("What is known of it:".to_owned());
            lines.extend(facts.sentences().into_iter().map(|sentence| format!("- {sentence}")));
        }
        lines.iter().map(|line| format!("# {line}\n")).collect()
    }
}

impl Facts {
    /// What is known, in sentences.
    pub fn sentences(&self) -> Vec<String> {
        let mut all = vec![format!("Its base URL is {}", self.base_url)];
        all.push(match self.leavers {
            Leavers::Disabled => "Whoever leaves is there, and not active.".to_owned(),
            Leavers::Deleted => "Whoever leaves is gone.".to_owned(),
        });
        for (what, names) in [
            ("It refuses objects without", &self.required),
            ("It does not keep", &self.unsupported),
            ("It can be searched by", &self.filters),
        ] {
            if !names.is_empty() {
                all.push(format!("{what} {}.", names.join(", ")));
            }
        }
        all.extend(self.notes.iter().cloned());
        all
    }
}

/// The job file of this name that reads one template and writes another.
pub fn job(name: &str, source: &Template, target: &Template) -> String {
    job_of(name, source, target, &target.content.job)
}

/// As [`job`], with the target's sections given: `[target]`, and what flows.
pub fn job_of(name: &str, source: &Template, target: &Template, sections: &str) -> String {
    format!(
        "{}\n[job]\nname = {}\n{JOB}\n{}{}\n{}{}",
        HEAD,
        jobfile::quoted(name),
        source.explained(),
        source.content.job,
        target.explained(),
        sections,
    )
}

const HEAD: &str = "\
# A provisioning job. Put in what is yours below (addresses, names, files of secrets), then, with this
# file's name:
#
#   latchkey provision lint FILE             what is wrong or probably regretted
#   latchkey provision test-connection FILE  whether source and target answer; changes nothing
#   latchkey provision preview FILE          what would be done; changes nothing
#   latchkey provision run FILE              does it
";

const JOB: &str = "\
# \"manual\" runs when told to; a time as \"40m\" is how long `latchkey provision watch` waits between cycles.
schedule = \"manual\"
# \"all\" takes everybody whom the source has, \"assigned\" those alone who are given the application there.
scope = \"all\"
# A cycle that would disable or delete more people and groups than this does none of it, and waits for
# somebody to allow it.
deletion_limit = 10
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_list_is_the_folder_and_every_file_is_a_template() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("gallery");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the folder is there")
            .map(|file| file.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|(id, _)| format!("{id}.toml")).collect();
        assert_eq!(listed, there);
        assert!(FILES.is_sorted(), "sorted by id");
        for (id, text) in FILES {
            toml::from_str::<Content>(text).unwrap_or_else(|error| panic!("{id}: {error}"));
        }
    }
}
