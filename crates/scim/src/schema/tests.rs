use super::{
    Attribute, COMMON, ENTERPRISE_USER, GROUP, Mutability, Returned, SCHEMAS, Type, USER, USER_TYPE,
    split_urn,
};

#[test]
fn a_qualified_name_is_cut_behind_the_longest_urn() {
    let cases = [
        ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", Some((&USER, "name.familyName"))),
        ("URN:ietf:params:scim:schemas:CORE:2.0:user", Some((&USER, ""))),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            Some((&ENTERPRISE_USER, "manager.value")),
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"a:b\"]",
            Some((&GROUP, "members[value eq \"a:b\"]")),
        ),
        ("urn:ietf:params:scim:schemas:core:2.0:Users", None),
        ("urn:ietf:params:scim:schemas:core:2.0:User.userName", None),
        ("urn:ietf:params:scim:schemas:core:2", None),
        ("userName", None),
        ("é", None),
        ("", None),
    ];
    for (text, expected) in cases {
        let found = split_urn(text).map(|(schema, rest)| (schema.id, rest));
        assert_eq!(found, expected.map(|(schema, rest)| (schema.id, rest)), "{text}");
    }
}

#[test]
fn names_are_found_in_any_case() {
    assert_eq!(USER_TYPE.core_attribute("username").unwrap().name, "userName");
    assert_eq!(USER_TYPE.core_attribute("EXTERNALID").unwrap().name, "externalId");
    assert_eq!(USER_TYPE.core_attribute("emails").unwrap().sub("TYPE").unwrap().name, "type");
    assert!(USER_TYPE.core_attribute("department").is_none());
    assert_eq!(USER_TYPE.schema(&ENTERPRISE_USER.id.to_uppercase()).unwrap().id, ENTERPRISE_USER.id);
    assert!(USER_TYPE.schema(GROUP.id).is_none());
}

/// The rules of RFC 7643 that bind definitions to each other.
#[test]
fn every_definition_is_consistent() {
    fn check(path: &str, attribute: &Attribute, top: bool) {
        let path = format!("{path}.{}", attribute.name);
        let mut name = attribute.name.chars();
        let first = name.next().unwrap();
        assert!(attribute.name == "$ref" || first.is_ascii_alphabetic(), "{path}: §2.1");
        assert!(name.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{path}: §2.1");
        assert!(!attribute.description.is_empty(), "{path}");
        assert_eq!(attribute.kind == Type::Complex, !attribute.sub_attributes.is_empty(), "{path}");
        assert!(top || attribute.kind != Type::Complex, "{path}: complex within complex, §2.3.8");
        if matches!(attribute.kind, Type::Reference | Type::Binary) {
            assert!(attribute.case_exact, "{path}: §2.3.6, §2.3.7");
        }
        if attribute.mutability == Mutability::WriteOnly {
            assert_eq!(attribute.returned, Returned::Never, "{path}: §2.2");
        }
        if attribute.mutability == Mutability::ReadOnly {
            assert!(attribute.sub_attributes.iter().all(|a| a.mutability == Mutability::ReadOnly), "{path}");
        }
        let mut names: Vec<_> = attribute.sub_attributes.iter().map(|a| a.name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), attribute.sub_attributes.len(), "{path}: a name twice");
        attribute.sub_attributes.iter().for_each(|sub| check(&path, sub, false));
    }
    for schema in SCHEMAS {
        schema.attributes.iter().for_each(|attribute| check(schema.id, attribute, true));
        assert!(schema.attributes.iter().all(|a| COMMON.iter().all(|c| c.name != a.name)), "§3.1");
    }
    COMMON.iter().for_each(|attribute| check("common", attribute, true));
}
