//! What Active Directory means by the numbers in its diagnostic text, as `80090308: … data 52e, v4563` and
//! `0000052D: SvcErr: DSID-031A1254, …`.

/// Why a login did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// The password is wrong.
    Wrong,
    /// There is no such login; only some directories tell.
    NotFound,
    /// It says nothing about the password, or the password alone does not do.
    Barred(&'static str),
}

/// What the `data` of a refused bind means.
pub(super) fn login(text: &str) -> Option<Login> {
    let data = text.split("data ").nth(1)?.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    Some(match data.to_ascii_lowercase().as_str() {
        "52e" => Login::Wrong,
        "525" => Login::NotFound,
        "530" => Login::Barred("it may not log in at this hour"),
        "531" => Login::Barred("it may not log in from this machine"),
        "532" => Login::Barred("its password is expired"),
        "533" => Login::Barred("it is disabled"),
        "568" => Login::Barred("it is in too many groups"),
        "701" => Login::Barred("the account is expired"),
        "773" => Login::Barred("the person has to change the password at the next login"),
        "775" => Login::Barred("it is locked after failed logins"),
        _ => return None,
    })
}

/// Why a password was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The domain's rules refuse the new one. The directory does not say which rule.
    Rules,
    /// The old one is wrong (own changes only).
    OldIsWrong,
    /// The connection is not encrypted well enough.
    NotEncrypted,
    /// The login that changes it may not.
    NotAllowed,
}

/// What the number that the text begins with means.
pub(super) fn change(text: &str) -> Option<Change> {
    let number = text.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    let number = u32::from_str_radix(number, 16).ok()?;
    Some(match number {
        // ERROR_PASSWORD_RESTRICTION, ERROR_ILL_FORMED_PASSWORD, ERROR_PASSWORD_MUST_CHANGE's sibling for age.
        0x52d | 0x52c => Change::Rules,
        // ERROR_INVALID_PASSWORD
        0x56 | 0x52b => Change::OldIsWrong,
        // ERROR_GEN_FAILURE, which it answers without 128 bits of encryption.
        0x1f => Change::NotEncrypted,
        // ERROR_ACCESS_DENIED, ERROR_DS_INSUFF_ACCESS_RIGHTS
        0x5 | 0x2098 => Change::NotAllowed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_texts_are_understood() {
        let bind = |data: &str| {
            format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v2580"
            )
        };
        assert_eq!(login(&bind("52e")), Some(Login::Wrong));
        assert_eq!(login(&bind("525")), Some(Login::NotFound));
        assert_eq!(login(&bind("775")), Some(Login::Barred("it is locked after failed logins")));
        assert_eq!(login("Simple Bind Failed: NT_STATUS_LOGON_FAILURE"), None);
        let change_text = |number: &str| {
            format!("{number}: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0\n")
        };
        assert_eq!(change(&change_text("0000052D")), Some(Change::Rules));
        assert_eq!(
            change("00000056: AtrErr: DSID-03191083, #1:\n\t0: 00000056: DSID-03191083"),
            Some(Change::OldIsWrong)
        );
        assert_eq!(change(&change_text("0000001F")), Some(Change::NotEncrypted));
        assert_eq!(
            change("00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"),
            Some(Change::NotAllowed)
        );
        assert_eq!(change("00002077: SvcErr"), None);
        assert_eq!(change(""), None);
    }
}
