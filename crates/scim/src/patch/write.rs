//! What an operation does with its value: from JSON to a typed write, or to taking something away.

use std::borrow::Cow;

use super::dialect;
use super::operation::{Action, Selection, Verb};
use super::parse::Reader;
use crate::filter::{Filter, Literal, Op, Test, resolve_values};
use crate::json::Json;
use crate::name::same;
use crate::path::Excerpt;
use crate::resource::{Acceptor, At};
use crate::schema::{Mutability, Type};
use crate::{Complex, Error, ScimType, Target, Value};

impl Reader<'_> {
    pub(super) fn selection(&mut self, filter: &Filter, target: Target) -> Result<Selection, Error> {
        let resolved = resolve_values(filter, target)?;
        Ok(Selection { filter: resolved, template: self.template(filter, target)? })
    }

    /// The value that a conjunction of `sub eq value` describes.
    fn template(&mut self, filter: &Filter, target: Target) -> Result<Option<Complex>, Error> {
        let terms = match filter {
            Filter::And(terms) => terms.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut template = Complex::new();
        for term in terms {
            let Filter::Is(path, Test::Compare(Op::Eq, literal)) = term else { return Ok(None) };
            let Some(sub) = target.attribute.sub(path.name.as_str()) else { return Ok(None) };
            if sub.mutability == Mutability::ReadOnly {
                return Ok(None);
            }
            let json = match literal {
                Literal::Null => continue,
                Literal::Bool(b) => Json::Bool(*b),
                Literal::Number(n) => Json::Number(n.clone()),
                Literal::String(s) => Json::String(s.clone()),
            };
            let at = at(&target.with_sub(sub));
            match Acceptor::new(self.limits).value(at, sub, &json) {
                Ok(Some(value)) => template.set(sub.name, value),
                // No value of this attribute can be such, so none can be made.
                Ok(None) | Err(_) => return Ok(None),
            }
        }
        Ok(Some(template))
    }

    pub(super) fn remove(
        &mut self,
        target: Target,
        selection: Option<Selection>,
        value: Option<&Json>,
    ) -> Result<(), Error> {
        let value = value.filter(|json| !json.is_null());
        let whole = selection.is_none() && target.sub.is_none();
        if let (true, true, Some(json)) = (whole, target.attribute.multi_valued, value) {
            return self.withdraw(target, json);
        }
        if whole && target.attribute.required {
            let detail = format!("{target} is required, so it can't be removed; replace it");
            return Err(Error::bad(ScimType::Mutability, detail));
        }
        if value.is_some() {
            self.acceptor
                .note(format!("{target}: the value of a remove is ignored here; the path says what goes"));
        }
        self.push(Verb::Remove, target, selection, Action::Unset)
    }

    /// Takes out only what is named: a server that read it as "remove all" emptied groups.
    fn withdraw(&mut self, target: Target, json: &Json) -> Result<(), Error> {
        let json = self.rewritten(&target, json);
        check_entries(&target, json.as_ref())?;
        match self.acceptor.value(at(&target), target.attribute, json.as_ref())? {
            Some(Value::List(values)) => self.push(Verb::Remove, target, None, Action::Withdraw(values)),
            Some(one) => self.push(Verb::Remove, target, None, Action::Withdraw(vec![one])),
            None => {
                self.acceptor.note(format!("{target}: remove named no values, so none were removed"));
                Ok(())
            }
        }
    }

    pub(super) fn write(
        &mut self,
        verb: Verb,
        target: Target,
        selection: Option<Selection>,
        json: &Json,
    ) -> Result<(), Error> {
        let json = self.rewritten(&target, json);
        let json = json.as_ref();
        if target.sub.is_none() {
            check_entries(&target, json)?;
        }
        let leaf = target.leaf();
        let value = match (&selection, target.sub) {
            (None, None) if leaf.kind == Type::Complex && !leaf.multi_valued => {
                return self.write_parts(verb, target, json);
            }
            (Some(_), None) => {
                let one = match json {
                    Json::Array(values) => match values.as_slice() {
                        [] => &Json::Null,
                        [one] => one,
                        _ => {
                            let detail =
                                format!("{target}: a path with a filter takes one value, not a list");
                            return Err(Error::invalid_value(detail));
                        }
                    },
                    one => one,
                };
                self.acceptor.one(at(&target), leaf, one)?
            }
            _ => self.acceptor.value(at(&target), leaf, json)?,
        };
        match value {
            Some(value) => self.push(verb, target, selection, Action::Write(value)),
            // Nothing added to a list is no change.
            None if verb == Verb::Add && target.attribute.multi_valued && target.sub.is_none() => Ok(()),
            None => self.push(verb, target, selection, Action::Unset),
        }
    }

    /// A single complex value: each sub-attribute that is named is written, the others stay.
    fn write_parts(&mut self, verb: Verb, target: Target, json: &Json) -> Result<(), Error> {
        let Json::Object(members) = json else {
            return match self.acceptor.value(at(&target), target.attribute, json)? {
                Some(Value::Complex(complex)) => {
                    for (name, value) in complex.iter() {
                        if let Some(sub) = target.attribute.sub(name.as_str()) {
                            self.push(verb, target.with_sub(sub), None, Action::Write(value.clone()))?;
                        }
                    }
                    Ok(())
                }
                Some(value) => self.push(verb, target, None, Action::Write(value)),
                None => self.push(verb, target, None, Action::Unset),
            };
        };
        // A new `value` takes the old `$ref` with it, so the one that is sent has to come after.
        let (first, rest): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| same(name, "value"));
        for (name, json) in first.into_iter().chain(rest) {
            let Some(sub) = target.attribute.sub(name) else {
                if !json.is_null() {
                    let name = Excerpt(name);
                    self.acceptor.note(format!("{target}: no schema has the part {name:?}; it was not kept"));
                }
                continue;
            };
            if sub.mutability != Mutability::ReadOnly {
                self.write(verb, target.with_sub(sub), None, json)?;
            }
        }
        Ok(())
    }

    fn rewritten<'j>(&mut self, target: &Target, json: &'j Json) -> Cow<'j, Json> {
        let acceptor = &mut self.acceptor;
        let note = |understood: &'static str| acceptor.note(format!("{target}: {understood}"));
        dialect::patch_value(target, json, note).map_or(Cow::Borrowed(json), Cow::Owned)
    }
}

fn at(target: &Target) -> At<'static> {
    At { urn: target.extension, attribute: target.attribute.name, sub: target.sub.map(|sub| sub.name) }
}

/// Refuses entries of a list that name something, but nothing that would be kept: left out silently
/// they would turn "replace by these" into "remove all".
fn check_entries(target: &Target, json: &Json) -> Result<(), Error> {
    let attribute = target.attribute;
    if !attribute.multi_valued || attribute.kind != Type::Complex {
        return Ok(());
    }
    let entries = match json {
        Json::Array(entries) => entries.as_slice(),
        one => std::slice::from_ref(one),
    };
    // A value that is immutable is what the entry is, so there is no entry without it.
    let key = attribute.sub("value").filter(|sub| sub.mutability == Mutability::Immutable);
    if key.is_some()
        && !json.is_null()
        && entries.iter().any(|entry| entry.is_null() || entry.as_str().is_some_and(str::is_empty))
    {
        return Err(Error::invalid_value(format!("{target}: one of the entries needs a value")));
    }
    for entry in entries.iter().filter_map(Json::as_object) {
        let mut given = entry.iter().filter(|(_, json)| !json.is_null()).peekable();
        let is_kept = |name: &str| match key {
            Some(key) => same(key.name, name),
            None => attribute.sub(name).is_some_and(|sub| sub.mutability != Mutability::ReadOnly),
        };
        let says_nothing = key.is_none() && given.peek().is_none();
        if !says_nothing && !given.any(|(name, _)| is_kept(name)) {
            let needed = if key.is_some() { "needs a value" } else { "has no part that the schema knows" };
            return Err(Error::invalid_value(format!("{target}: one of the entries {needed}")));
        }
    }
    Ok(())
}
