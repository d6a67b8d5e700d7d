//! Which state of the files was read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use latchkey_provisioning::feed::{SourceError, SourceErrorKind, Watermark};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the file system says of a file; equal ones mean that nobody wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    length: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn at(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// A file's state: by its stamp, and by what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) sha256: String,
}

/// The state of all files of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) files: Vec<Seen>,
}

impl State {
    /// `None` when it is no watermark of ours, or one of other files.
    pub(super) fn of(watermark: &Watermark, paths: &[PathBuf]) -> Option<Self> {
        let state: Self = serde_json::from_str(&watermark.0).ok()?;
        let same = state.files.iter().map(|seen| &seen.path).eq(paths);
        same.then_some(state)
    }

    pub(super) fn watermark(&self) -> Watermark {
        // Maps with texts as keys and no failing parts: this cannot fail.
        Watermark(serde_json::to_string(self).unwrap_or_default())
    }

    /// The files as they are now, if they still say the same; contents are only looked at where
    /// the file system says that somebody wrote.
    pub(super) fn unchanged(&self) -> io::Result<Option<Self>> {
        let mut now = Vec::with_capacity(self.files.len());
        for seen in &self.files {
            let stamp = Stamp::at(&seen.path)?;
            if stamp != seen.stamp
                && (stamp.length != seen.stamp.length || digest(&seen.path)? != seen.sha256)
            {
                return Ok(None);
            }
            now.push(Seen { stamp, ..seen.clone() });
        }
        Ok(Some(Self { files: now }))
    }

    /// Whether the file system says that nobody wrote since.
    pub(super) fn untouched(&self) -> io::Result<bool> {
        for seen in &self.files {
            if Stamp::at(&seen.path)? != seen.stamp {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = Opened::new(path)?;
    io::copy(&mut file, &mut io::sink())?;
    Ok(file.seen(path).sha256)
}

/// A file that is read and digested in one go.
pub(super) struct Opened {
    file: File,
    stamp: Stamp,
    digest: Sha256,
}

impl Opened {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file"));
        }
        Ok(Self { stamp: Stamp::of(&metadata), file, digest: Sha256::new() })
    }

    /// What it was, once it was read to its end.
    pub(super) fn seen(self, path: &Path) -> Seen {
        let hex = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Seen { path: path.to_owned(), stamp: self.stamp, sha256: hex }
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.digest.update(&buffer[..length]);
        Ok(length)
    }
}

/// Why a file cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> SourceError {
    let (kind, advice) = match error.kind() {
        io::ErrorKind::NotFound => {
            (SourceErrorKind::Malformed, "put it there, or name another in the job file's [source]")
        }
        io::ErrorKind::PermissionDenied => (SourceErrorKind::Refused, "let this process read it"),
        _ => (SourceErrorKind::Unreachable, "it is read again in the next cycle"),
    };
    SourceError::new(kind, format!("{} cannot be read: {error}; {advice}", path.display()))
}
