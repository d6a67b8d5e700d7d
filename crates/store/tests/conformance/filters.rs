//! Conditions mean the same on both databases and in memory, and pages fit together.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use latchkey_access::member::MemberState;
use latchkey_access::{Change, Epoch, Member, Team};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId};
use latchkey_store::{
    MemberColumn, MemberTest, MemberWhere, Order, Page, TeamColumn, TeamTest, TeamWhere, TextOp, TimeColumn,
    Where,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::on_both;
use crate::world::{World, put};

/// Texts that overlap, differ in code points beyond ASCII, and hold what SQL treats as special.
const TEXTS: &[&str] =
    &["a", "ab", "abc", "b", "%", "a_", "'", "é", "éa", "\u{1f511}", "\u{d7ff}x", "\u{e000}", "z a", ""];

struct People {
    members: Vec<Member>,
    teams: Vec<Team>,
    emails: HashMap<MemberId, BTreeSet<String>>,
    in_team: BTreeSet<(TeamId, MemberId)>,
}

/// Members and teams over [`TEXTS`], with values absent here and there, and some deleted.
async fn people(world: &World) -> People {
    let mut people =
        People { members: Vec::new(), teams: Vec::new(), emails: HashMap::new(), in_team: BTreeSet::new() };
    for n in 0..4 {
        let mut team = world.team_row(&format!("{}{n}", TEXTS[n * 2]));
        team.external_id = (n % 2 == 0).then(|| TEXTS[n].to_owned());
        world.commit(Change::TeamInsert(team.clone())).await.unwrap();
        people.teams.push(team);
    }
    for (n, text) in TEXTS.iter().cycle().take(TEXTS.len() * 3).enumerate() {
        let mut row = world.member_row(&format!("{text}{}", ["", "b", "éc"][n / TEXTS.len()]));
        row.user_name_key = format!("{text}{n}");
        row.display_name = (*text).to_owned();
        row.external_id = (n % 3 != 0).then(|| (*text).to_owned());
        row.work_email_key = (n % 4 != 0).then(|| TEXTS[(n + 3) % TEXTS.len()].to_owned());
        row.state = [MemberState::Active, MemberState::Inactive, MemberState::Active][n % 3];
        row.access_epoch = Epoch(1 + (n % 2) as i64);
        row.state = if n % 10 == 9 { MemberState::Deleted } else { row.state };
        let mut changes = vec![Change::MemberInsert(row.clone())];
        let keys: BTreeSet<String> = (0..n % 3).map(|at| TEXTS[(n + at) % TEXTS.len()].to_owned()).collect();
        changes.push(Change::MemberEmailsSet { member_id: row.id, keys: keys.iter().cloned().collect() });
        if row.state != MemberState::Deleted {
            for team in people.teams.iter().skip(n % 4).take(n % 3) {
                changes.push(put(team, &row));
                people.in_team.insert((team.id, row.id));
            }
            people.emails.insert(row.id, keys);
            people.members.push(row);
        }
        world.commit_all(changes).await.unwrap();
    }
    people
}

impl People {
    fn member(&self, filter: &MemberWhere, m: &Member) -> bool {
        holds(filter, &|test| match test {
            MemberTest::Id(id) => m.id == *id,
            MemberTest::Text(column, op, value) => {
                member_text(m, *column).is_some_and(|text| compare(&text, *op, value))
            }
            MemberTest::Present(column) => member_text(m, *column).is_some(),
            MemberTest::OtherEmail(op, value) => {
                self.emails[&m.id].iter().any(|key| compare(key, *op, value))
            }
            MemberTest::AnyOtherEmail => !self.emails[&m.id].is_empty(),
            MemberTest::Time(column, order, at) => {
                ordered(time(*column, m.created_at, m.modified_at).cmp(at), *order)
            }
            MemberTest::State(state) => m.state == *state,
            MemberTest::InTeam(team) => self.in_team.contains(&(*team, m.id)),
            MemberTest::AwaitsReview => m.standing().awaits_review(),
        })
    }

    fn team(&self, filter: &TeamWhere, t: &Team) -> bool {
        let text = |column| match column {
            TeamColumn::DisplayNameKey => Some(t.display_name_key.clone()),
            TeamColumn::ExternalId => t.external_id.clone(),
        };
        holds(filter, &|test| match test {
            TeamTest::Id(id) => t.id == *id,
            TeamTest::Text(column, op, value) => text(*column).is_some_and(|text| compare(&text, *op, value)),
            TeamTest::Present(column) => text(*column).is_some(),
            TeamTest::Time(column, order, at) => {
                ordered(time(*column, t.created_at, t.modified_at).cmp(at), *order)
            }
            TeamTest::HasMember(member) => self.in_team.contains(&(t.id, *member)),
            TeamTest::AnyMember => self.in_team.iter().any(|(team, _)| *team == t.id),
        })
    }
}

fn holds<T>(filter: &Where<T>, test: &impl Fn(&T) -> bool) -> bool {
    match filter {
        Where::Every => true,
        Where::And(parts) => parts.iter().all(|part| holds(part, test)),
        Where::Or(parts) => parts.iter().any(|part| holds(part, test)),
        Where::Not(part) => !holds(part, test),
        Where::Test(one) => test(one),
    }
}

fn member_text(m: &Member, column: MemberColumn) -> Option<String> {
    match column {
        MemberColumn::UserNameKey => Some(m.user_name_key.clone()),
        MemberColumn::ExternalId => m.external_id.clone(),
        MemberColumn::WorkEmailKey => m.work_email_key.clone(),
        MemberColumn::DisplayNameKey => Some(m.display_name.to_lowercase()),
    }
}

fn compare(text: &str, op: TextOp, value: &str) -> bool {
    match op {
        TextOp::Is(order) => ordered(text.cmp(value), order),
        TextOp::Contains => text.contains(value),
        TextOp::StartsWith => text.starts_with(value),
        TextOp::EndsWith => text.ends_with(value),
    }
}

fn ordered(found: std::cmp::Ordering, order: Order) -> bool {
    match order {
        Order::Equal => found.is_eq(),
        Order::NotEqual => found.is_ne(),
        Order::Less => found.is_lt(),
        Order::LessOrEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterOrEqual => found.is_ge(),
    }
}

fn time(column: TimeColumn, created: Timestamp, modified: Timestamp) -> Timestamp {
    match column {
        TimeColumn::CreatedAt => created,
        TimeColumn::ModifiedAt => modified,
    }
}

fn orders() -> impl Strategy<Value = Order> {
    use Order::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    proptest::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

fn text_ops() -> impl Strategy<Value = TextOp> {
    prop_oneof![
        orders().prop_map(TextOp::Is),
        Just(TextOp::Contains),
        Just(TextOp::StartsWith),
        Just(TextOp::EndsWith),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    proptest::sample::select(TEXTS).prop_map(str::to_owned)
}

fn trees<T: std::fmt::Debug + Clone + 'static>(
    test: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Where<T>> {
    let leaf = prop_oneof![9 => test.prop_map(Where::Test), 1 => Just(Where::Every)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Where::And),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Where::Or),
            inner.prop_map(|part| Where::Not(Box::new(part))),
        ]
    })
}

fn member_tests(people: &People) -> impl Strategy<Value = MemberTest> + use<> {
    use MemberColumn::{DisplayNameKey, ExternalId, UserNameKey, WorkEmailKey};
    let column = || proptest::sample::select(vec![UserNameKey, ExternalId, WorkEmailKey, DisplayNameKey]);
    let times: Vec<Timestamp> = people.members.iter().map(|m| m.created_at).collect();
    let ids: Vec<MemberId> = people.members.iter().map(|m| m.id).collect();
    let teams: Vec<TeamId> = people.teams.iter().map(|t| t.id).collect();
    prop_oneof![
        1 => proptest::sample::select(ids).prop_map(MemberTest::Id),
        6 => (column(), text_ops(), texts()).prop_map(|(c, op, v)| MemberTest::Text(c, op, v)),
        2 => column().prop_map(MemberTest::Present),
        3 => (text_ops(), texts()).prop_map(|(op, v)| MemberTest::OtherEmail(op, v)),
        1 => Just(MemberTest::AnyOtherEmail),
        1 => (orders(), proptest::sample::select(times)).prop_map(|(o, at)| MemberTest::Time(TimeColumn::CreatedAt, o, at)),
        1 => Just(MemberTest::State(MemberState::Active)),
        2 => proptest::sample::select(teams).prop_map(MemberTest::InTeam),
        1 => Just(MemberTest::AwaitsReview),
    ]
}

fn team_tests(people: &People) -> impl Strategy<Value = TeamTest> + use<> {
    let column = || proptest::sample::select(vec![TeamColumn::DisplayNameKey, TeamColumn::ExternalId]);
    let ids: Vec<MemberId> = people.members.iter().map(|m| m.id).collect();
    let teams: Vec<TeamId> = people.teams.iter().map(|t| t.id).collect();
    let times: Vec<Timestamp> = people.teams.iter().map(|t| t.created_at).collect();
    prop_oneof![
        proptest::sample::select(teams).prop_map(TeamTest::Id),
        (column(), text_ops(), texts()).prop_map(|(c, op, v)| TeamTest::Text(c, op, v)),
        column().prop_map(TeamTest::Present),
        (orders(), proptest::sample::select(times)).prop_map(|(o, at)| TeamTest::Time(
            TimeColumn::ModifiedAt,
            o,
            at
        )),
        proptest::sample::select(ids).prop_map(TeamTest::HasMember),
        Just(TeamTest::AnyMember),
    ]
}

/// Runs `check` on values drawn from a fixed seed, within the test's runtime.
async fn for_each<S: Strategy>(cases: usize, strategy: S, mut check: impl AsyncFnMut(S::Value)) {
    let runner = RefCell::new(TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    ));
    for _ in 0..cases {
        let value = strategy.new_tree(&mut runner.borrow_mut()).unwrap().current();
        check(value).await;
    }
}

on_both! {
    async fn a_condition_on_members_means_what_it_means_in_memory(world: World) {
        let people = people(world).await;
        for_each(300, trees(member_tests(&people)), async |filter| {
            let expected: Vec<MemberId> = people.members.iter().filter(|m| people.member(&filter, m)).map(|m| m.id).collect();
            let found = world.store.member_page(world.ws, &filter, Page::first(999)).await.unwrap();
            assert_eq!(found.iter().map(|m| m.id).collect::<Vec<_>>(), expected, "{filter:?}");
            let count = world.store.member_count(world.ws, &filter).await.unwrap();
            assert_eq!(count, expected.len() as u64, "{filter:?}");
            if let Some(middle) = expected.get(expected.len() / 2) {
                let after = world.store.member_page(world.ws, &filter, Page::after(*middle, 2)).await.unwrap();
                let rest: Vec<MemberId> = expected.iter().copied().skip(expected.len() / 2 + 1).take(2).collect();
                assert_eq!(after.iter().map(|m| m.id).collect::<Vec<_>>(), rest, "{filter:?}");
                let at = world.store.member_page(world.ws, &filter, Page::at(expected.len() as u64 / 2 + 1, 2, Some(count))).await.unwrap();
                assert_eq!(at, after, "{filter:?}");
            }
        }).await;
    }

    async fn a_condition_on_teams_means_what_it_means_in_memory(world: World) {
        let people = people(world).await;
        for_each(150, trees(team_tests(&people)), async |filter| {
            let expected: Vec<TeamId> = people.teams.iter().filter(|t| people.team(&filter, t)).map(|t| t.id).collect();
            let found = world.store.team_page(world.ws, &filter, Page::first(99)).await.unwrap();
            assert_eq!(found.iter().map(|t| t.id).collect::<Vec<_>>(), expected, "{filter:?}");
            assert_eq!(world.store.team_count(world.ws, &filter).await.unwrap(), expected.len() as u64);
            let second = world.store.team_page(world.ws, &filter, Page::at(1, 1, None)).await.unwrap();
            assert_eq!(second.first().map(|t| t.id), expected.get(1).copied());
        }).await;
    }

    async fn pages_of_all_members_fit_together_from_any_side(world: World) {
        let people = people(world).await;
        let ids: Vec<MemberId> = people.members.iter().map(|m| m.id).collect();
        let total = ids.len() as u64;
        for limit in [1, 7, 100] {
            let (mut by_id, mut by_rows, mut without_total) = (Vec::new(), Vec::new(), Vec::new());
            let mut page = Page::first(limit);
            loop {
                let rows = world.store.member_page(world.ws, &Where::Every, page).await.unwrap();
                let Some(last) = rows.last() else { break };
                page = Page::after(last.id, limit);
                by_id.extend(rows.iter().map(|m| m.id));
            }
            for skip in (0..total + 2).step_by(limit) {
                let at = |total| world.store.member_page(world.ws, &Where::Every, Page::at(skip, limit, total));
                by_rows.extend(at(Some(total)).await.unwrap().iter().map(|m| m.id));
                without_total.extend(at(None).await.unwrap().iter().map(|m| m.id));
            }
            assert_eq!((&by_id, &by_rows, &without_total), (&ids, &ids, &ids), "{limit}");
        }
        let past = world.store.member_page(world.ws, &Where::Every, Page::at(total + 5, 3, Some(total))).await.unwrap();
        assert_eq!(past, []);
        assert_eq!(world.store.member_page(world.ws, &Where::Every, Page::first(0)).await.unwrap(), []);
    }
}
