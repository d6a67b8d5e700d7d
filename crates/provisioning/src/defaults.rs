//! The mappings that a new job begins with.

use latchkey_expr::Program;

use crate::entry::Kind;
use crate::mapping::{Apply, AttributeMapping, Flow, ObjectMapping, Reference, Source};
use crate::scope::Scope;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ACTIVE: &str = r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#;

/// One row: where from, where to, and its rank in matching.
type Row = (&'static str, &'static str, Option<u32>);

/// What a generic SCIM application gets of a person, as Entra ID begins.
const USER: &[Row] = &[
    ("userPrincipalName", "userName", Some(1)),
    (ACTIVE, "active", None),
    ("displayName", "displayName", None),
    ("jobTitle", "title", None),
    ("mail", "emails[type eq \"work\"].value", None),
    ("preferredLanguage", "preferredLanguage", None),
    ("givenName", "name.givenName", None),
    ("surname", "name.familyName", None),
    ("Join(\" \", [givenName], [surname])", "name.formatted", None),
    ("physicalDeliveryOfficeName", "addresses[type eq \"work\"].formatted", None),
    ("streetAddress", "addresses[type eq \"work\"].streetAddress", None),
    ("city", "addresses[type eq \"work\"].locality", None),
    ("state", "addresses[type eq \"work\"].region", None),
    ("postalCode", "addresses[type eq \"work\"].postalCode", None),
    ("country", "addresses[type eq \"work\"].country", None),
    ("telephoneNumber", "phoneNumbers[type eq \"work\"].value", None),
    ("mobile", "phoneNumbers[type eq \"mobile\"].value", None),
    ("facsimileTelephoneNumber", "phoneNumbers[type eq \"fax\"].value", None),
    ("mailNickname", "externalId", None),
    ("employeeId", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", None),
    ("department", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", None),
];

/// What Latchkey needs of a person, and no more.
const LATCHKEY_USER: &[Row] = &[
    ("userPrincipalName", "userName", Some(1)),
    ("mail", "emails[type eq \"work\"].value", Some(2)),
    (ACTIVE, "active", None),
    ("givenName", "name.givenName", None),
    ("surname", "name.familyName", None),
    ("objectId", "externalId", None),
];

const GROUP: &[Row] = &[("displayName", "displayName", Some(1)), ("objectId", "externalId", None)];

/// People at a generic SCIM application: 21 attributes and the manager.
pub fn users() -> ObjectMapping {
    let mut mapping = mapping_of(Kind::User, USER);
    mapping.attributes.push(reference(&format!("{ENTERPRISE}:manager"), Reference::Manager));
    mapping
}

/// People at Latchkey.
pub fn latchkey_users() -> ObjectMapping {
    mapping_of(Kind::User, LATCHKEY_USER)
}

/// Groups, at Latchkey and everywhere else.
pub fn groups() -> ObjectMapping {
    let mut mapping = mapping_of(Kind::Group, GROUP);
    mapping.attributes.push(reference("members", Reference::Members));
    mapping
}

fn mapping_of(kind: Kind, rows: &[Row]) -> ObjectMapping {
    let attributes = rows.iter().filter_map(row).collect();
    ObjectMapping { kind, enabled: true, flow: Flow::ALL, scope: Scope::default(), attributes }
}

/// `None` for a row that does not compile; a test sees to it that there is none.
fn row((source, target, matching): &Row) -> Option<AttributeMapping> {
    let source = if source.ends_with(')') {
        Source::Expression(Box::new(Program::compile(source).ok()?))
    } else {
        Source::Direct((*source).to_owned())
    };
    Some(AttributeMapping {
        target: target.parse().ok()?,
        source,
        default: None,
        matching: *matching,
        apply: Apply::Always,
        clears: true,
    })
}

fn reference(target: &str, reference: Reference) -> AttributeMapping {
    AttributeMapping {
        target: target.parse().unwrap_or_else(|_| crate::TargetPath {
            urn: None,
            attribute: target.to_owned(),
            which: None,
            sub: None,
        }),
        source: Source::Reference(reference),
        default: None,
        matching: None,
        apply: Apply::Always,
        clears: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_whole() {
        assert_eq!(users().attributes.len(), 22);
        assert_eq!(latchkey_users().attributes.len(), 6);
        assert_eq!(groups().attributes.len(), 3);
        assert!(users().can_disable() && latchkey_users().can_disable() && !groups().can_disable());
    }
}
