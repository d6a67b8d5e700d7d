//! Filters, order and pages.

use crate::world::World;
use latchkey_engine::Error;
use latchkey_engine::directory::{GroupShown, Listed, UserAnswer};
use latchkey_scim::Limits;
use latchkey_scim::list::ListQuery;
use serde_json::json;

on_both! {
    a_filter_finds_the_same_whether_an_index_or_the_evaluator_answers,
    an_instant_is_compared_as_clients_see_it,
    every_way_of_paging_shows_each_user_once,
    a_cursor_is_for_its_query_and_its_workspace_alone,
    a_sorted_walk_goes_on_where_it_was_when_the_last_one_shown_is_changed_or_gone,
    a_list_of_groups_shows_each_ones_own_members,
    a_filter_on_members_is_answered_by_index_or_refused_but_never_with_an_empty_200,
}

async fn try_list(world: &World, pairs: &[(&str, &str)]) -> Result<Listed<UserAnswer>, Error> {
    let limits = Limits::default();
    let query = ListQuery::parse(pairs.iter().copied(), &limits).unwrap();
    world.directory().user_list(&query, &limits).await
}

async fn list(world: &World, pairs: &[(&str, &str)]) -> Listed<UserAnswer> {
    try_list(world, pairs).await.unwrap()
}

fn names(listed: &Listed<UserAnswer>) -> Vec<&str> {
    listed.items.iter().map(|user| user.member.user_name.split('@').next().unwrap()).collect()
}

async fn people(world: &World) {
    for name in ["ida", "Bo", "cleo", "dan", "eva"] {
        world.user(name).await;
    }
}

async fn a_filter_finds_the_same_whether_an_index_or_the_evaluator_answers(world: World) {
    people(&world).await;
    let dan = list(&world, &[("filter", r#"userName eq "DAN@corp.example""#)]).await;
    assert_eq!((names(&dan), dan.total), (vec!["dan"], Some(1)));
    world.set_active(dan.items[0].member.id, false).await;
    let id = dan.items[0].member.id.to_string();
    let by_id = format!(r#"id eq "{id}""#);
    let cases: &[(&str, &[&str])] = &[
        (r#"userName eq "nobody""#, &[]),
        (r#"userName sw "b""#, &["Bo"]),
        (r#"userName co "corp" and active eq false"#, &["dan"]),
        (r#"not (active eq true)"#, &["dan"]),
        (r#"externalId eq "ext-ida""#, &["ida"]),
        (r#"externalId eq "EXT-IDA""#, &[]),
        (r#"emails.value eq "Cleo@Home.example""#, &["cleo"]),
        (r#"emails[type eq "work"].value eq "eva@corp.example""#, &["eva"]),
        (r#"emails[type eq "work"].value eq "eva@home.example""#, &[]),
        (r#"emails[type eq "home"].value eq "eva@home.example""#, &["eva"]),
        (r#"name.givenName eq "bo""#, &["Bo"]),
        (r#"name.givenName eq "bo" or userName sw "e""#, &["Bo", "eva"]),
        (r#"userName gt "d" and userName lt "eva""#, &["dan"]),
        (r#"title pr"#, &[]),
        (r#"meta.created gt "2030-01-01T00:00:00Z""#, &[]),
        (&by_id, &["dan"]),
        (r#"id eq "nonsense""#, &[]),
    ];
    for (filter, expected) in cases {
        let mut listed = list(&world, &[("filter", filter), ("count", "100")]).await;
        listed.items.retain(|user| !user.member.user_name.starts_with("olga"));
        assert_eq!(names(&listed), *expected, "{filter}");
        // What the index answers the evaluator answers too: joined to a term that no column knows.
        let both = format!("({filter}) and not (title eq \"x\")");
        let mut evaluated = list(&world, &[("filter", &both)]).await;
        evaluated.items.retain(|user| !user.member.user_name.starts_with("olga"));
        assert_eq!(names(&evaluated), *expected, "{both}");
    }
}

async fn an_instant_is_compared_as_clients_see_it(world: World) {
    people(&world).await;
    let all = list(&world, &[]).await;
    let seen = all.items[2].member.modified_at.to_string();
    let count = |op: &str| format!(r#"meta.lastModified {op} "{seen}""#);
    for (op, expected) in [
        ("eq", 1),
        ("gt", all.items.len() - 3),
        ("ge", all.items.len() - 2),
        ("lt", 2),
        ("le", 3),
        ("ne", all.items.len() - 1),
    ] {
        assert_eq!(list(&world, &[("filter", &count(op))]).await.total, Some(expected), "{op}");
    }
}

async fn every_way_of_paging_shows_each_user_once(world: World) {
    people(&world).await;
    for extra in [
        &[][..],
        &[("sortBy", "userName")],
        &[("filter", "not (title eq \"x\")")],
        &[("sortBy", "userName"), ("sortOrder", "descending")],
    ] {
        let whole = list(&world, extra).await;
        let expected = names(&whole);
        assert_eq!(expected.len(), 6);
        let mut by_index = Vec::new();
        for start in ["1", "3", "5", "7"] {
            let page = list(&world, &[extra, &[("startIndex", start), ("count", "2")]].concat()).await;
            assert_eq!(page.total, Some(6));
            by_index.extend(names(&page).into_iter().map(str::to_owned));
        }
        assert_eq!(by_index, expected);
        let mut by_cursor = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = list(&world, &[extra, &[("cursor", &cursor), ("count", "2")]].concat()).await;
            assert_eq!(page.total, Some(6));
            by_cursor.extend(names(&page).into_iter().map(str::to_owned));
            match page.next_cursor {
                Some(next) => cursor = next,
                None => break,
            }
        }
        assert_eq!(by_cursor, expected);
    }
}

async fn a_cursor_is_for_its_query_and_its_workspace_alone(world: World) {
    people(&world).await;
    let cursor = list(&world, &[("cursor", ""), ("count", "2")]).await.next_cursor.unwrap();
    for other in [&[("filter", "active eq true")][..], &[("sortBy", "userName")]] {
        let refused = try_list(&world, &[other, &[("cursor", &cursor)]].concat()).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Scim(error) if error.scim_type.unwrap().as_str() == "invalidCursor"),
            "{refused:?}"
        );
    }
    world.clock.advance(std::time::Duration::from_secs(3 * 24 * 60 * 60));
    let late = try_list(&world, &[("cursor", &cursor)]).await.unwrap_err();
    assert!(
        matches!(&late, Error::Scim(error) if error.scim_type.unwrap().as_str() == "expiredCursor"),
        "{late:?}"
    );
}

async fn a_sorted_walk_goes_on_where_it_was_when_the_last_one_shown_is_changed_or_gone(world: World) {
    people(&world).await;
    let page = async |cursor: &str| {
        let page = list(&world, &[("sortBy", "title"), ("cursor", cursor), ("count", "2")]).await;
        let names: Vec<String> = names(&page).into_iter().map(str::to_owned).collect();
        (names, page.items.last().map(|user| user.member.id), page.next_cursor)
    };
    for (user, title) in [("ida", "a"), ("Bo", "b"), ("cleo", "c"), ("dan", "d"), ("eva", "e")] {
        let filter = format!(r#"userName eq "{user}@corp.example""#);
        let id = list(&world, &[("filter", &filter)]).await.items[0].member.id;
        world.patch_user(id, json!([{"op": "add", "path": "title", "value": title}])).await;
    }
    let (first, last, next) = page("").await;
    assert_eq!(first, ["ida", "Bo"]);
    // Who was shown last moves to the end: the walk must neither end with it nor begin again.
    world.patch_user(last.unwrap(), json!([{"op": "replace", "path": "title", "value": "z"}])).await;
    let (second, last, next) = page(&next.unwrap()).await;
    assert_eq!(second, ["cleo", "dan"]);
    world
        .directory()
        .user_delete(&last.unwrap().to_string(), &latchkey_scim::etag::Preconditions::default())
        .await
        .unwrap();
    let (third, _, next) = page(&next.unwrap()).await;
    assert_eq!(third, ["eva", "Bo"], "and olga, who has no title, comes last");
    let (fourth, _, next) = page(&next.unwrap()).await;
    assert_eq!((fourth, next), (vec!["olga".to_owned()], None));
}

async fn a_list_of_groups_shows_each_ones_own_members(world: World) {
    let limits = Limits::default();
    let mut ids = Vec::new();
    for name in ["ida", "bo", "cleo"] {
        ids.push(world.user(name).await.member.id);
    }
    for (name, members) in [("Sales", &ids[..2]), ("Care", &ids[1..]), ("Empty", &[])] {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id.to_string()})).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": members,
        });
        world.directory().group_create(&body.into(), GroupShown::Row, &limits).await.unwrap();
    }
    let shown = async |pairs: &[(&str, &str)]| {
        let query = ListQuery::parse(pairs.iter().copied(), &limits).unwrap();
        let listed = world.directory().group_list(&query, &limits).await.unwrap();
        let members = listed.items.into_iter().map(|group| {
            (group.team.display_name, group.members.map(|m| m.iter().map(|m| m.id).collect::<Vec<_>>()))
        });
        members.collect::<std::collections::BTreeMap<_, _>>()
    };
    let all = shown(&[]).await;
    assert_eq!(all["Sales"].as_deref(), Some(&ids[..2]));
    assert_eq!(all["Care"].as_deref(), Some(&ids[1..]));
    assert_eq!(all["Empty"].as_deref(), Some(&[][..]));
    let without = shown(&[("excludedAttributes", "members")]).await;
    assert!(without.values().all(Option::is_none), "{without:?}");
}

async fn a_filter_on_members_is_answered_by_index_or_refused_but_never_with_an_empty_200(world: World) {
    let ida = world.user("ida").await.member.id;
    let limits = Limits::default();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Sales",
        "members": [{"value": ida.to_string()}],
    });
    let team =
        world.directory().group_create(&body.into(), GroupShown::Row, &limits).await.unwrap().value.team.id;
    for (filter, expected) in [
        (format!(r#"id eq "{team}" and members eq "{ida}""#), Some(1)),
        (format!(r#"members[value eq "{ida}"]"#), Some(1)),
        (format!(r#"members eq "{team}""#), Some(0)),
        ("members pr".to_owned(), Some(1)),
        (r#"displayName eq "sales""#.to_owned(), Some(1)),
        (r#"members.display eq "ida""#.to_owned(), None),
        (r#"meta.version eq "2""#.to_owned(), None),
        (r#"not (meta.location co "x")"#.to_owned(), None),
        (r#"meta.resourceType eq "Group" and meta pr"#.to_owned(), Some(1)),
        (r#"members.value co "0""#.to_owned(), None),
    ] {
        let query = ListQuery::parse([("filter", filter.as_str())], &limits).unwrap();
        let listed = world.directory().group_list(&query, &limits).await;
        match expected {
            Some(total) => assert_eq!(listed.unwrap().total, Some(total), "{filter}"),
            None => {
                let refused = listed.unwrap_err();
                assert!(
                    matches!(&refused, Error::Scim(error) if error.scim_type.unwrap().as_str() == "invalidFilter"),
                    "{filter}: {refused:?}"
                );
            }
        }
    }
    let in_team = format!(r#"groups eq "{team}""#);
    assert_eq!(list(&world, &[("filter", &in_team)]).await.total, Some(1));
    let query = ListQuery::parse([("filter", "displayName pr")], &limits).unwrap();
    let (users, groups) = world.directory().root_list(&query, &limits).await.unwrap();
    assert_eq!((users.total, groups.items.len()), (Some(2), 1), "the owner and the group have one");
}
