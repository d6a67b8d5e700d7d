//! Backups: a stream that is sealed in chunks, under a key of its own.
//!
//! The key is wrapped as a workspace key is: by the key source, and for the recovery key. So a
//! backup names its keys and holds none. Each chunk is XChaCha20-Poly1305 with its number in the
//! nonce and a mark on the last, over the file's head as associated data: no chunk can be
//! altered, moved, dropped or added, no other head be put before them, and a file that was cut
//! short is known for one.
//!
//! A chunk: four bytes that say how long its plaintext is, the highest bit marking the last; the
//! ciphertext with its tag.

use std::io::{self, Read, Write};

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use latchkey_kernel::Entropy;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::envelope::{KEY, TAG};
use crate::error::KeyError;
use crate::keys::{Keys, WrappedKey};
use crate::place::Bound;
use crate::recovery::RecoveryKit;

/// Bytes of a chunk's plaintext; only the last has fewer.
const CHUNK: usize = 64 << 10;
const LAST: u32 = 1 << 31;
const FORMAT: u8 = 1;

/// Why a sealed stream does not read on. It comes within an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A chunk is not what was written.
    #[error("the file was altered or damaged in its block {chunk}")]
    Altered {
        /// Which, from 0.
        chunk: u64,
    },
    /// There is no last chunk.
    #[error("the file ends in the middle: it was not copied whole")]
    CutShort,
    /// There is something behind the last chunk.
    #[error("something was added to the end of the file")]
    Trailing,
}

/// The key of one backup.
pub struct BackupKey(Box<Zeroizing<[u8; KEY]>>);

impl Keys {
    /// Makes the key for the backup of this id.
    ///
    /// # Errors
    /// When the key source cannot be used.
    pub async fn new_backup_key(
        &self,
        id: &[u8; 16],
        entropy: &dyn Entropy,
    ) -> Result<(BackupKey, WrappedKey), KeyError> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        entropy.fill(&mut key[..]);
        let bound = bound(id);
        let wrapped = WrappedKey {
            number: 1,
            kek_id: self.kek_id().to_owned(),
            primary: self.kek.wrap(bound.as_slice(), &key, entropy).await?,
            recovery: self.recovery.seal(bound.as_slice(), &key, entropy),
        };
        Ok((BackupKey(key), wrapped))
    }

    /// Opens a backup's key by the key source.
    ///
    /// # Errors
    /// When another key made the wrap, it was altered or moved, or the source cannot be used.
    pub async fn open_backup_key(&self, id: &[u8; 16], wrapped: &WrappedKey) -> Result<BackupKey, KeyError> {
        if wrapped.kek_id != self.kek_id() {
            let (wrapped_by, have) = (wrapped.kek_id.clone(), self.kek_id().to_owned());
            return Err(KeyError::OtherKek { wrapped_by, have });
        }
        Ok(BackupKey(Box::new(self.kek.unwrap(bound(id).as_slice(), &wrapped.primary).await?)))
    }

    /// Opens a backup's key with the recovery kit.
    ///
    /// # Errors
    /// When the kit is another installation's, or the wrap was altered or moved.
    pub fn recover_backup_key(
        kit: &RecoveryKit,
        id: &[u8; 16],
        wrapped: &WrappedKey,
    ) -> Result<BackupKey, KeyError> {
        Ok(BackupKey(Box::new(kit.open(bound(id).as_slice(), &wrapped.recovery)?)))
    }
}

fn bound(id: &[u8; 16]) -> Bound {
    Bound::new("backup").with(&[FORMAT]).with(id)
}

impl BackupKey {
    /// Seals what is written, and writes it on to `out`. `head` stands before it in the clear.
    pub fn seal<W: Write>(&self, head: &[u8], out: W) -> SealedWriter<W> {
        let room = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        SealedWriter { chunks: Chunks::new(self, head), out, room }
    }

    /// Opens what [`BackupKey::seal`] wrote.
    pub fn open<R: Read>(&self, head: &[u8], from: R) -> SealedReader<R> {
        SealedReader {
            chunks: Chunks::new(self, head),
            from,
            room: Zeroizing::default(),
            at: 0,
            ended: false,
        }
    }
}

struct Chunks {
    cipher: XChaCha20Poly1305,
    head: [u8; 32],
    number: u64,
}

impl Chunks {
    fn new(key: &BackupKey, head: &[u8]) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new((&**key.0).into()),
            head: Sha256::digest(head).into(),
            number: 0,
        }
    }

    /// The number, never twice under one key, and the mark.
    fn nonce(&mut self, last: bool) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&self.number.to_be_bytes());
        nonce[8] = u8::from(last);
        self.number += 1;
        XNonce::from(nonce)
    }
}

/// Seals what is written to it. Without [`SealedWriter::finish`] the file counts as cut short.
pub struct SealedWriter<W> {
    chunks: Chunks,
    out: W,
    room: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    /// Writes the last chunk, and gives back what was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, last: bool) -> io::Result<()> {
        let length = u32::try_from(self.room.len()).expect("a chunk is short");
        let nonce = self.chunks.nonce(last);
        let tag = self
            .chunks
            .cipher
            .encrypt_inout_detached(&nonce, &self.chunks.head, self.room.as_mut_slice().into())
            .expect("sealing fails only beyond 256 GiB");
        self.out.write_all(&(length | if last { LAST } else { 0 }).to_be_bytes())?;
        self.out.write_all(&self.room)?;
        self.out.write_all(&tag)?;
        self.room.clear();
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits for more: it may be the last.
        if self.room.len() == CHUNK {
            self.put(false)?;
        }
        let count = bytes.len().min(CHUNK - self.room.len());
        self.room.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads what was sealed. No byte of a chunk is given out before all of it was found whole; that
/// the stream is whole is known at its end.
pub struct SealedReader<R> {
    chunks: Chunks,
    from: R,
    room: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl<R: Read> SealedReader<R> {
    fn next_chunk(&mut self) -> io::Result<()> {
        let chunk = self.chunks.number;
        let altered = || io::Error::other(StreamError::Altered { chunk });
        let mut size = [0; 4];
        self.from.read_exact(&mut size).map_err(cut_short)?;
        let size = u32::from_be_bytes(size);
        let (length, last) = (usize::try_from(size & !LAST).map_err(|_| altered())?, size & LAST != 0);
        if length > CHUNK {
            return Err(altered());
        }
        self.room.clear();
        self.room.resize(length, 0);
        self.from.read_exact(&mut self.room).map_err(cut_short)?;
        let mut tag = Tag::default();
        self.from.read_exact(&mut tag).map_err(cut_short)?;
        let nonce = self.chunks.nonce(last);
        let opened = self.chunks.cipher.decrypt_inout_detached(
            &nonce,
            &self.chunks.head,
            self.room.as_mut_slice().into(),
            &tag,
        );
        if opened.is_err() {
            self.room.clear();
            return Err(altered());
        }
        self.at = 0;
        self.ended = last;
        if last && self.from.read(&mut [0])? != 0 {
            return Err(io::Error::other(StreamError::Trailing));
        }
        Ok(())
    }
}

fn cut_short(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { io::Error::other(StreamError::CutShort) } else { error }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.room.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let count = out.len().min(self.room.len() - self.at);
        out[..count].copy_from_slice(&self.room[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
