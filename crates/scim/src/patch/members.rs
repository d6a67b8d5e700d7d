//! Members of a group, apart from its tree: what one request costs depends on the members that it
//! names, not on those that are there.

use std::collections::HashSet;

use super::operation::{Action, Operation, Selection, Verb};
use super::parse::PatchRequest;
use crate::filter::{Check, Op, Resolved, Typed};
use crate::json::Json;
use crate::name::same;
use crate::{Error, ScimType, Value};

/// A change of who is in a group, by ids as the client wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembersChange {
    /// These come in, if they aren't.
    Add(Vec<String>),
    /// These go, if they are in.
    Remove(Vec<String>),
    /// All go.
    RemoveAll,
    /// These are in, and nobody else.
    ReplaceAll(Vec<String>),
}

impl PatchRequest {
    /// Takes the operations on a group's `members` out, in their order; the rest is for
    /// [`apply`](super::apply()).
    ///
    /// # Errors
    /// 400 with the operation's number: `invalidFilter` for a filter that does not name members by
    /// their value, `mutability` for a change within a member, `invalidValue` for a member without value.
    pub fn split_members(mut self) -> Result<(Self, Vec<MembersChange>), Error> {
        let mut changes = Vec::new();
        let mut rest = Vec::with_capacity(self.operations.len());
        for operation in self.operations {
            if operation.target.extension.is_none() && same(operation.target.attribute.name, "members") {
                changes.push(change(&operation).map_err(|error| operation.blame(error))?);
            } else {
                rest.push(operation);
            }
        }
        self.operations = rest;
        Ok((self, changes))
    }
}

fn change(operation: &Operation) -> Result<MembersChange, Error> {
    if operation.target.sub.is_some() {
        return Err(edited());
    }
    match (&operation.selection, &operation.action) {
        (None, Action::Write(value)) => {
            let ids = ids(value.as_list())?;
            Ok(if operation.verb == Verb::Add {
                MembersChange::Add(ids)
            } else {
                MembersChange::ReplaceAll(ids)
            })
        }
        (None, Action::Withdraw(values)) => Ok(MembersChange::Remove(ids(values)?)),
        (None, Action::Unset) => Ok(MembersChange::RemoveAll),
        (Some(Selection { filter, .. }), Action::Unset) => {
            let mut named = Vec::new();
            by_value(filter, &mut named)?;
            Ok(MembersChange::Remove(unique(named)))
        }
        (Some(_), _) | (None, Action::Echo(_)) => Err(edited()),
    }
}

/// RFC 7643 §4.2: the parts of a member are immutable.
fn edited() -> Error {
    let detail = "a member is added or removed, never edited; send add or remove on members";
    Error::bad(ScimType::Mutability, detail)
}

/// The ids of `value eq "…"`, alone or joined by `or`. Any other filter would have to look at every member.
fn by_value(filter: &Resolved, named: &mut Vec<String>) -> Result<(), Error> {
    match filter {
        Resolved::Or(terms) => terms.iter().try_for_each(|term| by_value(term, named)),
        Resolved::Is(target, Check::Compare(Op::Eq, Typed::Exact(id)))
            if target.sub.is_some_and(|sub| same(sub.name, "value")) =>
        {
            named.push(id.clone());
            Ok(())
        }
        _ => Err(Error::invalid_filter(
            "members are removed by their value: members[value eq \"…\"], several joined by or",
        )),
    }
}

fn ids(values: &[Value]) -> Result<Vec<String>, Error> {
    let id = |value: &Value| match value.as_complex().and_then(|member| member.get("value")) {
        Some(Value::String(id)) if !id.is_empty() => Ok(id.clone()),
        _ => Err(no_value()),
    };
    values.iter().map(id).collect::<Result<Vec<_>, _>>().map(unique)
}

fn no_value() -> Error {
    Error::invalid_value("members: each member is an object with the user's id as its value")
}

/// Each once, where it first stood.
fn unique(mut ids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

/// The members that a body of a POST or PUT names; `None` when it does not speak of them.
///
/// # Errors
/// 400 `invalidValue` for a member without value.
pub fn members_of_body(body: &Json) -> Result<Option<Vec<String>>, Error> {
    let entries = match body.get("members") {
        None => return Ok(None),
        Some(Json::Null) => &[],
        Some(Json::Array(entries)) => entries.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let id = |entry: &Json| match entry {
        Json::String(id) if !id.is_empty() => Ok(id.clone()),
        Json::Object(member) => match member.get("value") {
            Some(Json::String(id)) if !id.is_empty() => Ok(id.clone()),
            _ => Err(no_value()),
        },
        _ => Err(no_value()),
    };
    entries.iter().map(id).collect::<Result<Vec<_>, _>>().map(unique).map(Some)
}
