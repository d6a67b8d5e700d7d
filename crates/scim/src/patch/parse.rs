//! From a PATCH body to operations on attributes that the schemas know.

use super::dialect;
use super::operation::{Action, Operation, Selection, Verb, blame};
use crate::filter::{Filter, Literal, Op, Test, resolve_values};
use crate::json::{Json, Object};
use crate::name::same;
use crate::path::{Excerpt, PatchPath};
use crate::resource::{Acceptor, At, Note};
use crate::schema::{Mutability, ResourceType, Schema, Type};
use crate::target::{Named, named, sub_of};
use crate::{Complex, Error, Limits, Name, ScimType, Target, Value};

/// The URN of a PATCH body (RFC 7644 §3.5.2).
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The operations of one PATCH, understood and typed; nothing of them depends on the resource yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    pub(super) operations: Vec<Operation>,
    pub(super) notes: Vec<Note>,
    /// How many values an attribute may have afterwards.
    pub(super) list_values: usize,
}

impl PatchRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 with the operation's number: `invalidSyntax` for the shape of the body, `invalidPath`,
    /// `invalidFilter`, `noTarget`, `mutability` and `invalidValue` for what an operation asks;
    /// 413 for too many operations.
    pub fn parse(body: &Json, ty: &'static ResourceType, limits: &Limits) -> Result<Self, Error> {
        let mut acceptor = Acceptor::new(limits);
        let body = body.as_object().ok_or_else(|| {
            Error::invalid_syntax(format!("a PATCH body is a JSON object, not {}", body.kind()))
        })?;
        check_schemas(body, &mut acceptor)?;
        let sent = match body.get("Operations") {
            None | Some(Json::Null) => {
                return Err(Error::invalid_syntax("the PATCH body has no \"Operations\""));
            }
            Some(Json::Array(sent)) => sent.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        if sent.is_empty() {
            return Err(Error::invalid_syntax("\"Operations\" is empty; send one operation at least"));
        }
        let mut reader = Reader { ty, limits, acceptor, operations: Vec::new(), number: 0 };
        reader.bounded(sent.len())?;
        for operation in sent {
            reader.number += 1;
            let number = reader.number;
            reader.operation(operation).map_err(|error| blame(number, error))?;
        }
        let Reader { acceptor, operations, .. } = reader;
        Ok(Self { operations, notes: acceptor.into_notes(), list_values: limits.list_values })
    }

    /// Whether nothing is left to do.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// What was ignored or understood otherwise.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

fn check_schemas(body: &Object, acceptor: &mut Acceptor<'_>) -> Result<(), Error> {
    let urns = match body.get("schemas") {
        // Some clients leave it out of PATCH, where nothing else can be meant.
        None | Some(Json::Null) => {
            acceptor.note("schemas is missing from the PATCH body; taken as a PatchOp");
            return Ok(());
        }
        Some(Json::Array(urns)) => urns.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if urns.iter().any(|urn| urn.as_str().is_some_and(|urn| same(urn, PATCH_OP))) {
        return Ok(());
    }
    Err(Error::invalid_syntax(format!("schemas of a PATCH body is [{PATCH_OP:?}]")))
}

/// Whether the client named the attribute in a path, or it stands in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Path,
    Member,
}

struct Reader<'a> {
    ty: &'static ResourceType,
    limits: &'a Limits,
    acceptor: Acceptor<'a>,
    operations: Vec<Operation>,
    number: usize,
}

impl Reader<'_> {
    fn operation(&mut self, json: &Json) -> Result<(), Error> {
        let object = json.as_object().ok_or_else(|| {
            Error::invalid_syntax(format!(
                "an operation is an object with op, path and value, not {}",
                json.kind()
            ))
        })?;
        let op = object
            .get("op")
            .and_then(Json::as_str)
            .ok_or_else(|| Error::invalid_syntax("\"op\" is missing; it is add, remove or replace"))?;
        let verb = dialect::verb(op).ok_or_else(|| {
            Error::invalid_syntax(format!("op {:?} is not known; it is add, remove or replace", Excerpt(op)))
        })?;
        let value = object.get("value");
        let path = match object.get("path") {
            None | Some(Json::Null) => None,
            Some(Json::String(path)) => Some(path.trim()).filter(|path| !path.is_empty()),
            Some(other) => {
                return Err(Error::invalid_path(format!("a path is a string, not {}", other.kind())));
            }
        };
        match (path, verb) {
            (Some(path), _) => self.at_path(verb, path, value),
            (None, Verb::Remove) => Err(no_target(
                "remove needs a path, such as members[value eq \"…\"]; without one nothing is removed",
            )),
            (None, _) => {
                let members = value.ok_or_else(|| missing_value(verb))?.as_object().ok_or_else(|| {
                    Error::invalid_value("without a path, value is an object whose members are attributes")
                })?;
                self.members(verb, None, members)
            }
        }
    }

    fn at_path(&mut self, verb: Verb, text: &str, value: Option<&Json>) -> Result<(), Error> {
        let path = PatchPath::parse(text, self.limits)?;
        let found =
            named(&path.attribute, self.ty).map_err(|why| Error::invalid_path(format!("path: {why}")))?;
        match found {
            Named::Attribute(target) => self.at(verb, target, &path, value, Given::Path),
            Named::Schema(_) if path.filter.is_some() => {
                Err(Error::invalid_path("path: a filter follows an attribute, not a schema"))
            }
            Named::Schema(schema) => self.at_schema(verb, schema, value),
        }
    }

    /// An operation on all of a schema: the extension's URN as path or key.
    fn at_schema(&mut self, verb: Verb, schema: &'static Schema, value: Option<&Json>) -> Result<(), Error> {
        let extension = self.ty.extension(schema.id);
        match (verb, value, extension) {
            (Verb::Remove, _, None) => Err(no_target("the base schema can't be removed; name an attribute")),
            (Verb::Remove, _, Some(extension)) | (Verb::Replace, Some(Json::Null), Some(extension)) => {
                for attribute in extension.attributes {
                    let target = Target { extension: Some(extension.id), attribute, sub: None };
                    self.push(Verb::Remove, target, None, Action::Unset)?;
                }
                Ok(())
            }
            (_, None, _) => Err(missing_value(verb)),
            (Verb::Add, Some(Json::Null), _) => Ok(()),
            (_, Some(Json::Object(members)), _) => self.members(verb, extension, members),
            (_, Some(other), _) => Err(Error::invalid_value(format!(
                "{}: expected an object with attributes, not {}",
                schema.id,
                other.kind()
            ))),
        }
    }

    /// One operation for each member of a value without path, or of an extension's object.
    fn members(
        &mut self,
        verb: Verb,
        within: Option<&'static Schema>,
        members: &Object,
    ) -> Result<(), Error> {
        for (key, json) in members.iter() {
            if within.is_none()
                && let Some(schema) = self.ty.schema(key)
            {
                self.at_schema(verb, schema, Some(json))?;
                continue;
            }
            let mut path = match PatchPath::parse(key, self.limits) {
                Ok(path) => path,
                // With a bracket it was meant as a path, and half of a request is not carried out.
                Err(error) if key.contains('[') => return Err(error),
                Err(_) => {
                    self.unknown(key);
                    continue;
                }
            };
            if let (Some(schema), None) = (within, &path.attribute.urn) {
                path.attribute.urn = Some(Name::new(schema.id));
            }
            match named(&path.attribute, self.ty) {
                Ok(Named::Attribute(target)) => self.at(verb, target, &path, Some(json), Given::Member)?,
                Ok(Named::Schema(schema)) => self.at_schema(verb, schema, Some(json))?,
                Err(_) => self.unknown(key),
            }
        }
        Ok(())
    }

    fn unknown(&mut self, key: &str) {
        let name = self.ty.name;
        self.acceptor.note(format!("{:?}: no schema of a {name} has this; it was not kept", Excerpt(key)));
    }

    fn at(
        &mut self,
        verb: Verb,
        mut target: Target,
        path: &PatchPath,
        value: Option<&Json>,
        given: Given,
    ) -> Result<(), Error> {
        if let Some(sub) = &path.sub {
            let sub = sub_of(target.attribute, sub.as_str());
            target.sub = Some(sub.map_err(|why| Error::invalid_path(format!("path: {why}")))?);
        }
        if verb != Verb::Remove && value.is_none() {
            return Err(missing_value(verb));
        }
        if target.extension.is_none() && same(target.attribute.name, "schemas") {
            return self.schemas(verb, value);
        }
        if target.attribute.mutability == Mutability::ReadOnly
            || target.leaf().mutability == Mutability::ReadOnly
        {
            return self.read_only(target, value, given);
        }
        if target.attribute.mutability == Mutability::WriteOnly {
            self.acceptor.note(format!("{target}: people sign in through their directory; it was dropped"));
            return Ok(());
        }
        let selection = match &path.filter {
            None => None,
            Some(_) if !target.attribute.multi_valued => {
                let detail =
                    format!("path: {} has one value, so there is none to select", target.attribute.name);
                return Err(Error::invalid_path(detail));
            }
            Some(filter) => Some(self.selection(filter, target)?),
        };
        match (verb, value) {
            (Verb::Remove, _) => self.remove(target, selection, value),
            (_, Some(json)) => self.write(verb, target, selection, json),
            (_, None) => Err(missing_value(verb)),
        }
    }

    /// `schemas` follows from the content, so there is nothing to write; only what contradicts the
    /// content is refused.
    fn schemas(&mut self, verb: Verb, value: Option<&Json>) -> Result<(), Error> {
        let urns = match value {
            Some(Json::Array(urns)) => urns.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let base = self.ty.schema.id;
        let names_base = urns.iter().any(|urn| urn.as_str().is_some_and(|urn| same(urn, base)));
        if verb == Verb::Remove || (verb == Verb::Replace && !names_base) {
            let detail =
                format!("schemas always holds {base}; it follows from the attributes that are assigned");
            return Err(Error::bad(ScimType::Mutability, detail));
        }
        self.acceptor.note("schemas follows from the attributes that are assigned; it was ignored");
        Ok(())
    }

    fn read_only(&mut self, target: Target, value: Option<&Json>, given: Given) -> Result<(), Error> {
        if given == Given::Path {
            let detail = format!("{target} is readOnly: only the server sets it");
            return Err(Error::bad(ScimType::Mutability, detail));
        }
        if target.attribute.mutability != Mutability::ReadOnly {
            self.acceptor.note(format!("{target} is readOnly; it was ignored"));
            return Ok(());
        }
        let Some(json) = value else { return Ok(()) };
        self.push(Verb::Replace, target, None, Action::Echo(json.clone()))
    }

    fn selection(&mut self, filter: &Filter, target: Target) -> Result<Selection, Error> {
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

    fn remove(
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

    fn write(
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

    fn rewritten<'j>(&mut self, target: &Target, json: &'j Json) -> std::borrow::Cow<'j, Json> {
        let acceptor = &mut self.acceptor;
        let note = |understood: &'static str| acceptor.note(format!("{target}: {understood}"));
        dialect::value(target, json, note).map_or(std::borrow::Cow::Borrowed(json), std::borrow::Cow::Owned)
    }

    fn push(
        &mut self,
        verb: Verb,
        target: Target,
        selection: Option<Selection>,
        action: Action,
    ) -> Result<(), Error> {
        if target.extension.is_none() && target.sub.is_none() && same(target.attribute.name, "active") {
            // Absent means active elsewhere, so unassigning it would let a person in who is out.
            if action == Action::Unset {
                self.acceptor.note("active is true or false; it can't be unassigned, so the state stays");
                return Ok(());
            }
        }
        self.bounded(self.operations.len() + 1)?;
        self.operations.push(Operation { number: self.number, verb, target, selection, action });
        Ok(())
    }

    fn bounded(&self, operations: usize) -> Result<(), Error> {
        let most = self.limits.operations;
        if operations > most {
            let detail = format!("one PATCH carries {most} changes at most; send several");
            return Err(Error::new(413, None, detail));
        }
        Ok(())
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

fn no_target(detail: &str) -> Error {
    Error::bad(ScimType::NoTarget, detail)
}

fn missing_value(verb: Verb) -> Error {
    Error::invalid_syntax(format!(
        "{verb} needs a value; to clear an attribute send op remove, or value null"
    ))
}
