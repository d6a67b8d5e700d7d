//! The outer header: which cipher, which key derivation, which seeds.

use super::kdf::{Argon, Kdf};
use super::{FORMAT, SIGNATURE, cut_short, take, take_array, take_length};
use crate::error::ReadError;

/// How the payload is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes256,
    ChaCha20,
}

/// What stands before the payload.
pub(super) struct Header<'a> {
    /// All of it, as it is signed.
    pub(super) bytes: &'a [u8],
    pub(super) cipher: Cipher,
    pub(super) is_packed: bool,
    pub(super) master_seed: [u8; 32],
    pub(super) iv: &'a [u8],
    pub(super) kdf: Kdf<'a>,
}

const AES_256: [u8; 16] = hex(0x31c1_f2e6_bf71_4350_be58_0521_6afc_5aff);
const CHACHA_20: [u8; 16] = hex(0xd603_8a2b_8b6f_4cb5_a524_339a_31db_b59a);
const AES_KDF: [u8; 16] = hex(0xc9d9_f39a_628a_4460_bf74_0d08_c18a_4fea);
const AES_KDF_4: [u8; 16] = hex(0x7c02_bb82_79a7_4ac0_927d_114a_0064_8238);
const ARGON2_D: [u8; 16] = hex(0xef63_6ddf_8c29_444b_91f7_a9a4_03e3_0a0c);
const ARGON2_ID: [u8; 16] = hex(0x9e29_8b19_56db_4773_b23d_fc3e_c6f0_a1e6);

const fn hex(id: u128) -> [u8; 16] {
    id.to_be_bytes()
}

impl<'a> Header<'a> {
    /// Reads the header, and gives what comes after it.
    pub(super) fn read(file: &'a [u8]) -> Result<(Self, &'a [u8]), ReadError> {
        let malformed = |why: &str| ReadError::malformed(FORMAT, why);
        let mut rest = file.strip_prefix(&SIGNATURE).ok_or(ReadError::Unknown)?;
        let [_, _, major, _] = take_array::<4>(&mut rest)?;
        if major != 4 {
            return Err(ReadError::CannotOpen(format!(
                "this KeePass database is of version {major}, and Latchkey reads version 4; save it in KeePass or \
                 KeePassXC with the format `KDBX 4` and try again"
            )));
        }
        let (mut cipher, mut is_packed, mut master_seed, mut iv, mut kdf) = (None, None, None, None, None);
        loop {
            let [id] = take_array(&mut rest)?;
            let size = take_length(&mut rest)?;
            let data = take(&mut rest, size)?;
            match id {
                0 => break,
                2 => cipher = Some(data),
                3 => is_packed = Some(data),
                4 => master_seed = Some(data),
                7 => iv = Some(data),
                11 => kdf = Some(Kdf::read(data)?),
                // Public custom data, and a comment: not ours to know.
                _ => {}
            }
        }
        let missing = || malformed("its header lacks a field");
        let cipher = match cipher.ok_or_else(missing)? {
            id if id == AES_256 => Cipher::Aes256,
            id if id == CHACHA_20 => Cipher::ChaCha20,
            _ => {
                let why = "this KeePass database has a cipher that Latchkey doesn't read; \
                           choose AES or ChaCha20 in its security settings and save it";
                return Err(ReadError::CannotOpen(why.to_owned()));
            }
        };
        let is_packed = match is_packed.ok_or_else(missing)? {
            [0, 0, 0, 0] => false,
            [1, 0, 0, 0] => true,
            _ => return Err(malformed("it is compressed in a way that we don't know")),
        };
        let master_seed = master_seed.ok_or_else(missing)?.try_into().map_err(|_| missing())?;
        let length = file.len() - rest.len();
        let header = Self {
            bytes: &file[..length],
            cipher,
            is_packed,
            master_seed,
            iv: iv.ok_or_else(missing)?,
            kdf: kdf.ok_or_else(missing)?,
        };
        Ok((header, rest))
    }
}

impl<'a> Kdf<'a> {
    /// Reads a dictionary of typed values.
    fn read(mut rest: &'a [u8]) -> Result<Self, ReadError> {
        let malformed = |why: &str| ReadError::malformed(FORMAT, why);
        if take_array::<2>(&mut rest)?[1] != 1 {
            return Err(malformed("its key derivation is written in a way that we don't know"));
        }
        let mut found: Vec<(&[u8], &[u8])> = Vec::new();
        loop {
            let [kind] = take_array(&mut rest)?;
            if kind == 0 {
                break;
            }
            let size = take_length(&mut rest)?;
            let name = take(&mut rest, size)?;
            let size = take_length(&mut rest)?;
            found.push((name, take(&mut rest, size)?));
        }
        let value = |name: &[u8]| {
            let value = found.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            value.ok_or_else(|| malformed("its key derivation lacks a number"))
        };
        let number = |name: &[u8]| -> Result<u64, ReadError> {
            let value = value(name)?;
            let mut bytes = [0; 8];
            bytes.get_mut(..value.len()).ok_or_else(cut_short)?.copy_from_slice(value);
            Ok(u64::from_le_bytes(bytes))
        };
        let salt = value(b"S")?;
        let algorithm = match value(b"$UUID")? {
            id if id == AES_KDF || id == AES_KDF_4 => {
                let seed = salt.try_into().map_err(|_| cut_short())?;
                return Ok(Self::Aes { rounds: number(b"R")?, seed });
            }
            id if id == ARGON2_D => argon2::Algorithm::Argon2d,
            id if id == ARGON2_ID => argon2::Algorithm::Argon2id,
            _ => return Err(malformed("its key derivation is one that we don't know")),
        };
        let small = |name: &[u8]| Ok(u32::try_from(number(name)?).unwrap_or(u32::MAX));
        let version = match number(b"V")? {
            0x10 => argon2::Version::V0x10,
            0x13 => argon2::Version::V0x13,
            _ => return Err(malformed("its Argon2 is of a version that we don't know")),
        };
        let memory = u32::try_from(number(b"M")? / 1024).unwrap_or(u32::MAX);
        let argon = Argon { algorithm, version, memory, passes: small(b"I")?, lanes: small(b"P")? };
        Ok(Self::Argon { argon, salt })
    }
}
