//! From a PATCH body to operations on attributes that the schemas know.

use super::dialect;
use super::operation::{Action, Operation, Selection, Verb, blame};
use crate::json::{Json, Object};
use crate::name::same;
use crate::path::{Excerpt, PatchPath};
use crate::resource::{Acceptor, Note};
use crate::schema::{Mutability, ResourceType, Schema};
use crate::target::{Named, named, sub_of};
use crate::{Error, Limits, Name, ScimType, Target};

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
            Some(one @ Json::Object(_)) => std::slice::from_ref(one),
            Some(other) => {
                let kind = other.kind();
                return Err(Error::invalid_syntax(format!(
                    "\"Operations\" is a list of operations, not {kind}"
                )));
            }
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

    /// Whether an operation writes this attribute of the base schema.
    pub fn touches(&self, attribute: &str) -> bool {
        let of = |target: &Target| target.extension.is_none() && same(target.attribute.name, attribute);
        self.operations.iter().any(|operation| of(&operation.target))
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
    Err(Error::invalid_syntax(format!("schemas of a PATCH body must be [{PATCH_OP:?}]")))
}

/// Whether the client named the attribute in a path, or it stands in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Path,
    Member,
}

/// Turns operations as sent into operations on attributes; what they do with their value is in
/// the module `write`.
pub(super) struct Reader<'a> {
    ty: &'static ResourceType,
    pub(super) limits: &'a Limits,
    pub(super) acceptor: Acceptor<'a>,
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

    pub(super) fn push(
        &mut self,
        verb: Verb,
        target: Target,
        selection: Option<Selection>,
        action: Action,
    ) -> Result<(), Error> {
        self.bounded(self.operations.len() + 1)?;
        self.operations.push(Operation { number: self.number, verb, target, selection, action });
        Ok(())
    }

    fn bounded(&self, operations: usize) -> Result<(), Error> {
        let most = self.limits.operations;
        if operations > most {
            let detail = format!("one PATCH carries {most} operations at most; send several");
            return Err(Error::new(413, None, detail));
        }
        Ok(())
    }
}

fn no_target(detail: &str) -> Error {
    Error::bad(ScimType::NoTarget, detail)
}

fn missing_value(verb: Verb) -> Error {
    Error::invalid_syntax(format!(
        "{verb} needs a value; to clear an attribute send op remove, or value null"
    ))
}
