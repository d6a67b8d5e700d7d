//! Distinguished names (RFC 4514), so that two spellings of one are known to be one.

/// A spelling that is the same for all of one name: small letters, no spaces around separators,
/// and what is escaped escaped in one way. Values are compared without regard to letter case, as
/// directories do with nearly all naming attributes.
pub(super) fn normal(dn: &str) -> String {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut bytes = dn.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let Some(first) = bytes.next() else { break };
                let second = bytes.peek().copied().filter(u8::is_ascii_hexdigit);
                let value = match (hex(first), second.and_then(hex)) {
                    (Some(high), Some(low)) => {
                        bytes.next();
                        high << 4 | low
                    }
                    _ => first,
                };
                part.push((value, true));
            }
            b',' | b';' | b'+' | b'=' => {
                parts.push(std::mem::take(&mut part));
                parts.push(vec![(if byte == b';' { b',' } else { byte }, false)]);
            }
            other => part.push((other, false)),
        }
    }
    parts.push(part);
    let mut normal = Vec::with_capacity(dn.len());
    for part in parts {
        let is_space = |(byte, escaped): &(u8, bool)| *byte == b' ' && !escaped;
        let start = part.iter().take_while(|one| is_space(one)).count();
        let end = part.len() - part[start..].iter().rev().take_while(|one| is_space(one)).count();
        let [(separator, false)] = part[..] else {
            for (byte, _) in &part[start..end] {
                if matches!(byte, b',' | b';' | b'+' | b'=' | b'\\') {
                    normal.push(b'\\');
                }
                normal.push(*byte);
            }
            continue;
        };
        if separator != b' ' {
            normal.push(separator);
        }
    }
    String::from_utf8_lossy(&normal).to_lowercase()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        for (dn, same) in [
            ("UID=Mira, OU=People ,dc=Quarry, dc = example", "uid=mira,ou=people,dc=quarry,dc=example"),
            (r"cn=Okefa\, Mira,dc=q", r"cn=Okefa\2C Mira,dc=q"),
            (r"cn=O\C3\A9,dc=q", "cn=oé,dc=q"),
            (r"cn=a\=b;dc=q", r"CN=A\3db, DC=Q"),
            ("cn=a+sn=b,dc=q", "CN=a + SN=b,DC=q"),
            ("cn=é É,dc=q", "cn=É é,dc=q"),
        ] {
            assert_eq!(normal(dn), normal(same), "{dn}");
        }
        for (dn, other) in [
            (r"cn=a\,dc=b,dc=q", "cn=a,dc=b,dc=q"),
            ("cn=ab,dc=q", "cn=a b,dc=q"),
            (r"cn=a\\2C", r"cn=a\2C"),
            ("cn=1,dc=q", "cn=2,dc=q"),
        ] {
            assert_ne!(normal(dn), normal(other), "{dn}");
        }
        normal("\\");
        normal("");
    }
}
