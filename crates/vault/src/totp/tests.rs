use super::*;
use proptest::prelude::*;
use secrecy::ExposeSecret;

/// `12345678901234567890`, repeated to the length of the hash, as RFC 6238 has it.
fn rfc(algorithm: Algorithm) -> Totp {
    let length = match algorithm {
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
        Algorithm::Sha512 => 64,
    };
    let seed = b"1234567890".iter().copied().cycle().take(length).collect();
    Totp { seed: Zeroizing::new(seed), algorithm, digits: 8, period: 30, label: String::new(), issuer: None }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

#[test]
fn the_codes_are_those_of_rfc_6238_appendix_b() {
    let table = [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];
    for (time, codes) in table {
        for (algorithm, expected) in
            [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].into_iter().zip(codes)
        {
            let code = rfc(algorithm).code(at(time));
            assert_eq!(code.code.expose_secret(), expected, "{algorithm:?} at {time}");
        }
    }
}

#[test]
fn a_code_has_its_digits_and_says_how_long_it_holds() {
    let table = [(6, 30, 59, "287082", 1), (7, 30, 60, "7359152", 30), (8, 60, 59, "84755224", 1)];
    for (digits, period, time, expected, left) in table {
        let totp = Totp { digits, period, ..rfc(Algorithm::Sha1) };
        let code = totp.code(at(time));
        assert_eq!((code.code.expose_secret(), code.seconds_left), (expected, left), "{digits} digits");
    }
}

#[test]
fn an_address_is_read_with_its_defaults_and_its_parts() {
    let full = "otpauth://totp/Example%3Aalice?secret=jbsw%20y3dp-ehpk3pxp=&issuer=Ex%20ample&algorithm=sha256&digits=8&period=60&image=x";
    let totp = Totp::parse(full).unwrap();
    assert_eq!((totp.label(), totp.issuer()), ("Example:alice", Some("Ex ample")));
    assert_eq!((totp.algorithm(), totp.digits(), totp.period()), (Algorithm::Sha256, 8, 60));
    for short in [
        "otpauth://totp/?secret=JBSWY3DPEHPK3PXP",
        " jbsw y3dp ehpk 3pxp\n",
        "OTPAUTH://TOTP/?SECRET=JBSWY3DPEHPK3PXP#x",
    ] {
        let totp = Totp::parse(short).unwrap();
        assert_eq!((totp.algorithm(), totp.digits(), totp.period()), (Algorithm::Sha1, 6, 30));
        assert_eq!(&totp.seed[..], b"Hello!\xde\xad\xbe\xef");
    }
}

#[test]
fn what_gives_no_codes_is_refused_with_the_part_that_is_wrong() {
    let uri = |query: &str| format!("otpauth://totp/x?{query}");
    let secret = "secret=JBSWY3DPEHPK3PXP";
    for (text, error) in [
        ("https://example.com/?secret=JBSWY3DP".to_owned(), TotpError::NotOtpauth),
        ("otpauth://yubi/x?secret=JBSWY3DP".to_owned(), TotpError::NotOtpauth),
        ("otpauth://hotp/x?secret=JBSWY3DP&counter=1".to_owned(), TotpError::Hotp),
        ("otpauth://totp/x".to_owned(), TotpError::NoSecret),
        (uri("digits=6"), TotpError::NoSecret),
        (uri("secret="), TotpError::EmptySecret),
        (uri("secret=01"), TotpError::NotBase32),
        (String::new(), TotpError::EmptySecret),
        ("not base32!".to_owned(), TotpError::NotBase32),
        (uri(&format!("{secret}&{secret}")), TotpError::Twice { part: "secret" }),
        (uri(&format!("{secret}&digits=9")), TotpError::Digits),
        (uri(&format!("{secret}&digits=six")), TotpError::Digits),
        (uri(&format!("{secret}&period=0")), TotpError::Period),
        (uri(&format!("{secret}&algorithm=MD5")), TotpError::Algorithm),
        (uri(&format!("{secret}&issuer=%ff")), TotpError::Escape { part: "issuer" }),
    ] {
        assert_eq!(Totp::parse(&text).unwrap_err(), error, "{text}");
        assert!(!error.to_string().contains("JBSW"));
    }
}

#[test]
fn v1_debug_shows_neither_seed_nor_code() {
    let totp = Totp::parse("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP").unwrap();
    let code = totp.code(at(59));
    let shown = format!("{totp:?} {code:?} {:?}", totp.to_uri());
    for hidden in ["JBSW", "Hello", "72, 101", code.code.expose_secret()] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

proptest! {
    #[test]
    fn an_address_written_is_the_seed_read(
        seed in proptest::collection::vec(any::<u8>(), 1..80),
        digits in 6_u8..=8,
        period in 1_u32..=86_400,
        label: String,
        issuer in proptest::option::of(".+"),
    ) {
        let totp = Totp { seed: Zeroizing::new(seed), algorithm: Algorithm::Sha512, digits, period, label, issuer };
        let read = Totp::parse(totp.to_uri().expose_secret()).unwrap();
        prop_assert_eq!(&read.seed, &totp.seed);
        prop_assert_eq!((read.digits, read.period, read.algorithm), (digits, period, Algorithm::Sha512));
        prop_assert_eq!((&read.label, &read.issuer), (&totp.label, &totp.issuer));
    }

    #[test]
    fn any_text_is_read_without_panic(text: String) {
        let _ = Totp::parse(&text);
        let _ = Totp::parse(&format!("otpauth://totp/{text}"));
    }
}
