//! KeePass databases: one that another implementation wrote, and ours, made here as the format says.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt, KeyIvInit, StreamCipher};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20::ChaCha20;
use hmac::{Hmac, KeyInit, Mac};
use latchkey_interchange::{Format, Limits, ReadError, Unlock, read};
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::support::{faults, items, password};

/// How a test's database is made.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) key: Vec<u8>,
    pub(crate) kdf: Vec<u8>,
    pub(crate) aes: bool,
    pub(crate) packed: bool,
    pub(crate) xml: String,
}

pub(crate) const AES_KDF: [u8; 16] = 0xc9d9_f39a_628a_4460_bf74_0d08_c18a_4fea_u128.to_be_bytes();
pub(crate) const ARGON2_ID: [u8; 16] = 0x9e29_8b19_56db_4773_b23d_fc3e_c6f0_a1e6_u128.to_be_bytes();
const AES: [u8; 16] = 0x31c1_f2e6_bf71_4350_be58_0521_6afc_5aff_u128.to_be_bytes();
const CHACHA: [u8; 16] = 0xd603_8a2b_8b6f_4cb5_a524_339a_31db_b59a_u128.to_be_bytes();

/// A key derivation's dictionary.
pub(crate) fn dictionary(id: [u8; 16], numbers: &[(&str, u8, u64)]) -> Vec<u8> {
    let mut out = vec![0, 1];
    let mut put = |kind: u8, name: &str, value: &[u8]| {
        out.push(kind);
        out.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        out.extend(name.as_bytes());
        out.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        out.extend(value);
    };
    put(0x42, "$UUID", &id);
    put(0x42, "S", &[7; 32]);
    for (name, kind, value) in numbers {
        put(*kind, name, &value.to_le_bytes()[..if *kind == 4 { 4 } else { 8 }]);
    }
    out.push(0);
    out
}

impl Made {
    pub(crate) fn cheap(xml: impl Into<String>) -> Self {
        let key = Sha256::digest(Sha256::digest(b"pw")).to_vec();
        let kdf = dictionary(AES_KDF, &[("R", 5, 3)]);
        Self { key, kdf, aes: true, packed: true, xml: xml.into() }
    }

    /// The file. Only the cheap derivations are computed here; others are for refusals.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut header = vec![0x03, 0xD9, 0xA2, 0x9A, 0x67, 0xFB, 0x4B, 0xB5, 0, 0, 4, 0];
        let iv = vec![9; if self.aes { 16 } else { 12 }];
        let packed = u32::from(self.packed).to_le_bytes();
        for (id, data) in [
            (2_u8, if self.aes { &AES[..] } else { &CHACHA[..] }),
            (3, &packed),
            (4, &[5; 32]),
            (7, &iv),
            (11, &self.kdf),
            (0, b"\r\n\r\n"),
        ] {
            header.push(id);
            header.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            header.extend(data);
        }
        let transformed = self.transformed();
        let cipher_key = Sha256::digest([&[5; 32][..], &transformed].concat());
        let block_key = Sha512::digest([&[5; 32][..], &transformed, &[1]].concat());
        let tag = |index: u64, data: &[u8]| {
            let key = Sha512::digest([&index.to_le_bytes()[..], &block_key].concat());
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(data);
            mac.finalize().into_bytes()
        };
        let mut plain = vec![1, 4, 0, 0, 0, 3, 0, 0, 0, 2, 64, 0, 0, 0];
        plain.extend([3; 64]);
        plain.extend([0, 0, 0, 0, 0]);
        plain.extend(self.xml.as_bytes());
        if self.packed {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gzip, &plain).unwrap();
            plain = gzip.finish().unwrap();
        }
        let sealed = if self.aes {
            let length = plain.len();
            plain.resize(length + 16, 0);
            let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&cipher_key, &iv).unwrap();
            cipher.encrypt_padded::<Pkcs7>(&mut plain, length).unwrap().to_vec()
        } else {
            ChaCha20::new_from_slices(&cipher_key, &iv).unwrap().apply_keystream(&mut plain);
            plain
        };
        let mut file = header.clone();
        file.extend(Sha256::digest(&header));
        file.extend(tag(u64::MAX, &header));
        let half = sealed.len() / 2;
        for (index, part) in (0_u64..).zip([&sealed[..half], &sealed[half..], &[]]) {
            let size = u32::try_from(part.len()).unwrap().to_le_bytes();
            file.extend(tag(index, &[&index.to_le_bytes()[..], &size, part].concat()));
            file.extend(size);
            file.extend(part);
        }
        file
    }

    fn transformed(&self) -> Vec<u8> {
        use aes::cipher::{BlockCipherEncrypt, KeyInit};
        let cipher = aes::Aes256::new(&[7; 32].into());
        let mut state = self.key.clone();
        for half in state.chunks_mut(16) {
            for _ in 0..3 {
                cipher.encrypt_block(half.try_into().unwrap());
            }
        }
        Sha256::digest(state).to_vec()
    }
}

/// The texts as protected values, sealed in the order in which they stand.
pub(crate) fn protect<const N: usize>(texts: [&str; N]) -> [String; N] {
    let hash = Sha512::digest([3; 64]);
    let mut stream = ChaCha20::new_from_slices(&hash[..32], &hash[32..44]).unwrap();
    texts.map(|text| {
        let mut bytes = text.as_bytes().to_vec();
        stream.apply_keystream(&mut bytes);
        STANDARD.encode(bytes)
    })
}

pub(crate) fn database() -> String {
    let [earlier, pw, gone] = protect(["earlier", "pw & more", "gone"]);
    format!(
        "<?xml version=\"1.0\"?><KeePassFile><Meta><DatabaseName>x</DatabaseName>\
         <RecycleBinUUID>BIN=</RecycleBinUUID></Meta><Root><Group><UUID>R=</UUID><Name>Root</Name>\
         <Group><UUID>G=</UUID><Name>Web &amp; mail</Name>\
         <Entry><UUID>E=</UUID><String><Key>Title</Key><Value>Site &lt;1&gt; &#x263A;</Value></String>\
         <History><Entry><String><Key>Password</Key><Value Protected=\"True\">{earlier}</Value></String></Entry></History>\
         <String><Key>Password</Key><Value Protected=\"True\">{pw}</Value></String>\
         <String><Key>UserName</Key><Value>ana</Value></String><String><Key>Notes</Key><Value/></String>\
         <String><Key>KP2A_URL_1</Key><Value>https://b.example</Value></String>\
         <String><Key>TOTP Seed</Key><Value>JBSW Y3DP</Value></String>\
         <String><Key>TOTP Settings</Key><Value>60;8</Value></String>\
         <Binary><Key>id_rsa</Key><Value Ref=\"0\"/></Binary></Entry>\
         <Entry><String><Key>Title</Key><Value>Copy</Value></String><String><Key>UserName</Key><Value>kim</Value></String>\
         <String><Key>Password</Key><Value>{{REF:P@I:00}}</Value></String></Entry></Group>\
         <Group><UUID>BIN=</UUID><Name>Bin</Name><Entry><String><Key>Title</Key><Value>Gone</Value></String>\
         <String><Key>Password</Key><Value Protected=\"True\">{gone}</Value></String></Entry></Group>\
         </Group></Root></KeePassFile>"
    )
}

#[test]
fn a_database_of_another_implementation_opens() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/pykeepass.kdbx")).unwrap();
    let reading = read(&file, &password("correct horse"), &Limits::default()).unwrap();
    assert_eq!(reading.format, Format::Kdbx);
    assert_eq!(
        items(&reading),
        [
            "Mail | in=Servers>Web & mail | url=https://mail.example/ | user=ana | password=second password \
             | totp=otpauth://totp/Mail?secret=JBSWY3DPEHPK3PXP&period=30&digits=6&issuer=Mail \
             | notes=line one\nline <two> & \"three\" | PIN=0000",
            "Ünïcode ☂ | password=päss🔑",
        ]
    );
    assert_eq!(faults(&reading), ["item item 3 (Gone): group: in the recycle bin"]);
    let wrong = read(&file, &password("wrong horse"), &Limits::default()).unwrap_err();
    assert_eq!(wrong, ReadError::WrongKey);
}

#[test]
fn each_cipher_packed_or_not_gives_the_present_values_and_names_what_it_leaves() {
    for (aes, packed) in [(true, true), (true, false), (false, true), (false, false)] {
        let file = Made { aes, packed, ..Made::cheap(database()) }.file();
        let reading = read(&file, &password("pw"), &Limits::default()).unwrap();
        assert_eq!(
            items(&reading),
            [
                "Site <1> ☺ | in=Web & mail | url=https://b.example | user=ana | password=pw & more \
                 | totp=otpauth://totp/KeePass?secret=JBSWY3DP&period=60&digits=8&algorithm=SHA1",
                "Copy | in=Web & mail | user=kim",
            ]
        );
        assert_eq!(
            faults(&reading),
            [
                "field item 1 (Site <1> ☺): files: a file attached",
                "field item 2 (Copy): Password: a reference to another entry",
                "item item 3 (Gone): group: in the recycle bin",
            ]
        );
    }
}

#[test]
fn a_key_file_opens_in_each_of_its_forms_with_a_password_and_without() {
    let raw = [0x2A_u8; 32];
    let hex = "2a".repeat(32);
    let first = format!(
        "<KeyFile><Meta><Version>1.00</Version></Meta><Key><Data>{}</Data></Key></KeyFile>",
        STANDARD.encode(raw)
    );
    let second = format!(
        "<KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash=\"00\">\n {} {}\n</Data></Key></KeyFile>",
        &hex[..32],
        &hex[32..].to_uppercase()
    );
    let any = b"any file at all".to_vec();
    let hashed = Sha256::digest(&any).to_vec();
    for (key_file, key) in [
        (raw.to_vec(), raw.to_vec()),
        (hex.into_bytes(), raw.to_vec()),
        (first.into_bytes(), raw.to_vec()),
        (second.into_bytes(), raw.to_vec()),
        (any, hashed),
    ] {
        let alone = Made { key: Sha256::digest(&key).to_vec(), ..Made::cheap(database()) };
        let unlock = Unlock { key_file: Some(Zeroizing::new(key_file.clone())), ..Unlock::default() };
        assert_eq!(read(&alone.file(), &unlock, &Limits::default()).unwrap().items.len(), 2);
        let both = [&Sha256::digest(b"pw")[..], &key].concat();
        let both = Made { key: Sha256::digest(both).to_vec(), ..alone };
        assert_eq!(read(&both.file(), &unlock, &Limits::default()).unwrap_err(), ReadError::WrongKey);
        let unlock = Unlock { key_file: unlock.key_file, ..password("pw") };
        assert_eq!(read(&both.file(), &unlock, &Limits::default()).unwrap().items.len(), 2);
    }
    let locked = read(&Made::cheap(database()).file(), &Unlock::default(), &Limits::default()).unwrap_err();
    assert!(locked.to_string().contains("its key file, or both"), "{locked}");
}

#[test]
fn every_altered_byte_and_every_cut_is_found() {
    let limits = Limits { kdf_work: 1_000, ..Limits::default() };
    let opens = |file: &[u8]| read(file, &password("pw"), &limits).is_ok();
    let file = Made::cheap(database()).file();
    assert!(opens(&file));
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 1;
        assert!(!opens(&altered), "byte {at}");
        assert!(!opens(&file[..at]), "cut at {at}");
    }
}

#[test]
fn a_derivation_that_costs_too_much_is_refused_before_it_is_run() {
    let argon = |memory: u64, passes: u64| {
        dictionary(ARGON2_ID, &[("V", 4, 0x13), ("M", 5, memory), ("I", 5, passes), ("P", 4, 1)])
    };
    for kdf in [
        dictionary(AES_KDF, &[("R", 5, u64::MAX)]),
        argon(1 << 45, 1),
        argon(1 << 20, 1 << 40),
        argon(u64::MAX, u64::MAX),
    ] {
        let file = Made { kdf, ..Made::cheap(database()) }.file();
        let refused = read(&file, &password("pw"), &Limits::default()).unwrap_err();
        assert!(matches!(refused, ReadError::TooCostly { .. }), "{refused}");
    }
}

#[test]
fn a_bomb_deep_nesting_and_entities_are_refused() {
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    let refused = |xml: String| read(&Made::cheap(xml).file(), &password("pw"), &limits).unwrap_err();
    assert!(matches!(refused(" ".repeat(2 << 20)), ReadError::TooLarge { .. }));
    for (xml, why) in [
        ("<Group>".repeat(1_000), "nest too deep"),
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><KeePassFile/>".to_owned(), "document type"),
        ("<KeePassFile>&a;</KeePassFile>".to_owned(), "unknown character"),
        ("<KeePassFile><Root>".to_owned(), "ends in the middle"),
        (String::new(), "ends in the middle"),
    ] {
        assert!(refused(xml.clone()).to_string().contains(why), "{xml:.60}");
    }
}
