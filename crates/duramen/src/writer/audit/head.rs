//! The file beside a trail that says where the trail ends: lines that are cut off at its end are missed by it.
//!
//! It is also what processes lock who write the same trail. It is overwritten in place, with one call.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::key::AuditKey;
use super::line::{Link, from_hex, hex};
use crate::fs::FileSystem;

/// The end of a trail, as it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) last: Link,
    /// The length of the file that holds the last line.
    pub(super) length: u64,
}

/// The path of the head of the trail at `path`.
pub(super) fn path_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".head");
    name.into()
}

impl Head {
    /// Reads it; `None` where there is none, or one that was not written with `key`.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn read(fs: &dyn FileSystem, path: &Path, key: &AuditKey) -> io::Result<Option<Self>> {
        let mut text = Vec::new();
        match fs.read(path) {
            Ok(file) => file.take(1024).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Self::parse(&text, key))
    }

    fn parse(text: &[u8], key: &AuditKey) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
        let mut parts = text.split(' ');
        let (number, code) = (parts.next()?.parse().ok()?, from_hex(parts.next()?.as_bytes())?);
        let (length, id, tag) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let head = Self { last: Link { number, code }, length };
        let is_of_key = id == key.id() && from_hex(tag.as_bytes()) == Some(head.tag(key));
        is_of_key.then_some(head)
    }

    /// Whether it was written with another key than `key`.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn is_of_another_key(fs: &dyn FileSystem, path: &Path, key: &AuditKey) -> io::Result<bool> {
        let mut text = String::new();
        fs.read(path)?.take(1024).read_to_string(&mut text).or_else(|error| match error.kind() {
            io::ErrorKind::InvalidData => Ok(0),
            _ => Err(error),
        })?;
        Ok(text.split(' ').nth(3).is_some_and(|id| id != key.id()))
    }

    fn tag(&self, key: &AuditKey) -> super::line::Code {
        use hmac::Mac as _;
        let mac = key.mac().chain_update(b"head").chain_update(self.last.number.to_be_bytes());
        mac.chain_update(self.last.code)
            .chain_update(self.length.to_be_bytes())
            .finalize()
            .into_bytes()
            .into()
    }

    /// Writes it in place.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn write(&self, fs: &dyn FileSystem, path: &Path, key: &AuditKey) -> io::Result<()> {
        let Self { last: Link { number, code }, length } = self;
        let (code, tag) = (hex(code), hex(&self.tag(key)));
        // Always of the same length, so that nothing of an older one stays behind it.
        fs.overwrite(path, format!("{number:020} {code} {length:020} {} {tag}\n", key.id()).as_bytes())
    }
}
