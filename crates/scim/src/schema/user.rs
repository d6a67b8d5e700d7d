//! The core User (RFC 7643 §4.1) and its enterprise extension (§4.3).

use super::shape::{complex, list, reference, text};
use super::{Attribute, Mutability, Returned, Schema, Type, Uniqueness};

/// RFC 7643 §4.1.
pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person who has, or can have, an account.",
    attributes: &[
        Attribute {
            required: true,
            uniqueness: Uniqueness::Server,
            ..text("userName", "The name that the person is known by here; unique, compared without case.")
        },
        complex(
            "name",
            "The parts of the person's real name.",
            &[
                text("formatted", "The whole name as it is written, with titles and suffixes."),
                text("familyName", "The last name in most Western languages."),
                text("givenName", "The first name in most Western languages."),
                text("middleName", "The middle names."),
                text("honorificPrefix", "What goes before the name, as Dr."),
                text("honorificSuffix", "What goes behind the name, as III."),
            ],
        ),
        text("displayName", "The name to show to people."),
        text("nickName", "What the person is called casually."),
        Attribute {
            reference_types: &["external"],
            ..reference("profileUrl", "The address of a page about the person.")
        },
        text("title", "The position, as Vice President."),
        text("userType", "The relation to the organization, as Employee or Contractor."),
        text("preferredLanguage", "The languages to address the person in, as in an Accept-Language header."),
        text("locale", "The place whose formats of dates, numbers and currency are used, as en-GB."),
        text("timezone", "The time zone by its IANA name, as Europe/Paris."),
        Attribute {
            kind: Type::Boolean,
            ..text("active", "Whether the person may use the service. False cuts off all access.")
        },
        Attribute {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            ..text("password", "Accepted and not kept: people sign in through their directory.")
        },
        list(
            "emails",
            "The mail addresses.",
            &[text("value", "The address, as given."), DISPLAY, typed(&["work", "home", "other"]), PRIMARY],
        ),
        list(
            "phoneNumbers",
            "The phone numbers.",
            &[
                text("value", "The number, as given."),
                DISPLAY,
                typed(&["work", "home", "mobile", "fax", "pager", "other"]),
                PRIMARY,
            ],
        ),
        list(
            "ims",
            "The addresses for instant messages.",
            &[
                text("value", "The address."),
                DISPLAY,
                typed(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
                PRIMARY,
            ],
        ),
        list(
            "photos",
            "Pictures of the person.",
            &[
                Attribute {
                    reference_types: &["external"],
                    ..reference("value", "The address of a picture.")
                },
                DISPLAY,
                typed(&["photo", "thumbnail"]),
                PRIMARY,
            ],
        ),
        list(
            "addresses",
            "The postal addresses.",
            &[
                text("formatted", "The whole address, as on a letter; may have several lines."),
                text("streetAddress", "House number, street, box; may have several lines."),
                text("locality", "The city."),
                text("region", "The state or region."),
                text("postalCode", "The postal code."),
                text("country", "The country by its two letters (ISO 3166-1 alpha-2)."),
                typed(&["work", "home", "other"]),
                // In the text of §4.1.2 and §2.4, and left out of the JSON of §8.7.1.
                PRIMARY,
            ],
        ),
        Attribute {
            mutability: Mutability::ReadOnly,
            ..list(
                "groups",
                "The groups that the person is in; changed through the groups.",
                &[
                    Attribute {
                        mutability: Mutability::ReadOnly,
                        case_exact: true,
                        ..text("value", "The group's id.")
                    },
                    Attribute {
                        mutability: Mutability::ReadOnly,
                        // RFC 7643 §8.7.1 lists User too, by mistake: users are not in users.
                        reference_types: &["Group"],
                        ..reference("$ref", "The group's address.")
                    },
                    Attribute { mutability: Mutability::ReadOnly, ..text("display", "The group's name.") },
                    Attribute {
                        mutability: Mutability::ReadOnly,
                        canonical_values: &["direct", "indirect"],
                        ..text("type", "Whether the person is in the group itself or in a group within it.")
                    },
                ],
            )
        },
        list(
            "entitlements",
            "What the person is entitled to.",
            &[text("value", "The entitlement."), DISPLAY, TYPE, PRIMARY],
        ),
        list("roles", "The person's roles.", &[text("value", "The role."), DISPLAY, TYPE, PRIMARY]),
        list(
            "x509Certificates",
            "The certificates issued to the person.",
            &[
                Attribute {
                    kind: Type::Binary,
                    case_exact: true,
                    ..text("value", "The certificate in DER, as base64.")
                },
                DISPLAY,
                TYPE,
                PRIMARY,
            ],
        ),
    ],
};

/// RFC 7643 §4.3.
pub static ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "What an organization knows of a person who works for it.",
    attributes: &[
        text("employeeNumber", "The number or code that the organization gave the person."),
        text("costCenter", "The cost center."),
        text("organization", "The organization."),
        text("division", "The division."),
        text("department", "The department."),
        complex(
            "manager",
            "The person's manager.",
            &[
                Attribute { case_exact: true, ..text("value", "The id of the manager's User.") },
                Attribute {
                    reference_types: &["User"],
                    ..reference("$ref", "The address of the manager's User.")
                },
                Attribute { mutability: Mutability::ReadOnly, ..text("displayName", "The manager's name.") },
            ],
        ),
    ],
};

const DISPLAY: Attribute = text("display", "The value as shown to people.");

const TYPE: Attribute = text("type", "What the value is for.");

const PRIMARY: Attribute = Attribute {
    kind: Type::Boolean,
    ..text("primary", "Whether this is the preferred value; true for one value at most.")
};

const fn typed(canonical_values: &'static [&'static str]) -> Attribute {
    Attribute { canonical_values, ..TYPE }
}
