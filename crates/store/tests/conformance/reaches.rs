//! Every way to an account, from both ends.

use std::collections::BTreeSet;

use latchkey_access::effective::{Reach, ReachBy};
use latchkey_access::{GrantObject, GrantSubject, Member};
use latchkey_kernel::id::{AccountId, CollectionId};

use crate::on_both;
use crate::world::{World, to};

/// A reach in a form that can be sorted: account, grant, through which team, collections.
fn shape(reach: &Reach) -> (AccountId, String) {
    let by = match &reach.by {
        ReachBy::Owner => "owner".to_owned(),
        ReachBy::Grant { grant, team, collections } => {
            let team = team.as_ref().map(|t| format!("{}/{:?}", t.team_name, t.confirmed));
            format!("{} {team:?} {collections:?}", grant.id)
        }
    };
    (reach.account_id, by)
}

async fn of_member(world: &World, member: &Member) -> BTreeSet<(AccountId, String)> {
    let reaches = world.store.reaches_of_member(world.ws, member.id).await.unwrap();
    let shapes: BTreeSet<_> = reaches.iter().map(shape).collect();
    assert_eq!(shapes.len(), reaches.len(), "no way is told twice");
    // What a leaving rests on is the same, with the accounts that it names.
    let held = world.footing(member).await.reached;
    assert_eq!(held.reaches.iter().map(shape).collect::<BTreeSet<_>>(), shapes);
    let accounts: BTreeSet<_> = held.accounts.iter().map(|account| account.id).collect();
    assert_eq!(accounts, reaches.iter().map(|reach| reach.account_id).collect());
    shapes
}

on_both! {
    async fn a_member_reaches_by_ownership_grant_team_and_collection(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let team = world.team("eng", &[&ada]).await;
        let root = world.collection("root", None).await;
        let leaf = world.collection("leaf", Some(root.id)).await;
        let _empty = world.collection("empty", Some(leaf.id)).await;
        let owned = world.account("owned", |a| a.owner_id = Some(ada.id)).await;
        let shallow = world.account("shallow", |a| a.collection_id = Some(root.id)).await;
        let deep = world.account("deep", |a| a.collection_id = Some(leaf.id)).await;
        let alone = world.account("alone", |_| {}).await;
        let direct = world.grant(to(&ada), GrantObject::Account(alone.id)).await;
        let through = world.grant(GrantSubject::Team(team.id), GrantObject::Account(alone.id)).await;
        let folder = world.grant(to(&ada), GrantObject::Collection(leaf.id)).await;
        let team_folder = world.grant(GrantSubject::Team(team.id), GrantObject::Collection(root.id)).await;
        world.grant(to(&bob), GrantObject::Account(owned.id)).await;
        let none: [CollectionId; 0] = [];
        let by_team = "Some(\"eng/Some(Epoch(1))\")";
        let expected = BTreeSet::from([
            (owned.id, "owner".to_owned()),
            (alone.id, format!("{} None {none:?}", direct.id)),
            (alone.id, format!("{} {by_team} {none:?}", through.id)),
            (deep.id, format!("{} None {:?}", folder.id, [leaf.id])),
            (shallow.id, format!("{} {by_team} {:?}", team_folder.id, [root.id])),
            (deep.id, format!("{} {by_team} {:?}", team_folder.id, [root.id, leaf.id])),
        ]);
        assert_eq!(of_member(world, &ada).await, expected);
        assert_eq!(of_member(world, &bob).await.len(), 1);
        let who = world.store.reaches_of_account(world.ws, deep.id, None, 50).await.unwrap();
        let ways: BTreeSet<_> = who.iter().map(|way| shape(&way.reach)).collect();
        assert_eq!(ways, expected.into_iter().filter(|(account, _)| *account == deep.id).collect());
        assert_eq!(who[0].member.display_name, "ada");
    }

    async fn who_reaches_an_account_is_what_each_member_reaches(world: World) {
        let mut people = Vec::new();
        for n in 0..9 {
            people.push(world.member(&format!("m{n}")).await);
        }
        let mut folders: Vec<latchkey_access::Collection> = Vec::new();
        for n in 0..6usize {
            let parent = (n > 0).then(|| folders[(n - 1) / 2].id);
            folders.push(world.collection(&format!("c{n}"), parent).await);
        }
        let mut accounts = Vec::new();
        for n in 0..8usize {
            let account = world.account("shared", |a| {
                a.collection_id = (n < 6).then(|| folders[n].id);
                a.owner_id = n.is_multiple_of(2).then(|| people[n].id);
            });
            accounts.push(account.await);
        }
        for n in 0..3usize {
            let members: Vec<&Member> = people.iter().skip(n * 2).take(4).collect();
            let team = world.team(&format!("t{n}"), &members).await;
            world.grant(GrantSubject::Team(team.id), GrantObject::Collection(folders[n].id)).await;
            world.grant(GrantSubject::Team(team.id), GrantObject::Account(accounts[n + 4].id)).await;
        }
        for n in 0..9usize {
            let object = if n.is_multiple_of(2) { GrantObject::Account(accounts[n % 8].id) } else { GrantObject::Collection(folders[n % 6].id) };
            world.grant(to(&people[n]), object).await;
        }
        let mut from_members = BTreeSet::new();
        for member in &people {
            from_members.extend(of_member(world, member).await.into_iter().map(|way| (member.id, way)));
        }
        assert!(from_members.len() > 40, "{}", from_members.len());
        for limit in [1, 3, 100] {
            let mut from_accounts = BTreeSet::new();
            for account in &accounts {
                let mut after = None;
                loop {
                    let who = world.store.reaches_of_account(world.ws, account.id, after, limit).await.unwrap();
                    let last = who.iter().filter(|way| way.reach.by != ReachBy::Owner).map(|way| way.member.standing.member_id).max();
                    for way in who {
                        let seen = from_accounts.insert((way.member.standing.member_id, shape(&way.reach)));
                        assert!(seen, "told twice");
                    }
                    match last {
                        Some(last) => after = Some(last),
                        None => break,
                    }
                }
            }
            assert!(from_accounts == from_members, "{limit}: {} and {} ways", from_accounts.len(), from_members.len());
        }
    }
}
