//! What a directory with password policies says beside its result (draft-behera-ldap-password-policy).

use ldap3::LdapResult;
use ldap3::controls::{Control, RawControl};

const OID: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// Asks the directory to say why.
pub(crate) fn request() -> RawControl {
    RawControl { ctype: OID.to_owned(), crit: false, val: None }
}

/// Why the policy refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    PasswordExpired,
    AccountLocked,
    ChangeAfterReset,
    PasswordModNotAllowed,
    MustSupplyOldPassword,
    InsufficientPasswordQuality,
    PasswordTooShort,
    PasswordTooYoung,
    PasswordInHistory,
    PasswordTooLong,
}

impl Reason {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::PasswordExpired => "the password is expired",
            Self::AccountLocked => "the login is locked; unlock it there",
            Self::ChangeAfterReset => "the directory demands that the person changes the password first",
            Self::PasswordModNotAllowed => "the policy lets nobody change this password",
            Self::MustSupplyOldPassword => "the policy wants the old password; leave the admin login out",
            Self::InsufficientPasswordQuality => "it is too weak for the directory's policy",
            Self::PasswordTooShort => "it is shorter than the directory's policy asks",
            Self::PasswordTooYoung => "the last change is more recent than the directory's policy allows",
            Self::PasswordInHistory => "the directory remembers it from earlier",
            Self::PasswordTooLong => "it is longer than the directory's policy allows",
        }
    }
}

/// The reason in a result, if the directory gave one.
pub(crate) fn reason(result: &LdapResult) -> Option<Reason> {
    let Control(_, raw) = result.ctrls.iter().find(|control| control.1.ctype == OID)?;
    let value = raw.val.as_deref()?;
    // SEQUENCE { [0] warning OPTIONAL, [1] error OPTIONAL }, all lengths short.
    let [0x30, length, fields @ ..] = value else { return None };
    let mut fields = fields.get(..usize::from(*length))?;
    while let [tag, length, rest @ ..] = fields {
        let content = rest.get(..usize::from(*length))?;
        if *tag == 0x81 {
            return Some(match content {
                [0] => Reason::PasswordExpired,
                [1] => Reason::AccountLocked,
                [2] => Reason::ChangeAfterReset,
                [3] => Reason::PasswordModNotAllowed,
                [4] => Reason::MustSupplyOldPassword,
                [5] => Reason::InsufficientPasswordQuality,
                [6] => Reason::PasswordTooShort,
                [7] => Reason::PasswordTooYoung,
                [8] => Reason::PasswordInHistory,
                [9] => Reason::PasswordTooLong,
                _ => return None,
            });
        }
        fields = rest.get(usize::from(*length)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(value: &[u8]) -> LdapResult {
        let raw = RawControl { ctype: OID.to_owned(), crit: false, val: Some(value.to_vec()) };
        LdapResult {
            rc: 19,
            matched: String::new(),
            text: String::new(),
            refs: Vec::new(),
            ctrls: vec![Control(None, raw)],
        }
    }

    #[test]
    fn reasons_are_read_and_nonsense_is_none() {
        for (value, expected) in [
            (&[0x30, 3, 0x81, 1, 8][..], Some(Reason::PasswordInHistory)),
            (&[0x30, 8, 0xa0, 3, 0x80, 1, 5, 0x81, 1, 6], Some(Reason::PasswordTooShort)),
            (&[0x30, 5, 0xa0, 3, 0x80, 1, 5], None),
            (&[0x30, 0], None),
            (&[0x30, 9, 0x81], None),
            (&[0x30, 3, 0x81, 1, 77], None),
            (&[], None),
        ] {
            assert_eq!(reason(&result(value)), expected, "{value:?}");
        }
    }
}
