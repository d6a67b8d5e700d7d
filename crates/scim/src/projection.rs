//! Which attributes an answer holds (RFC 7644 §3.9, §3.4.2.5).

use crate::json::Json;
use crate::name::same;
use crate::schema::{Attribute, COMMON, RESOURCE_TYPES, Returned, Schema, split_urn};
use crate::{Complex, Error, Resource, Value};

/// What a client wants to see. Names that no schema knows are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection(Mode);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Mode {
    /// What is returned by default.
    #[default]
    Default,
    /// Only these, and what is always returned.
    Only(Vec<Path>),
    /// Not these.
    Except(Vec<Path>),
}

/// One resolved name; holds nothing of the client's, so that a list of a thousand names
/// becomes no longer than the schemas are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Path {
    /// The extension, or `None` for the base schema and the common attributes.
    urn: Option<&'static str>,
    /// `None` stands for all of the schema.
    attribute: Option<&'static str>,
    /// `None` stands for the whole attribute.
    sub: Option<&'static str>,
}

/// How much of an attribute is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    All,
    Parts,
    Nothing,
}

impl Projection {
    /// Everything that is returned by default.
    pub const ALL: Self = Self(Mode::Default);

    /// From the query parameters `attributes` and `excludedAttributes`. They exclude each other;
    /// if both are there, `attributes` wins.
    pub fn parse(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let names = |list: Option<&str>| {
            list.map(|list| {
                list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
            })
        };
        Self::of_names(names(attributes), names(excluded))
    }

    /// From the members of a `.search` body, which are lists there (RFC 7644 §3.4.3); a string
    /// with commas is taken too.
    ///
    /// # Errors
    /// 400 `invalidSyntax` when one is neither a list of strings nor a string.
    pub fn of_body(body: &Json) -> Result<Self, Error> {
        let names = |member: &str| match body.get(member) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(list)) => {
                Ok(Some(list.split(',').map(|name| name.trim().to_owned()).collect()))
            }
            Some(Json::Array(names)) => {
                let texts: Option<Vec<String>> =
                    names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
                texts.map(Some).ok_or_else(|| wrong(member))
            }
            Some(_) => Err(wrong(member)),
        };
        Ok(Self::of_names(names("attributes")?, names("excludedAttributes")?))
    }

    fn of_names(attributes: Option<Vec<String>>, excluded: Option<Vec<String>>) -> Self {
        let given = |names: &Option<Vec<String>>| {
            names.as_ref().is_some_and(|names| names.iter().any(|n| !n.is_empty()))
        };
        if given(&attributes) {
            Self(Mode::Only(resolve(attributes.unwrap_or_default())))
        } else if given(&excluded) {
            Self(Mode::Except(resolve(excluded.unwrap_or_default())))
        } else {
            Self::ALL
        }
    }

    /// Whether the client chose anything; a PATCH is then answered with a body (RFC 7644 §3.5.2).
    pub fn is_given(&self) -> bool {
        self.0 != Mode::Default
    }

    /// Whether anything of this attribute would be shown, as `members` or
    /// `urn:…:User:manager`, so that nobody loads what nobody sees.
    pub fn wants(&self, path: &str) -> bool {
        resolve_one(path).is_some_and(|path| {
            let attribute = path.attribute.unwrap_or_default();
            let definition = definitions(path.urn).find(|a| same(a.name, attribute));
            definition.is_some_and(|definition| self.shown(path.urn, definition) != Shown::Nothing)
        })
    }

    /// The resource with the attributes that are shown. `schemas` is not in it.
    pub(crate) fn apply(&self, resource: &Resource) -> Resource {
        let core = self.apply_to(None, &resource.core);
        let extensions = resource.extensions.iter().filter_map(|(urn, attributes)| {
            let attributes = self.apply_to(Some(urn), attributes);
            (!attributes.is_empty()).then(|| (urn.clone(), attributes))
        });
        Resource { core, extensions: extensions.collect() }
    }

    fn apply_to(&self, urn: Option<&str>, attributes: &Complex) -> Complex {
        let mut shown = Complex::new();
        for (name, value) in attributes.iter() {
            let Some(definition) = definitions(urn).find(|a| same(a.name, name.as_str())) else { continue };
            let value = match self.shown(urn, definition) {
                Shown::All => Some(value.clone()),
                Shown::Nothing => None,
                Shown::Parts => self.parts(urn, definition, value),
            };
            if let Some(value) = value {
                shown.set(definition.name, value);
            }
        }
        shown
    }

    /// The parts of a complex value that are shown; `None` when nothing is left of it.
    fn parts(&self, urn: Option<&str>, attribute: &Attribute, value: &Value) -> Option<Value> {
        match value {
            Value::List(values) => {
                let values: Vec<Value> =
                    values.iter().filter_map(|one| self.parts(urn, attribute, one)).collect();
                (!values.is_empty()).then_some(Value::List(values))
            }
            Value::Complex(complex) => {
                let mut complex = complex.clone();
                complex.retain(|name, _| {
                    attribute.sub(name.as_str()).is_some_and(|sub| self.shows_sub(urn, attribute, sub))
                });
                (!complex.is_empty()).then_some(Value::Complex(complex))
            }
            simple => Some(simple.clone()),
        }
    }

    /// Whether this sub-attribute is shown, given that its attribute is in part.
    fn shows_sub(&self, urn: Option<&str>, attribute: &Attribute, sub: &Attribute) -> bool {
        let named = |paths: &[Path]| {
            paths
                .iter()
                .any(|path| path.covers(urn, attribute) && path.sub.is_none_or(|name| name == sub.name))
        };
        match (sub.returned, &self.0) {
            (Returned::Never, _) => false,
            (Returned::Always, _) => true,
            (Returned::Default, Mode::Default) => true,
            (Returned::Request, Mode::Default | Mode::Except(_)) => false,
            (_, Mode::Only(paths)) => named(paths),
            (Returned::Default, Mode::Except(paths)) => !named(paths),
        }
    }

    fn shown(&self, urn: Option<&str>, attribute: &Attribute) -> Shown {
        let whole =
            |paths: &[Path]| paths.iter().any(|path| path.covers(urn, attribute) && path.sub.is_none());
        let part =
            |paths: &[Path]| paths.iter().any(|path| path.covers(urn, attribute) && path.sub.is_some());
        match (attribute.returned, &self.0) {
            (Returned::Never, _) | (Returned::Request, Mode::Default | Mode::Except(_)) => Shown::Nothing,
            (Returned::Always, _) | (Returned::Default, Mode::Default) => Shown::All,
            (_, Mode::Only(paths)) if whole(paths) => Shown::All,
            (_, Mode::Only(paths)) if part(paths) => Shown::Parts,
            (_, Mode::Only(_)) => Shown::Nothing,
            (Returned::Default, Mode::Except(paths)) if whole(paths) => Shown::Nothing,
            (Returned::Default, Mode::Except(paths)) if part(paths) => Shown::Parts,
            (Returned::Default, Mode::Except(_)) => Shown::All,
        }
    }

    /// Whether anything of this common or core attribute is shown.
    pub(crate) fn shows(&self, attribute: &Attribute) -> bool {
        self.shown(None, attribute) != Shown::Nothing
    }

    /// Whether this part of a common or core attribute is shown.
    pub(crate) fn shows_part(&self, attribute: &Attribute, sub: &Attribute) -> bool {
        match self.shown(None, attribute) {
            Shown::All => sub.returned != Returned::Never,
            Shown::Parts => self.shows_sub(None, attribute, sub),
            Shown::Nothing => false,
        }
    }
}

impl Path {
    fn covers(&self, urn: Option<&str>, attribute: &Attribute) -> bool {
        let schema = match (self.urn, urn) {
            (None, None) => true,
            (Some(a), Some(b)) => same(a, b),
            _ => false,
        };
        schema && self.attribute.is_none_or(|name| name == attribute.name)
    }
}

fn resolve(names: Vec<String>) -> Vec<Path> {
    let mut paths = Vec::new();
    for name in names {
        if let Some(path) = resolve_one(&name).filter(|path| !paths.contains(path)) {
            paths.push(path);
        }
    }
    paths
}

fn resolve_one(name: &str) -> Option<Path> {
    let (urn, rest) = match split_urn(name) {
        Some((schema, "")) => return Some(Path { urn: extension_urn(schema), attribute: None, sub: None }),
        Some((schema, rest)) => (extension_urn(schema), rest),
        None => (None, name),
    };
    let (attribute, sub) = match rest.split_once('.') {
        Some((attribute, sub)) => (attribute, Some(sub)),
        None => (rest, None),
    };
    let attribute = definitions(urn).find(|a| same(a.name, attribute))?;
    let sub = match sub {
        Some(sub) => Some(attribute.sub(sub)?.name),
        None => None,
    };
    Some(Path { urn, attribute: Some(attribute.name), sub })
}

/// The URN if the schema is an extension.
fn extension_urn(schema: &'static Schema) -> Option<&'static str> {
    let is_base = RESOURCE_TYPES.iter().any(|ty| ty.schema.id == schema.id);
    (!is_base).then_some(schema.id)
}

/// The attributes of the extension; without one, the common and the core ones of all types. No
/// two types have an attribute of one name and different parts.
fn definitions(urn: Option<&str>) -> impl Iterator<Item = &'static Attribute> {
    let extension = urn.and_then(crate::schema::schema).map_or(&[][..], |schema| schema.attributes);
    let (common, core) = match urn {
        Some(_) => (&[][..], &[][..]),
        None => (COMMON, RESOURCE_TYPES),
    };
    extension.iter().chain(common).chain(core.iter().flat_map(|ty| ty.schema.attributes))
}

fn wrong(member: &str) -> Error {
    Error::invalid_syntax(format!("{member} takes a list of attribute names"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Projection;
    use crate::Resource;
    use crate::json::Json;
    use crate::schema::USER_TYPE;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

    fn ida() -> Resource {
        let text = format!(
            r#"{{"userName":"ida","name":{{"givenName":"Ida","familyName":"Holm"}},"externalId":"e","emails":[{{"value":"a","type":"work"}},{{"type":"home"}}],"{ENTERPRISE}":{{"department":"Ops","manager":{{"value":"m"}}}}}}"#
        );
        Resource::from_stored(&USER_TYPE, &text).unwrap()
    }

    #[track_caller]
    fn check(attributes: Option<&str>, excluded: Option<&str>, expected: &str) {
        let shown = Projection::parse(attributes, excluded).apply(&ida());
        assert_eq!(shown.to_stored(), expected.replace("ENT", ENTERPRISE));
    }

    #[test]
    fn attributes_shows_only_what_is_named() {
        check(Some("userName"), None, r#"{"userName":"ida"}"#);
        check(Some("USERNAME, externalid,nonsense"), None, r#"{"userName":"ida","externalId":"e"}"#);
        check(Some("name.familyName"), None, r#"{"name":{"familyName":"Holm"}}"#);
        check(Some("name.familyName,name"), None, r#"{"name":{"givenName":"Ida","familyName":"Holm"}}"#);
        check(Some("emails.value"), None, r#"{"emails":[{"value":"a"}]}"#);
        check(Some(&format!("{USER}:userName")), None, r#"{"userName":"ida"}"#);
        check(Some(&format!("{ENTERPRISE}:department")), None, r#"{"ENT":{"department":"Ops"}}"#);
        check(Some(&format!("{ENTERPRISE}:manager.value")), None, r#"{"ENT":{"manager":{"value":"m"}}}"#);
        check(Some(ENTERPRISE), None, r#"{"ENT":{"department":"Ops","manager":{"value":"m"}}}"#);
        check(Some("department,nonsense,userName.x,password,,"), None, "{}");
    }

    #[test]
    fn excluded_attributes_hides_only_what_is_named() {
        check(
            None,
            Some(&format!("emails,name.givenName,{ENTERPRISE}:manager,id,nonsense")),
            r#"{"userName":"ida","name":{"familyName":"Holm"},"externalId":"e","ENT":{"department":"Ops"}}"#,
        );
        check(
            None,
            Some(&format!("name.givenName,name.familyName,emails.type,externalId,{ENTERPRISE}")),
            r#"{"userName":"ida","emails":[{"value":"a"}]}"#,
        );
        check(
            None,
            Some(USER),
            &format!(r#"{{"ENT":{}}}"#, r#"{"department":"Ops","manager":{"value":"m"}}"#),
        );
    }

    #[test]
    fn attributes_wins_and_an_empty_parameter_chooses_nothing() {
        check(Some("externalId"), Some("externalId"), r#"{"externalId":"e"}"#);
        assert!(!Projection::parse(Some(""), Some(" , ")).is_given());
        assert!(Projection::parse(Some("nonsense"), None).is_given());
        assert_eq!(Projection::parse(Some(""), Some("emails")), Projection::parse(None, Some("emails")));
    }

    #[test]
    fn what_nobody_sees_need_not_be_loaded() {
        let only = |names| Projection::parse(Some(names), None);
        let except = |names| Projection::parse(None, Some(names));
        for (projection, path, wanted) in [
            (Projection::ALL, "members", true),
            (Projection::ALL, "password", false),
            (Projection::ALL, "nonsense", false),
            (only("displayName"), "members", false),
            (only("displayName,members.value"), "members", true),
            (only("id"), "groups", false),
            (only("id"), "id", true),
            (only("userName"), "schemas", true),
            (except("members"), "members", false),
            (except("MEMBERS,groups"), "groups", false),
            (except("members.display"), "members", true),
            (except("id,schemas"), "id", true),
            (except("meta"), "meta", false),
        ] {
            assert_eq!(projection.wants(path), wanted, "{projection:?} {path}");
        }
    }

    #[test]
    fn a_search_body_names_attributes_in_a_list() {
        let of = |body: serde_json::Value| Projection::of_body(&Json::from(body));
        assert_eq!(
            of(json!({"attributes": ["userName", "id"]})),
            Ok(Projection::parse(Some("userName,id"), None))
        );
        assert_eq!(
            of(json!({"excludedattributes": "userName,id"})),
            Ok(Projection::parse(None, Some("userName,id")))
        );
        assert_eq!(of(json!({"attributes": [], "excludedAttributes": null})), Ok(Projection::ALL));
        for wrong in [json!({"attributes": 1}), json!({"attributes": [1]})] {
            assert!(of(wrong).is_err());
        }
    }
}
