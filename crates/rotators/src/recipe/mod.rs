//! What the recipes for HTTP and for the browser have in common: how they are read, where a secret
//! may stand, and which hosts they may speak to.

mod code;
mod document;
mod head;
mod host;
mod known;
mod template;

pub(crate) use code::Codes;
pub use code::{CodeSource, Coming, OneTimeCode};
pub(crate) use document::{RecipeError, class, read};
pub(crate) use head::Head;
pub(crate) use host::{Host, Origins};
pub(crate) use known::Known;
pub(crate) use template::{Missing, Slot, Template, Values, is_name};

/// Whether the target knows one password or two at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The old password stops to work when the new one is set.
    #[default]
    Single,
    /// The old one goes on to work for a while, so its refusal proves nothing yet.
    Dual,
}
