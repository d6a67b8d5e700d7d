use latchkey_kernel::{SeededEntropy, Timestamp};

use super::*;

fn workspace(entropy: &dyn Entropy) -> WorkspaceId {
    WorkspaceId::fresh(Timestamp::from_micros(1), entropy)
}

#[tokio::test]
async fn a_workspace_key_opens_by_the_source_and_by_the_kit() {
    let entropy = SeededEntropy::new(1);
    let (keys, kit) = Keys::ephemeral(&entropy);
    let workspace = workspace(&entropy);
    let (key, wrapped) = keys.new_workspace_key(workspace, 3, &entropy).await.unwrap();
    assert_eq!((key.number(), wrapped.number, wrapped.kek_id.as_str()), (3, 3, keys.kek_id()));
    assert_eq!(keys.unwrap(workspace, &wrapped).await.unwrap().bytes(), key.bytes());
    assert_eq!(Keys::recover(&kit, workspace, &wrapped).unwrap().bytes(), key.bytes());
}

#[tokio::test]
async fn v1_a_wrap_that_was_moved_or_altered_opens_by_neither() {
    let entropy = SeededEntropy::new(2);
    let (keys, kit) = Keys::ephemeral(&entropy);
    let (here, there) = (workspace(&entropy), workspace(&entropy));
    let (_, wrapped) = keys.new_workspace_key(here, 1, &entropy).await.unwrap();
    let (_, second) = keys.new_workspace_key(here, 2, &entropy).await.unwrap();
    let swapped = WrappedKey { primary: second.primary, recovery: second.recovery, ..wrapped.clone() };
    let renumbered = WrappedKey { number: 2, ..wrapped.clone() };
    for (workspace, wrapped) in [(there, &wrapped), (here, &swapped), (here, &renumbered)] {
        assert!(matches!(keys.unwrap(workspace, wrapped).await, Err(KeyError::NotOpened { .. })));
        assert!(matches!(Keys::recover(&kit, workspace, wrapped), Err(KeyError::NotOpened { .. })));
    }
    for at in 0..wrapped.primary.len() {
        let mut altered = wrapped.clone();
        altered.primary[at] ^= 1;
        assert!(keys.unwrap(here, &altered).await.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn a_rewrap_puts_the_same_key_under_another_source_and_another_kit() {
    let entropy = SeededEntropy::new(3);
    let ((old, old_kit), (new, new_kit)) = (Keys::ephemeral(&entropy), Keys::ephemeral(&entropy));
    let workspace = workspace(&entropy);
    let (key, wrapped) = old.new_workspace_key(workspace, 1, &entropy).await.unwrap();
    let error = new.unwrap(workspace, &wrapped).await.unwrap_err();
    assert!(
        error.to_string().contains(old.kek_id()) && error.to_string().contains("recovery kit"),
        "{error}"
    );
    let rewrapped = new.rewrap(&old, workspace, &wrapped, &entropy).await.unwrap();
    assert_eq!(new.unwrap(workspace, &rewrapped).await.unwrap().bytes(), key.bytes());
    assert_eq!(Keys::recover(&new_kit, workspace, &rewrapped).unwrap().bytes(), key.bytes());
    assert!(old.unwrap(workspace, &rewrapped).await.is_err());
    assert!(matches!(Keys::recover(&old_kit, workspace, &rewrapped), Err(KeyError::OtherKit { .. })));
}

#[tokio::test]
async fn a_source_is_checked_by_a_key_that_is_thrown_away() {
    let entropy = SeededEntropy::new(4);
    let (keys, _) = Keys::ephemeral(&entropy);
    keys.check(&entropy).await.unwrap();
    let shown = format!("{keys:?}");
    assert!(shown.starts_with("Keys(ephemeral-") && shown.contains(&keys.recovery_id()), "{shown}");
}
