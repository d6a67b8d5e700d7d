use super::*;
use crate::SecretKind;
use latchkey_kernel::id::{AccountId, SecretId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};
use proptest::prelude::*;

const CANARY: &[u8] = b"canary-correct-horse";

fn place(entropy: &dyn Entropy) -> Place {
    let now = Timestamp::from_micros(1);
    Place {
        workspace: WorkspaceId::fresh(now, entropy),
        account: AccountId::fresh(now, entropy),
        secret: SecretId::fresh(now, entropy),
        version: 3,
        kind: SecretKind::Password,
    }
}

/// A key, a place, and a canary sealed there.
fn sealed(seed: u64) -> (SeededEntropy, WorkspaceKey, Place, Vec<u8>) {
    let entropy = SeededEntropy::new(seed);
    let key = WorkspaceKey::fresh(1, &entropy);
    let place = place(&entropy);
    let sealed = key.seal(&place, CANARY, &entropy);
    (entropy, key, place, sealed)
}

#[test]
fn v1_what_is_moved_to_any_other_place_does_not_open() {
    let (entropy, key, here, sealed) = sealed(1);
    assert_eq!(&**key.open(&here, &sealed).unwrap(), CANARY);
    let other = place(&entropy);
    let mut elsewhere = vec![
        Place { workspace: other.workspace, ..here },
        Place { account: other.account, ..here },
        Place { secret: other.secret, ..here },
        Place { version: here.version + 1, ..here },
        // Two ids of the same bytes, swapped.
        Place {
            account: AccountId::from_uuid(here.secret.as_uuid()),
            secret: SecretId::from_uuid(here.account.as_uuid()),
            ..here
        },
    ];
    let kinds = SecretKind::ALL.iter().filter(|kind| **kind != here.kind);
    elsewhere.extend(kinds.map(|kind| Place { kind: *kind, ..here }));
    for place in elsewhere {
        assert_eq!(key.open(&place, &sealed).unwrap_err(), OpenError::AlteredOrMoved, "{place:?}");
        let next = WorkspaceKey::fresh(2, &entropy);
        assert_eq!(next.rewrap(&key, &place, &sealed, &entropy), Err(OpenError::AlteredOrMoved));
    }
}

#[test]
fn v1_parts_of_two_sealed_secrets_do_not_make_a_third() {
    let (entropy, key, here, first) = sealed(2);
    let there = place(&entropy);
    for (place, second) in
        [(here, key.seal(&here, CANARY, &entropy)), (there, key.seal(&there, CANARY, &entropy))]
    {
        for cut in [22, WRAP_END, WRAP_END + COMMITMENT, BODY_START, first.len() - TAG] {
            let mixed = [&first[..cut], &second[cut..]].concat();
            for at in [here, place] {
                assert_eq!(key.open(&at, &mixed).unwrap_err(), OpenError::AlteredOrMoved, "cut at {cut}");
            }
        }
    }
}

#[test]
fn v1_any_altered_bit_and_any_cut_fail() {
    let (_, key, place, sealed) = sealed(3);
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[at] ^= 1 << bit;
            assert!(key.open(&place, &altered).is_err(), "byte {at}, bit {bit}");
        }
        assert!(key.open(&place, &sealed[..at]).is_err(), "cut at {at}");
        assert!(key.open(&place, &[&sealed[..at], &sealed[at..], &[0]].concat()).is_err());
    }
}

#[test]
fn only_the_key_of_the_number_is_tried() {
    let (entropy, key, place, sealed) = sealed(4);
    let next = WorkspaceKey::fresh(2, &entropy);
    assert_eq!(next.open(&place, &sealed).unwrap_err(), OpenError::OtherKey { sealed_under: 1, given: 2 });
    let stranger = WorkspaceKey::fresh(1, &entropy);
    assert_eq!(stranger.open(&place, &sealed).unwrap_err(), OpenError::AlteredOrMoved);
    assert_eq!(crate::key_number(&sealed), Ok(key.number()));
}

#[test]
fn a_rewrap_changes_the_wrap_and_leaves_the_payload() {
    let (entropy, old, place, sealed) = sealed(5);
    let new = WorkspaceKey::fresh(2, &entropy);
    let rewrapped = new.rewrap(&old, &place, &sealed, &entropy).unwrap();
    assert_eq!(rewrapped[WRAP_END..], sealed[WRAP_END..]);
    assert_eq!(crate::key_number(&rewrapped), Ok(2));
    assert_eq!(&**new.open(&place, &rewrapped).unwrap(), CANARY);
    assert!(old.open(&place, &rewrapped).is_err());
    assert_eq!(
        new.rewrap(&old, &place, &rewrapped, &entropy),
        Err(OpenError::OtherKey { sealed_under: 2, given: 1 })
    );
}

/// The commitment is what tells: with it altered the rest still authenticates.
#[test]
fn a_wrap_and_a_payload_are_held_together_by_the_commitment() {
    let (_, key, place, mut sealed) = sealed(6);
    let parts = Sealed::read(&sealed).unwrap();
    let item = key.unwrap_item(&place, &parts).unwrap();
    assert!(Derived::committed(&item, parts.commitment).is_ok());
    sealed[WRAP_END] ^= 1;
    let parts = Sealed::read(&sealed).unwrap();
    assert!(key.unwrap_item(&place, &parts).is_ok());
    assert!(Derived::committed(&item, parts.commitment).is_err());
}

#[test]
fn lengths_within_a_block_look_alike_and_the_same_text_never_seals_alike() {
    let (entropy, key, place, _) = sealed(7);
    let lengths = [0, 8, 20, 63].map(|length| key.seal(&place, &vec![b'a'; length], &entropy).len());
    assert_eq!(lengths, [BODY_START + 64 + TAG; 4]);
    assert_ne!(key.seal(&place, CANARY, &entropy), key.seal(&place, CANARY, &entropy));
}

#[test]
fn v1_neither_the_sealed_bytes_nor_any_text_shows_the_secret_or_the_key() {
    let (_, key, place, sealed) = sealed(8);
    assert!(!sealed.windows(6).any(|window| window == &CANARY[..6]));
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    let error = key.open(&place, &altered).unwrap_err();
    let shown = format!("{key:?} {error:?} {error}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.starts_with("WorkspaceKey(1, ***)"), "{shown}");
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_as_it_was(plain: Vec<u8>, seed: u64, version: i64) {
        let (entropy, key, place, _) = sealed(seed);
        let place = Place { version, ..place };
        let sealed = key.seal(&place, &plain, &entropy);
        prop_assert_eq!(&**key.open(&place, &sealed).unwrap(), &plain[..]);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let (_, key, place, _) = sealed(9);
        let headed = [&[1, 1][..], &bytes].concat();
        prop_assert!(key.open(&place, &bytes).is_err());
        prop_assert!(key.open(&place, &headed).is_err());
    }
}
