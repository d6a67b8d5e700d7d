//! The clocks and limits: escrow, quarantine, deletions, members.

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey_kernel::Timestamp;
use latchkey_provisioning::deletions::{self, Verdict};
use latchkey_provisioning::escrow::{self, Retry};
use latchkey_provisioning::members::members;
use latchkey_provisioning::quarantine::{self, Counts, Next, Reason};
use latchkey_provisioning::{EntryId, defaults, lint};

const BEGAN: Timestamp = Timestamp::from_micros(1_795_467_940_000_000);

fn hours(hours: u64) -> Timestamp {
    BEGAN.plus(Duration::from_secs(hours * 3_600))
}

#[test]
fn row_26_escrow_is_tried_each_cycle_then_at_12_24_48_hours_and_given_up_after_28_days() {
    for (age, next) in [(0, 0), (5, 5), (6, 12), (11, 12), (12, 24), (23, 24), (24, 48), (100, 120)] {
        assert_eq!(escrow::next(BEGAN, hours(age), None), Retry::At(hours(next)), "{age}");
    }
    assert_eq!(escrow::next(BEGAN, hours(28 * 24 - 1), None), Retry::At(hours(28 * 24)));
    assert_eq!(escrow::next(BEGAN, hours(28 * 24), None), Retry::GivenUp);
    let asked = escrow::next(BEGAN, hours(1), Some(Duration::from_secs(7)));
    assert_eq!(asked, Retry::At(hours(1).plus(Duration::from_secs(7))));
}

#[test]
fn row_20_quarantine_by_counts() {
    for (failed, failed_references, succeeded, reason) in [
        (5_000, 0, 7_000, Some(Reason::EncounteredEscrowProportionThreshold)),
        (4_999, 0, 0, None),
        (45_000, 0, 1_000_000, Some(Reason::EncounteredBaseEscrowThreshold)),
        (0, 20_000, 0, None),
        (30_000, 0, 5_000, Some(Reason::EncounteredEscrowProportionThreshold)),
        (20_000, 0, 100_000, None),
        (40_000, 21_000, 0, Some(Reason::EncounteredTotalEscrowThreshold)),
    ] {
        assert_eq!(
            quarantine::by_counts(Counts { failed, failed_references, succeeded }),
            reason,
            "{failed}"
        );
    }
}

#[test]
fn quarantine_tells_once_keeps_its_series_and_ends_by_success_or_after_28_days() {
    let found = |reason| Some((reason, "why".to_owned()));
    let Next::Kept { quarantine, news: true } = quarantine::fold(None, found(Reason::TooManyDeletes), BEGAN)
    else {
        panic!("it begins with news");
    };
    let Next::Kept { quarantine: again, news: false } =
        quarantine::fold(Some(&quarantine), found(Reason::TooManyDeletes), hours(6))
    else {
        panic!("the same reason is no news");
    };
    assert_eq!((again.series_began, again.series_count, again.next_attempt), (BEGAN, 1, hours(12)));
    let other = quarantine::fold(Some(&again), found(Reason::EncounteredQuarantineException), hours(7));
    let Next::Kept { quarantine, news: true } = other else { panic!("another reason is news") };
    assert_eq!(quarantine.next_attempt, hours(7).plus(Duration::from_secs(60)));
    assert_eq!(quarantine::fold(Some(&quarantine), None, hours(8)), Next::Lifted);
    assert_eq!(
        quarantine::fold(Some(&quarantine), found(Reason::TooManyDeletes), hours(28 * 24)),
        Next::Disabled
    );
}

#[test]
fn row_21_as_many_as_the_limit_pass_and_one_more_holds_all() {
    assert_eq!(deletions::judge(500, Some(500), None), Verdict::Perform);
    assert_eq!(deletions::judge(501, Some(500), None), Verdict::Hold { count: 501, limit: 500 });
    assert_eq!(deletions::judge(501, None, None), Verdict::Perform);
    assert_eq!(deletions::judge(501, Some(500), Some(501)), Verdict::Perform);
    assert_eq!(deletions::judge(502, Some(500), Some(501)), Verdict::Hold { count: 502, limit: 500 });
}

#[test]
fn row_15_and_16_members_change_one_by_one_and_those_who_are_missing_are_remembered() {
    let sent: BTreeSet<String> = (0..50_000).map(|n| format!("t{n}")).collect();
    let wanted: Vec<EntryId> = (1..50_001).map(|n| EntryId(format!("{n}"))).collect();
    let target_of = |id: &EntryId| (id.0 != "50000").then(|| format!("t{}", id.0));
    let change = members(&wanted, target_of, &sent);
    assert_eq!((change.add.len(), change.remove), (0, vec!["t0".to_owned()]));
    assert_eq!(change.pending, [EntryId("50000".to_owned())]);
    let later = members(&wanted, |id| Some(format!("t{}", id.0)), &sent);
    assert_eq!((later.add, later.pending.len()), (vec!["t50000".to_owned()], 0));
}

#[test]
fn the_default_mappings_have_no_errors_and_known_mistakes_are_named() {
    for mapping in [defaults::users(), defaults::latchkey_users(), defaults::groups()] {
        assert_eq!(lint::errors(&mapping), []);
    }
    assert_eq!(lint::warnings(&defaults::latchkey_users()), []);
    let about: Vec<String> =
        lint::warnings(&defaults::users()).into_iter().map(|warning| warning.about).collect();
    assert_eq!(about, ["externalId"]);
    let mut none = defaults::latchkey_users();
    none.attributes.retain(|one| one.target.to_string() != "userName" && one.target.to_string() != "active");
    none.attributes.iter_mut().for_each(|one| one.matching = None);
    let about: Vec<String> = lint::errors(&none).into_iter().map(|warning| warning.about).collect();
    assert_eq!(about, ["matching", "userName"]);
    assert_eq!(lint::warnings(&none)[0].about, "active");
}
