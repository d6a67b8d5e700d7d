//! What the service can do, told to clients (RFC 7643 §5 to §7, RFC 7644 §4, RFC 9865 §3).
//!
//! Everything is derived from the schema statics and from the limits that are in force, so that
//! what is announced is what is done. What does not apply is left out, never `null`.

use crate::json::{Json, Object};
use crate::limits::Limits;
use crate::list::ListResponse;
use crate::name::same;
use crate::schema::{
    Attribute, Mutability, RESOURCE_TYPES, ResourceType, Returned, SCHEMAS, Schema, Type, Uniqueness,
};

/// What the documents say beside the schemas.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// The URL of the SCIM root, without a slash at the end.
    pub base: &'a str,
    /// The limits in force.
    pub limits: &'a Limits,
    /// Where people read about the service.
    pub documentation: Option<&'a str>,
    /// How long a cursor is good, in seconds.
    pub cursor_timeout: Option<i64>,
}

impl Service<'_> {
    /// `/ServiceProviderConfig`.
    pub fn service_provider_config(&self) -> String {
        let limits = self.limits;
        let supported = || object([("supported", Json::Bool(true))]);
        let mut document = Object::default();
        document.set("schemas", texts(&["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
        if let Some(uri) = self.documentation {
            document.set("documentationUri", text(uri));
        }
        document.set("patch", supported());
        document.set(
            "bulk",
            object([
                ("supported", Json::Bool(true)),
                ("maxOperations", number(limits.bulk_operations)),
                ("maxPayloadSize", number(limits.bulk_bytes)),
            ]),
        );
        document.set(
            "filter",
            object([("supported", Json::Bool(true)), ("maxResults", number(limits.page_max))]),
        );
        // A password is accepted and dropped: people sign in through their directory.
        document.set("changePassword", object([("supported", Json::Bool(false))]));
        document.set("sort", supported());
        document.set("etag", supported());
        let mut pagination = vec![
            ("cursor", Json::Bool(true)),
            ("index", Json::Bool(true)),
            ("defaultPaginationMethod", text("index")),
            ("defaultPageSize", number(limits.page_default)),
            ("maxPageSize", number(limits.page_max)),
        ];
        pagination.extend(self.cursor_timeout.map(|seconds| ("cursorTimeout", Json::Number(seconds.into()))));
        document.set("pagination", object(pagination));
        let scheme = object([
            ("type", text("oauthbearertoken")),
            ("name", text("Bearer token")),
            ("description", text("The SCIM token of the workspace, in the Authorization header.")),
            ("specUri", text("https://www.rfc-editor.org/info/rfc6750")),
            ("primary", Json::Bool(true)),
        ]);
        document.set("authenticationSchemes", Json::Array(vec![scheme]));
        document.set("meta", self.meta("ServiceProviderConfig", "/ServiceProviderConfig"));
        write(&Json::Object(document))
    }

    /// `/ResourceTypes`.
    pub fn resource_types(&self) -> String {
        list(RESOURCE_TYPES.iter().map(|ty| self.resource_type_document(ty)))
    }

    /// `/ResourceTypes/{name}`.
    pub fn resource_type(&self, name: &str) -> Option<String> {
        let ty = RESOURCE_TYPES.iter().find(|ty| same(ty.name, name))?;
        Some(write(&self.resource_type_document(ty)))
    }

    /// `/Schemas`.
    pub fn schemas(&self) -> String {
        list(SCHEMAS.iter().map(|schema| self.schema_document(schema)))
    }

    /// `/Schemas/{urn}`.
    pub fn schema(&self, urn: &str) -> Option<String> {
        Some(write(&self.schema_document(crate::schema::schema(urn)?)))
    }

    fn resource_type_document(&self, ty: &ResourceType) -> Json {
        let mut document = Object::default();
        document.set("schemas", texts(&["urn:ietf:params:scim:schemas:core:2.0:ResourceType"]));
        document.set("id", text(ty.name));
        document.set("name", text(ty.name));
        document.set("description", text(ty.description));
        document.set("endpoint", text(ty.endpoint));
        document.set("schema", text(ty.schema.id));
        if !ty.extensions.is_empty() {
            let extension =
                |schema: &&Schema| object([("schema", text(schema.id)), ("required", Json::Bool(false))]);
            document.set("schemaExtensions", Json::Array(ty.extensions.iter().map(extension).collect()));
        }
        document.set("meta", self.meta("ResourceType", &format!("/ResourceTypes/{}", ty.name)));
        Json::Object(document)
    }

    fn schema_document(&self, schema: &Schema) -> Json {
        let mut document = Object::default();
        document.set("schemas", texts(&["urn:ietf:params:scim:schemas:core:2.0:Schema"]));
        document.set("id", text(schema.id));
        document.set("name", text(schema.name));
        document.set("description", text(schema.description));
        document.set("attributes", Json::Array(schema.attributes.iter().map(attribute).collect()));
        document.set("meta", self.meta("Schema", &format!("/Schemas/{}", schema.id)));
        Json::Object(document)
    }

    fn meta(&self, resource_type: &str, path: &str) -> Json {
        let location = format!("{}{path}", self.base);
        object([("resourceType", text(resource_type)), ("location", text(&location))])
    }
}

fn attribute(definition: &Attribute) -> Json {
    let mut document = Object::default();
    document.set("name", text(definition.name));
    document.set("type", text(type_name(definition.kind)));
    document.set("multiValued", Json::Bool(definition.multi_valued));
    document.set("description", text(definition.description));
    document.set("required", Json::Bool(definition.required));
    if !definition.canonical_values.is_empty() {
        document.set("canonicalValues", texts(definition.canonical_values));
    }
    if matches!(definition.kind, Type::String | Type::Reference | Type::Binary) {
        document.set("caseExact", Json::Bool(definition.case_exact));
    }
    document.set("mutability", text(mutability_name(definition.mutability)));
    document.set("returned", text(returned_name(definition.returned)));
    if definition.kind != Type::Boolean {
        document.set("uniqueness", text(uniqueness_name(definition.uniqueness)));
    }
    if definition.kind == Type::Reference {
        document.set("referenceTypes", texts(definition.reference_types));
    }
    if definition.kind == Type::Complex {
        let parts = definition.sub_attributes.iter().map(attribute).collect();
        document.set("subAttributes", Json::Array(parts));
    }
    Json::Object(document)
}

const fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::String => "string",
        Type::Boolean => "boolean",
        Type::Decimal => "decimal",
        Type::Integer => "integer",
        Type::DateTime => "dateTime",
        Type::Binary => "binary",
        Type::Reference => "reference",
        Type::Complex => "complex",
    }
}

const fn mutability_name(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadOnly => "readOnly",
        Mutability::ReadWrite => "readWrite",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}

const fn returned_name(returned: Returned) -> &'static str {
    match returned {
        Returned::Always => "always",
        Returned::Never => "never",
        Returned::Default => "default",
        Returned::Request => "request",
    }
}

const fn uniqueness_name(uniqueness: Uniqueness) -> &'static str {
    match uniqueness {
        Uniqueness::None => "none",
        Uniqueness::Server => "server",
        Uniqueness::Global => "global",
    }
}

/// Discovery lists are never paged (RFC 7644 §4).
fn list(documents: impl ExactSizeIterator<Item = Json>) -> String {
    let mut list = ListResponse::new(Some(documents.len()), Some(1));
    documents.for_each(|document| list.push(&write(&document)));
    list.finish(None)
}

fn write(document: &Json) -> String {
    serde_json::to_string(document).expect("a Json has string keys and finite numbers, so it is always JSON")
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn texts(values: &[&str]) -> Json {
    Json::Array(values.iter().map(|value| text(value)).collect())
}

fn number(number: usize) -> Json {
    Json::Number(number.into())
}

#[cfg(test)]
mod tests;
