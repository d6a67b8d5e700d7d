//! What is done to `authorized_keys`: small scripts for a plain `sh`, over public keys only.
//!
//! Each writes a copy beside the file and renames it, so that no login ever meets half a file; the copy
//! has the file's mode and owner. A link is followed first, so that it stays one.

use russh::keys::PublicKey;

/// A public key in the two words that name it in a line, whatever options and comment stand around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(String);

impl Words {
    pub(super) fn of(key: &PublicKey) -> Option<Self> {
        let line = key.to_openssh().ok()?;
        let mut words = line.split_whitespace();
        let (kind, blob) = (words.next()?, words.next()?);
        // They are put between quotes.
        let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "+/=-.@".contains(c));
        (plain(kind) && plain(blob)).then(|| Self(format!("{kind} {blob}")))
    }
}

/// Finds the file, and makes it and its folder if need be.
const FIND: &str = r#"set -eu
umask 077
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || home=
dir=${home:-$HOME}/.ssh
mkdir -p "$dir"
file=$dir/authorized_keys
[ -e "$file" ] || [ -L "$file" ] || : >"$file"
file=$(readlink -f "$file")
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT HUP INT TERM
cp -p "$file" "$new"
"#;

/// Puts the copy in the place of the file, and onto the disk.
const RENAME: &str = r#"sync "$new" 2>/dev/null || sync
mv -f "$new" "$file"
trap - EXIT
"#;

/// Adds a line for `new` unless there is one, with the options of the line of `old` if there is one.
pub(super) fn append(new: &Words, old: Option<&Words>) -> String {
    let old = old.map_or("", |words| words.0.as_str());
    let new = &new.0;
    format!(
        "{FIND}if grep -qF '{new}' \"$file\"; then exit 0; fi\n\
         options=$(awk -v old='{old}' 'old != \"\" && (at = index($0, old)) && $0 !~ /^[[:space:]]*#/ \
         {{ printf \"%s\", substr($0, 1, at - 1); exit }}' \"$file\")\n\
         {{ [ -z \"$(tail -c 1 \"$new\")\" ] || echo; printf '%s%s latchkey\\n' \"$options\" '{new}'; }} >>\"$new\"\n\
         {RENAME}"
    )
}

/// Removes every line that holds `old`, in force or not.
pub(super) fn remove(old: &Words) -> String {
    let old = &old.0;
    format!(
        "{FIND}if ! grep -qF '{old}' \"$file\"; then exit 0; fi\n\
         grep -vF '{old}' \"$file\" >\"$new\" || [ $? = 1 ]\n\
         {RENAME}"
    )
}

/// Whether the file is there and may be changed; changes nothing.
pub(super) const LOOK: &str = r#"home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || home=
dir=${home:-$HOME}/.ssh
file=$(readlink -f "$dir/authorized_keys") || exit 3
[ -d "$dir" ] || exit 4
[ ! -e "$file" ] || [ -O "$file" ] || exit 5
[ -w "$(dirname "$file")" ] || exit 6
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn run(script: &str, home: &Path) {
        // The scripts look the home up; here it is the one that is given.
        let script = script.replace("getent passwd", "false");
        let ran = Command::new("sh").args(["-c", &script]).env("HOME", home).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    fn words(line: &str) -> Words {
        Words::of(&PublicKey::from_openssh(line).unwrap()).unwrap()
    }

    #[test]
    fn a_key_is_replaced_with_its_options_and_nothing_else_changes() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".ssh/authorized_keys");
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        let others = "# a comment\nssh-rsa AAAAB3Nza other@host";
        std::fs::write(&file, format!("from=\"10.0.0.0/8\",no-pty {OLD} app@old\n{others}")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let read = || std::fs::read_to_string(&file).unwrap();

        let add = append(&words(NEW), Some(&words(OLD)));
        run(&add, home.path());
        let both = format!(
            "from=\"10.0.0.0/8\",no-pty {OLD} app@old\n{others}\nfrom=\"10.0.0.0/8\",no-pty {NEW} latchkey\n"
        );
        assert_eq!(read(), both);
        run(&add, home.path());
        assert_eq!(read(), both, "added twice");

        run(&remove(&words(OLD)), home.path());
        assert_eq!(read(), format!("{others}\nfrom=\"10.0.0.0/8\",no-pty {NEW} latchkey\n"));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        run(&remove(&words(NEW)), home.path());
        run(&remove(&words(NEW)), home.path());
        assert_eq!(read(), format!("{others}\n"));
        let left: Vec<_> = std::fs::read_dir(home.path().join(".ssh")).unwrap().collect();
        assert_eq!(left.len(), 1, "a copy was left behind: {left:?}");
    }

    #[test]
    fn a_missing_file_is_made_for_its_owner_alone_and_a_link_stays_one() {
        let home = tempfile::tempdir().unwrap();
        run(&append(&words(NEW), None), home.path());
        let file = home.path().join(".ssh/authorized_keys");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{NEW} latchkey\n"));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let elsewhere = home.path().join("keys");
        std::fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        run(&append(&words(OLD), None), home.path());
        assert!(std::fs::symlink_metadata(&file).unwrap().is_symlink());
        assert!(std::fs::read_to_string(&elsewhere).unwrap().contains(OLD));
    }
}
