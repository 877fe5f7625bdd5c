//! The kind of a file that should be an SQLite database, told before SQLite reports it in its own
//! words.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of every SQLite database (<https://www.sqlite.org/fileformat.html>, 1.3).
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Describes a file without content, which SQLite takes for a new database.
pub(super) const EMPTY: &str = "an empty file";

/// Says what the file is if it does not contain an SQLite database, such as `a directory`.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn foreign_kind(path: &Path) -> io::Result<Option<&'static str>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok(Some("a directory"));
    }
    // Opening a pipe would wait for its other end.
    if !metadata.is_file() {
        return Ok(Some("a special file"));
    }
    let mut start = Vec::new();
    File::open(path)?.take(SQLITE.len() as u64).read_to_end(&mut start)?;
    Ok(kind_of(&start))
}

fn kind_of(start: &[u8]) -> Option<&'static str> {
    match start {
        [] => Some(EMPTY),
        SQLITE => None,
        [b'P', b'G', b'D', b'M', b'P', ..] => Some("an archive of pg_dump"),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            Some("a compressed file")
        }
        _ => Some("a file of another kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_kind_of_a_file() {
        for (start, kind) in [
            (&b""[..], Some("an empty file")),
            (b"SQLite format 3\0", None),
            (b"SQLite format 2\0", Some("a file of another kind")),
            (b"SQLite", Some("a file of another kind")),
            (b"PGDMP\x01\x0e", Some("an archive of pg_dump")),
            (b"\x1f\x8b\x08\0", Some("a compressed file")),
            (b"[server]\n", Some("a file of another kind")),
        ] {
            assert_eq!(kind_of(start), kind, "{}", start.escape_ascii());
        }
    }
}
