//! ServiceProviderConfig, ResourceTypes and Schemas (RFC 7643 §5 to §8, RFC 9865 §4).

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{ENTERPRISE, GROUP, USER, assert_list, read};
use crate::support::{list, text};

/// An attribute with what must be said of it: mutability, returned, uniqueness, required,
/// multi-valued, exact case.
type Said = (&'static str, &'static str, &'static str, &'static str, bool, bool, Option<bool>);

const USER_ATTRIBUTES: &[Said] = &[
    ("userName", "readWrite", "default", "server", true, false, Some(false)),
    ("name", "readWrite", "default", "none", false, false, None),
    ("displayName", "readWrite", "default", "none", false, false, Some(false)),
    ("active", "readWrite", "default", "none", false, false, None),
    ("password", "writeOnly", "never", "none", false, false, None),
    ("emails", "readWrite", "default", "none", false, true, None),
    ("phoneNumbers", "readWrite", "default", "none", false, true, None),
    ("addresses", "readWrite", "default", "none", false, true, None),
    ("groups", "readOnly", "default", "none", false, true, None),
    ("roles", "readWrite", "default", "none", false, true, None),
    ("entitlements", "readWrite", "default", "none", false, true, None),
    ("x509Certificates", "readWrite", "default", "none", false, true, None),
];

fn named<'a>(attributes: &'a [Value], name: &str) -> &'a Value {
    attributes.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {attributes:?}"))
}

on_both! {
    async fn the_configuration_is_whole_and_true(server: &Server) {
        let scim = server.workspace("config").await.scim();
        let config = read(&scim, "/ServiceProviderConfig").await;
        assert_eq!(config["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
        assert_eq!(config.get("id"), None, "it has no id (RFC 7643 §5)");
        for key in ["patch", "bulk", "filter", "sort", "etag"] {
            assert_eq!(config[key]["supported"], json!(true), "{key}: {config}");
        }
        let scheme = &config["authenticationSchemes"][0];
        assert_eq!(scheme["type"], "oauthbearertoken", "{scheme}");
        assert!(!text(scheme, "/name").is_empty() && !text(scheme, "/description").is_empty(), "{scheme}");
        let pagination = &config["pagination"];
        assert_eq!((&pagination["cursor"], &pagination["index"]), (&json!(true), &json!(true)), "{config}");
        assert_eq!(pagination["defaultPaginationMethod"], "index", "{config}");
        assert_eq!(text(&config, "/meta/resourceType"), "ServiceProviderConfig");
        assert!(text(&config, "/meta/location").ends_with("/v1/scim/v2/ServiceProviderConfig"), "{config}");
        assert!(!config.to_string().contains("null"), "{config}");
    }

    async fn resource_types_name_their_endpoints_and_extensions(server: &Server) {
        let scim = server.workspace("types").await.scim();
        let found = read(&scim, "/ResourceTypes?startIndex=2&count=1&sortBy=name").await;
        assert_list(&found);
        let types = list(&found, "/Resources");
        assert_eq!(json!(types.len()), found["totalResults"], "paging does not apply here: {found}");
        let user = types.iter().find(|one| one["name"] == "User").expect("User");
        assert_eq!((&user["endpoint"], &user["schema"]), (&json!("/Users"), &json!(USER)));
        assert_eq!(user["schemaExtensions"], json!([{"schema": ENTERPRISE, "required": false}]));
        let group = types.iter().find(|one| one["name"] == "Group").expect("Group");
        assert_eq!((&group["endpoint"], &group["schema"]), (&json!("/Groups"), &json!(GROUP)));
        for one in types {
            assert_eq!(
                one["schemas"],
                json!(["urn:ietf:params:scim:schemas:core:2.0:ResourceType"]),
                "{one}"
            );
            assert_eq!(text(one, "/meta/resourceType"), "ResourceType");
            let at = text(one, "/meta/location");
            assert!(at.ends_with(&format!("/ResourceTypes/{}", text(one, "/id"))), "{one}");
        }
    }

    async fn schemas_say_of_each_attribute_what_the_standard_says(server: &Server) {
        let scim = server.workspace("schemas").await.scim();
        let found = read(&scim, "/Schemas?count=1").await;
        assert_list(&found);
        let urns: Vec<&str> = list(&found, "/Resources").iter().map(|one| text(one, "/id")).collect();
        for urn in [USER, GROUP, ENTERPRISE] {
            assert!(urns.contains(&urn), "{urns:?}");
        }
        let user = read(&scim, &format!("/Schemas/{USER}")).await;
        let attributes = list(&user, "/attributes");
        for (name, mutability, returned, uniqueness, required, multi, exact) in USER_ATTRIBUTES {
            let one = named(attributes, name);
            assert_eq!(text(one, "/mutability"), *mutability, "{one}");
            assert_eq!(text(one, "/returned"), *returned, "{one}");
            assert_eq!(one.get("uniqueness").and_then(Value::as_str).unwrap_or("none"), *uniqueness, "{one}");
            assert_eq!((&one["required"], &one["multiValued"]), (&json!(required), &json!(multi)), "{one}");
            if let Some(exact) = exact {
                assert_eq!(one["caseExact"], json!(exact), "{one}");
            }
        }
        let address = list(named(attributes, "addresses"), "/subAttributes");
        named(address, "primary");
        let types = &named(list(named(attributes, "emails"), "/subAttributes"), "type")["canonicalValues"];
        assert_eq!(types, &json!(["work", "home", "other"]));
        let group = read(&scim, &format!("/Schemas/{GROUP}")).await;
        assert_eq!(named(list(&group, "/attributes"), "displayName")["required"], json!(true));
        let members = named(list(&group, "/attributes"), "members");
        assert_eq!(named(list(members, "/subAttributes"), "value")["mutability"], "immutable");
        let enterprise = read(&scim, &format!("/Schemas/{ENTERPRISE}")).await;
        let manager = named(list(&enterprise, "/attributes"), "manager");
        assert_eq!(named(list(manager, "/subAttributes"), "displayName")["mutability"], "readOnly");
        for name in ["employeeNumber", "costCenter", "organization", "division", "department"] {
            named(list(&enterprise, "/attributes"), name);
        }
    }

    async fn links_are_built_from_the_configured_base_and_never_from_the_request(server: &Server) {
        let scim = server.workspace("links").await.scim();
        let id = crate::support::scim::user_id(&scim, "ida@corp.example").await;
        for path in [
            format!("/Users/{id}"),
            "/ServiceProviderConfig".to_owned(),
            "/ResourceTypes/User".to_owned(),
            format!("/Schemas/{USER}"),
        ] {
            let plain = scim.get(&path).await.expect(200).text();
            let forged = [
                ("host", "evil.example"),
                ("x-forwarded-host", "evil.example"),
                ("forwarded", "host=evil.example"),
            ];
            assert_eq!(scim.send("GET", &path, &forged, "").await.expect(200).text(), plain);
        }
        let config = read(&scim, "/ServiceProviderConfig").await;
        let base = text(&config, "/meta/location").trim_end_matches("/ServiceProviderConfig");
        let user = read(&scim, &format!("/Users/{id}")).await;
        assert_eq!(text(&user, "/meta/location"), format!("{base}/Users/{id}"));
        let unscoped = server.client().get("/v1/scim/v2/ServiceProviderConfig").await;
        assert!(matches!(unscoped.status, 200 | 401), "{unscoped:?}");
    }
}
