use super::*;
use latchkey_kernel::SeededEntropy;

#[test]
fn a_source_is_read_from_its_text_and_written_as_it_was() {
    for text in [
        "file",
        "file:/run/secrets/latchkey.key",
        "env:LATCHKEY_KEK",
        "credential:latchkey.kek",
        "passphrase",
        "transit:https://vault.example.com:8200/v1/transit#latchkey",
        "transit:https://vault.example.com/v1/kms/eu#latchkey",
        "transit:http://127.0.0.1:8200/v1/transit#k",
        "transit:http://[::1]:8200/v1/transit#k",
    ] {
        assert_eq!(text.parse::<KeySource>().unwrap().to_string(), text);
    }
    let short: KeySource = "transit:https://vault.example.com:8200#latchkey".parse().unwrap();
    assert_eq!(short.to_string(), "transit:https://vault.example.com:8200/v1/transit#latchkey");
}

#[test]
fn a_text_that_names_no_source_is_answered_with_what_to_write() {
    for (text, says) in [
        ("", "there are file,"),
        ("kms:x", "there are file,"),
        ("file:relative", "file:/full/path"),
        ("env:", "`env:NAME`"),
        ("env:not a name", "`env:NAME`"),
        ("env:0a1b2c", "never the key itself"),
        ("credential:../x", "LoadCredential"),
        ("credential:.x", "LoadCredential"),
        ("transit:vault#k", "transit:https://HOST:PORT#KEY"),
        ("transit:https://vault.example.com", "after `#`"),
        ("transit:https://vault.example.com#a/b", "after `#`"),
        ("transit:https://vault.example.com?x=1#k", "after `#`"),
        ("transit:ftp://vault.example.com#k", "after `#`"),
        ("transit:http://vault.example.com#k", "use https"),
        ("transit:http://127.0.0.1.example.com#k", "use https"),
        ("transit:https://user@vault.example.com#k", "no user or password"),
    ] {
        let error = text.parse::<KeySource>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn v1_a_passphrase_written_into_the_source_is_not_repeated() {
    let error = "passphrase:canary".parse::<KeySource>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn a_key_is_read_in_each_form_that_people_give_it() {
    let key: [u8; KEY] = std::array::from_fn(|at| u8::try_from(at).unwrap() + 200);
    let hex = data_encoding::HEXLOWER.encode(&key);
    for text in [
        hex.clone(),
        hex.to_uppercase(),
        format!("{hex}\n"),
        data_encoding::BASE64.encode(&key),
        data_encoding::BASE64_NOPAD.encode(&key),
    ] {
        assert_eq!(*key_from_variable(&text).unwrap(), key, "{text}");
        assert_eq!(*key_from_credential(text.as_bytes()).unwrap(), key, "{text}");
    }
    assert_eq!(*key_from_credential(&key).unwrap(), key);
    for text in ["", "secret", &hex[..62], &hex.replace('c', "g"), &data_encoding::BASE64.encode(&key[..31])]
    {
        assert!(key_from_variable(text).is_none(), "{text}");
    }
}

#[tokio::test]
async fn a_local_key_opens_its_own_wraps_where_they_belong() {
    let entropy = SeededEntropy::new(1);
    let kek = LocalKek::new("env", &Zeroizing::new([1; KEY]));
    let other = LocalKek::new("env", &Zeroizing::new([2; KEY]));
    assert_ne!(kek.id(), other.id());
    assert!(kek.id().starts_with("env-"));
    let wrapped = kek.wrap(b"here", &[7; KEY], &entropy).await.unwrap();
    assert_eq!(*kek.unwrap(b"here", &wrapped).await.unwrap(), [7; KEY]);
    assert!(kek.unwrap(b"there", &wrapped).await.is_err());
    assert!(other.unwrap(b"here", &wrapped).await.is_err());
    for at in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        assert!(kek.unwrap(b"here", &altered).await.is_err(), "byte {at}");
        assert!(kek.unwrap(b"here", &wrapped[..at]).await.is_err(), "cut at {at}");
    }
    let error = kek.unwrap(b"here", &[1, 2, 3]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a wrapped key begins with 0102, which this version of Latchkey does not know"
    );
}
