use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::json;

use super::{ListQuery, ListResponse, Page, SortKey, SortOrder, SortValue, Sorting};
use crate::json::Json;
use crate::projection::Projection;
use crate::schema::USER_TYPE;
use crate::{Error, Limits, Resource};

fn parse(query: &[(&str, &str)]) -> Result<ListQuery, Error> {
    ListQuery::parse(query.iter().copied(), &Limits::default())
}

#[track_caller]
fn check_page(query: &[(&str, &str)], expected: Page) {
    assert_eq!(parse(query).unwrap().page, expected, "{query:?}");
}

#[track_caller]
fn check_refused(result: Result<ListQuery, Error>, scim_type: &str, detail: &str) {
    let error = result.unwrap_err();
    assert_eq!(
        (error.status, error.scim_type.unwrap().as_str(), error.detail.as_str()),
        (400, scim_type, detail)
    );
}

#[test]
fn pages_by_index_follow_rfc_7644() {
    let index = |start, count| Page::Index { start, count };
    check_page(&[], index(1, 100));
    check_page(&[("startIndex", "3"), ("count", "2")], index(3, 2));
    check_page(&[("startIndex", "0"), ("count", "-5")], index(1, 0));
    check_page(&[("startIndex", "-7"), ("count", "0")], index(1, 0));
    check_page(&[("STARTINDEX", "2"), ("Count", "5000")], index(2, 1000));
    check_page(&[("startIndex", "99999999999999999999999")], index(usize::MAX, 100));
    check_page(&[("startIndex", ""), ("count", "")], index(1, 100));
}

#[test]
fn pages_by_cursor_follow_rfc_9865() {
    let cursor = |cursor: Option<&str>, count| Page::Cursor { cursor: cursor.map(str::to_owned), count };
    check_page(&[("cursor", "")], cursor(None, 100));
    check_page(&[("cursor", "abc"), ("count", "7")], cursor(Some("abc"), 7));
    check_page(&[("cursor", "abc"), ("count", "7000")], cursor(Some("abc"), 1000));
    check_refused(parse(&[("cursor", ""), ("count", "x")]), "invalidCount", "count takes a whole number");
    check_refused(
        parse(&[("cursor", "a"), ("startIndex", "1")]),
        "invalidValue",
        "startIndex and cursor exclude each other; send one of them",
    );
}

#[test]
fn the_rest_is_kept_as_sent_and_unknown_parameters_are_ignored() {
    let query = parse(&[
        ("aadOptscim062020", ""),
        ("filter", "userName eq \"ida\""),
        ("sortBy", "name.familyName"),
        ("sortOrder", "Descending"),
        ("attributes", "id"),
        ("excludedAttributes", "emails"),
    ]);
    let sort = Sorting { by: "name.familyName".into(), order: SortOrder::Descending };
    assert_eq!(
        query,
        Ok(ListQuery {
            filter: Some("userName eq \"ida\"".into()),
            sort: Some(sort),
            page: Page::Index { start: 1, count: 100 },
            projection: Projection::parse(Some("id"), None),
        })
    );
    assert_eq!(parse(&[("filter", " "), ("sortBy", ""), ("sortOrder", "")]), parse(&[]));
}

#[test]
fn what_is_no_query_is_refused() {
    check_refused(parse(&[("count", "1.5")]), "invalidValue", "count takes a whole number");
    check_refused(parse(&[("count", "-")]), "invalidValue", "count takes a whole number");
    check_refused(parse(&[("startIndex", "one")]), "invalidValue", "startIndex takes a whole number, from 1");
    check_refused(parse(&[("sortOrder", "down")]), "invalidValue", "sortOrder takes ascending or descending");
    check_refused(
        parse(&[("filter", "a pr"), ("Filter", "b pr")]),
        "invalidValue",
        "the parameter Filter is there twice; send it once",
    );
}

#[test]
fn a_search_body_is_the_same_query() {
    let of = |body: serde_json::Value| ListQuery::of_body(&Json::from(body), &Limits::default());
    const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
    let body = json!({"schemas": [SEARCH], "filter": "active eq true", "startIndex": 2, "count": "5",
        "sortBy": "userName", "attributes": ["userName"], "cursor": null, "extra": {}});
    let same = [
        ("filter", "active eq true"),
        ("startIndex", "2"),
        ("count", "5"),
        ("sortBy", "userName"),
        ("attributes", "userName"),
    ];
    assert_eq!(of(body), parse(&same));
    check_refused(of(json!([])), "invalidSyntax", "a search is a JSON object; the body is an array");
    check_refused(
        of(json!({"schemas": [SEARCH], "filter": []})),
        "invalidSyntax",
        "filter takes one value, not an array",
    );
    check_refused(
        of(json!({"schemas": [SEARCH], "count": 1.5})),
        "invalidValue",
        "count takes a whole number",
    );
    check_refused(
        of(json!({"filter": "active eq true"})),
        "invalidValue",
        &format!("schemas does not name a search; send \"schemas\": [{SEARCH:?}]"),
    );
}

#[test]
fn a_cursor_is_bound_to_list_filter_and_order_and_to_nothing_else() {
    let of = |query: &[(&str, &str)]| parse(query).unwrap().identity("/Users");
    let base = of(&[("filter", "a pr"), ("sortBy", "b")]);
    assert_eq!(
        base,
        of(&[("sortBy", "b"), ("filter", "a pr"), ("count", "7"), ("attributes", "id"), ("cursor", "x")])
    );
    for other in [
        of(&[("filter", "a pr")]),
        of(&[("filter", "a prb")]),
        of(&[("filter", "a pr"), ("sortBy", "b"), ("sortOrder", "descending")]),
        of(&[("filter", "a pr 1:b"), ("sortBy", "b")]),
        parse(&[("filter", "a pr"), ("sortBy", "b")]).unwrap().identity("/Groups"),
    ] {
        assert_ne!(base, other);
    }
}

#[test]
fn a_list_is_written_resource_by_resource() {
    let empty = ListResponse::new(Some(0), Some(1)).finish(None);
    assert_eq!(
        empty,
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"Resources":[],"itemsPerPage":0}"#
    );
    let mut list = ListResponse::new(None, None);
    list.push(r#"{"id":"1"}"#);
    let failed: Result<(), &str> = list.push_with(|out| {
        out.push_str("{\"id");
        Err("damaged")
    });
    assert_eq!(failed, Err("damaged"));
    let written: Result<(), &str> = list.push_with(|out| {
        out.push_str(r#"{"id":"2"}"#);
        Ok(())
    });
    assert_eq!(written, Ok(()));
    assert_eq!(
        list.finish(Some("next")),
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[{"id":"1"},{"id":"2"}],"itemsPerPage":2,"nextCursor":"next"}"#
    );
}

fn key(by: &str, order: SortOrder) -> Result<SortKey, Error> {
    SortKey::resolve(&Sorting { by: by.to_owned(), order }, &USER_TYPE)
}

#[track_caller]
fn check_order(by: &str, resources: &[&str], ascending: &[usize]) {
    let resources: Vec<Resource> =
        resources.iter().map(|text| Resource::from_stored(&USER_TYPE, text).unwrap()).collect();
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        let key = key(by, order).unwrap();
        let mut at: Vec<usize> = (0..resources.len()).collect();
        at.sort_by(|a, b| key.compare(&key.value(&resources[*a]), &key.value(&resources[*b])));
        let mut expected = ascending.to_vec();
        if order == SortOrder::Descending {
            expected.reverse();
        }
        assert_eq!(at, expected, "{by} {order:?}");
    }
}

#[test]
fn order_folds_case_where_the_schema_says_so_and_puts_the_absent_last() {
    let users = [r#"{"userName":"b"}"#, r#"{"userName":"A"}"#, "{}", r#"{"userName":"C"}"#];
    check_order("userName", &users, &[1, 0, 3, 2]);
    check_order("USERNAME", &users, &[1, 0, 3, 2]);
    check_order("externalId", &[r#"{"externalId":"a"}"#, r#"{"externalId":"B"}"#], &[1, 0]);
    check_order("active", &[r#"{"active":true}"#, r#"{"active":false}"#, "{}"], &[1, 0, 2]);
    check_order(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        &[
            r#"{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"b"}}"#,
            r#"{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"a"}}"#,
        ],
        &[1, 0],
    );
}

#[test]
fn several_values_are_sorted_by_the_primary_one_else_the_first() {
    let users = [
        r#"{"emails":[{"value":"c"},{"value":"a"}]}"#,
        r#"{"emails":[{"value":"z"},{"value":"b","primary":true}]}"#,
        r#"{"emails":[{"type":"work"}]}"#,
    ];
    check_order("emails", &users, &[1, 0, 2]);
    check_order("emails.value", &users, &[1, 0, 2]);
}

#[test]
fn dates_are_sorted_by_instant() {
    let users = [
        r#"{"meta":{"created":"2026-01-01T12:00:00+02:00"}}"#,
        r#"{"meta":{"created":"2026-01-01T11:00:00Z"}}"#,
        r#"{"meta":{"created":"2026-01-01T09:59:59Z"}}"#,
    ];
    check_order("meta.created", &users, &[2, 0, 1]);
}

#[test]
fn an_order_that_no_schema_knows_is_refused() {
    for (by, scim_type) in
        [("hat", "invalidPath"), ("name", "invalidPath"), ("a..b", "invalidPath"), ("password", "sensitive")]
    {
        let error = key(by, SortOrder::Ascending).unwrap_err();
        assert_eq!((error.status, error.scim_type.unwrap().as_str()), (400, scim_type), "{by}");
    }
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(pairs in prop::collection::vec(("filter|sortBy|startIndex|count|cursor|x", ".{0,12}"), 0..6)) {
        let _ = ListQuery::parse(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())), &Limits::default());
    }

    #[test]
    fn the_order_is_total(texts in prop::collection::vec(prop::option::of("[aAbB]{0,2}"), 3)) {
        let key = key("title", SortOrder::Ascending).unwrap();
        let values: Vec<_> = texts.iter().map(|text| {
            let mut resource = Resource::default();
            if let Some(text) = text {
                resource.core.set("title", crate::Value::String(text.clone()));
            }
            key.value(&resource)
        }).collect();
        let [a, b, c] = &values[..] else { unreachable!() };
        prop_assert_eq!(key.compare(a, b), key.compare(b, a).reverse());
        if key.compare(a, b) != Ordering::Greater && key.compare(b, c) != Ordering::Greater {
            prop_assert_ne!(key.compare(a, c), Ordering::Greater);
        }
    }
}

#[test]
fn what_a_page_ended_with_is_carried_along_and_reads_as_the_same_place() {
    let instant = crate::resource::instant("2026-03-02T09:00:00.123456Z").unwrap();
    for value in [
        SortValue::Bool(true),
        SortValue::Bool(false),
        SortValue::Number(-1.5),
        SortValue::Instant(instant),
        SortValue::Text("ærø".into()),
        SortValue::Text(String::new()),
        SortValue::Nothing,
    ] {
        assert_eq!(SortValue::of_key(&value.to_key().unwrap()), Some(value));
    }
    assert_eq!(SortValue::Text("x".repeat(5_000)).to_key(), None, "it would not fit into a URL");
    for broken in [&b""[..], b"x", b"n1", b"i", b"t\xff", b"-x"] {
        assert_eq!(SortValue::of_key(broken), None, "{broken:?}");
    }
}
