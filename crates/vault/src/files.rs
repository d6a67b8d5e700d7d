//! Key files, written so that a crash leaves the old one or the new one and nothing between.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use latchkey_kernel::Entropy;

use crate::keyring::KeyFileError;

/// Writes a file that is not there yet; `AlreadyExists` if another process was first.
pub(crate) fn write_new(path: &Path, content: &[u8], entropy: &dyn Entropy) -> Result<(), KeyFileError> {
    if path.exists() {
        return Err(failed("make", path)(io::ErrorKind::AlreadyExists.into()));
    }
    // A link, for a rename would replace what the other process has just made.
    place(path, content, entropy, |draft| fs::hard_link(draft, path))
}

/// Writes a file in place of what is there.
pub(crate) fn replace(path: &Path, content: &[u8], entropy: &dyn Entropy) -> Result<(), KeyFileError> {
    place(path, content, entropy, |draft| fs::rename(draft, path))
}

/// Reads a file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, KeyFileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), KeyFileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => sync_folder(folder_of(path)).map_err(failed("remove", path)),
    }
}

fn place(
    path: &Path,
    content: &[u8],
    entropy: &dyn Entropy,
    put: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), KeyFileError> {
    let folder = folder_of(path);
    if !folder.exists() {
        fs::create_dir_all(folder).map_err(failed("make a folder for", path))?;
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed("protect", path))?;
    }
    let draft: PathBuf = folder.join(format!(".draft.{:016x}", u64::from_le_bytes(entropy.bytes())));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| put(&draft))
        .and_then(|()| sync_folder(folder));
    // The draft goes in any case; what counts is whether it was put in its place.
    let _ = fs::remove_file(&draft);
    written.map_err(failed("make", path))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("a key file lies in a folder")
}

fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyFileError {
    move |source| KeyFileError::File { what, path: path.to_owned(), source }
}
