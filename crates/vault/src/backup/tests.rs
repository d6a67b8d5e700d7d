use latchkey_kernel::SeededEntropy;

use super::*;

fn key(seed: u64) -> BackupKey {
    let entropy: &dyn Entropy = &SeededEntropy::new(seed);
    BackupKey(Box::new(Zeroizing::new(entropy.bytes())))
}

fn sealed(head: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut writer = key(1).seal(head, Vec::new());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn opened(key: &BackupKey, head: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StreamError> {
    let mut plain = Vec::new();
    match key.open(head, sealed).read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => Err(*error.get_ref().unwrap().downcast_ref().unwrap()),
    }
}

#[test]
fn what_was_sealed_opens_whatever_its_length() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
        let plain: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let file = sealed(b"head", &plain);
        assert_eq!(opened(&key(1), b"head", &file).as_ref(), Ok(&plain), "{length}");
        assert!(!plain.windows(20).next().is_some_and(|start| file.windows(20).any(|part| part == start)));
    }
}

#[test]
fn v1_another_key_another_head_any_altered_bit_and_any_cut_are_found() {
    let file = sealed(b"head", &[7; 300]);
    assert_eq!(opened(&key(2), b"head", &file), Err(StreamError::Altered { chunk: 0 }));
    assert_eq!(opened(&key(1), b"hea", &file), Err(StreamError::Altered { chunk: 0 }));
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 0x80;
        assert!(opened(&key(1), b"head", &altered).is_err(), "byte {at}");
        assert_eq!(opened(&key(1), b"head", &file[..at]), Err(StreamError::CutShort), "cut at {at}");
    }
    let longer = [&file[..], b"x"].concat();
    assert_eq!(opened(&key(1), b"head", &longer), Err(StreamError::Trailing));
}

#[test]
fn chunks_can_be_neither_dropped_nor_moved() {
    let file = sealed(b"", &[1; 3 * CHUNK]);
    let chunk = 4 + CHUNK + TAG;
    let parts: Vec<&[u8]> = file.chunks(chunk).collect();
    assert_eq!(parts.len(), 3);
    for (order, at) in [(&[1, 0, 2][..], 0), (&[0, 2], 1), (&[0, 0, 1, 2], 1), (&[2], 0)] {
        let moved = order.iter().map(|part| parts[*part]).collect::<Vec<_>>().concat();
        assert_eq!(opened(&key(1), b"", &moved), Err(StreamError::Altered { chunk: at }), "{order:?}");
    }
    assert_eq!(opened(&key(1), b"", &file[..2 * chunk]), Err(StreamError::CutShort));
}

#[tokio::test]
async fn a_backup_opens_by_the_key_source_or_the_kit_and_by_no_other() {
    let entropy = SeededEntropy::new(5);
    let (keys, kit) = Keys::ephemeral(&entropy);
    let (others, other_kit) = Keys::ephemeral(&entropy);
    let id = [3; 16];
    let (key, wrapped) = keys.new_backup_key(&id, &entropy).await.unwrap();
    let same = |found: BackupKey| assert_eq!(found.0, key.0);
    same(keys.open_backup_key(&id, &wrapped).await.unwrap());
    same(Keys::recover_backup_key(&kit, &id, &wrapped).unwrap());
    assert!(keys.open_backup_key(&[4; 16], &wrapped).await.is_err(), "bound to its backup");
    assert!(Keys::recover_backup_key(&kit, &[4; 16], &wrapped).is_err());
    assert!(others.open_backup_key(&id, &wrapped).await.is_err());
    assert!(Keys::recover_backup_key(&other_kit, &id, &wrapped).is_err());
}
