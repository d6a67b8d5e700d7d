//! One entry of a database, and the item that it becomes.

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::item::{Item, Place, Reading, filled, secret};
use crate::limits::Limits;

/// An entry while it is read.
pub(super) struct Entry {
    item: Item,
    totp: Totp,
    /// How many files are attached.
    pub(super) files: usize,
    unreadable: Vec<(String, &'static str, &'static str)>,
}

/// A seed with its settings apart, as KeePass and its plug-ins keep it.
#[derive(Default)]
struct Totp {
    uri: Option<Zeroizing<String>>,
    seed: Option<Zeroizing<String>>,
    period: Option<u32>,
    digits: Option<u32>,
    algorithm: Option<&'static str>,
}

impl Entry {
    pub(super) fn new(number: u64) -> Self {
        let item = Item::new(Place::item(number));
        Self { item, totp: Totp::default(), files: 0, unreadable: Vec::new() }
    }

    /// Takes a field in; `Err` is one that is no text.
    pub(super) fn field(&mut self, key: String, value: Result<Zeroizing<String>, ()>) {
        let Ok(value) = value else {
            return self.unreadable.push((key, "no UTF-8 text", "add it by hand"));
        };
        if value.is_empty() {
            return;
        }
        if value.starts_with("{REF:") {
            let advice = "write the value itself into the entry, or add it by hand";
            return self.unreadable.push((key, "a reference to another entry", advice));
        }
        let item = &mut self.item;
        match key.as_str() {
            "Title" => (*value).clone_into(&mut item.name),
            "UserName" => item.username = filled(&value),
            "Password" => item.password = secret(&value),
            "URL" => item.push_url(&value),
            "Notes" => item.notes = secret(&value),
            "otp" => self.totp.uri = Some(value),
            "TOTP Seed" | "TimeOtp-Secret-Base32" => self.totp.seed = Some(value),
            "TOTP Settings" => {
                let mut parts = value.split(';').map(|part| part.trim().parse().ok());
                self.totp.period = parts.next().flatten();
                self.totp.digits = parts.next().flatten();
            }
            "TimeOtp-Period" => self.totp.period = value.trim().parse().ok(),
            "TimeOtp-Length" => self.totp.digits = value.trim().parse().ok(),
            "TimeOtp-Algorithm" => {
                self.totp.algorithm = match value.trim() {
                    "HMAC-SHA-256" => Some("SHA256"),
                    "HMAC-SHA-512" => Some("SHA512"),
                    _ => None,
                };
            }
            _ if key.starts_with("KP2A_URL") => item.push_url(&value),
            _ => item.push_extra(key, SecretString::from(value.as_str())),
        }
    }

    pub(super) fn finish(
        mut self,
        folder: Vec<String>,
        in_bin: bool,
        reading: &mut Reading,
        limits: &Limits,
    ) {
        self.item.place.name = filled(&self.item.name);
        if in_bin {
            let advice = "restore it in KeePass if you want it";
            return reading.skip(self.item.place, "group", "in the recycle bin", advice);
        }
        let place = self.item.place.clone();
        for (field, found, advice) in self.unreadable {
            reading.drop_field(place.clone(), field, found, advice);
        }
        if self.files > 0 {
            let found = format!("{} attached", if self.files == 1 { "a file" } else { "several files" });
            reading.drop_field(place, "files", found, "attach them to the account by hand");
        }
        self.item.folder = folder;
        self.item.totp = self.totp.uri();
        reading.take(self.item, limits);
    }
}

impl Totp {
    /// The seed alone where nothing is special about it, else a URI that says what is.
    fn uri(self) -> Option<SecretString> {
        if let Some(uri) = self.uri {
            return secret(uri.trim());
        }
        let seed = self.seed?;
        let seed: Zeroizing<String> = Zeroizing::new(seed.split_whitespace().collect());
        let (period, digits) = (self.period.unwrap_or(30), self.digits.unwrap_or(6));
        let algorithm = self.algorithm.unwrap_or("SHA1");
        if (period, digits, algorithm) == (30, 6, "SHA1") {
            return secret(&seed);
        }
        let uri = Zeroizing::new(format!(
            "otpauth://totp/KeePass?secret={}&period={period}&digits={digits}&algorithm={algorithm}",
            *seed
        ));
        secret(&uri)
    }
}
