//! The files of a trail: the one that is written to, and those before it, named after their first lines.

use std::io;
use std::path::{Path, PathBuf};

use crate::fs::FileSystem;

/// A file of a trail that is written to no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The number of its first line.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

/// The path of the file of the trail `base` that begins with line `first`: `base`, a dot, and 12 digits or more.
pub(super) fn path_of(base: &Path, first: u64) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(format!(".{first:012}"));
    name.into()
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The files before the current one of the trail `base`, in their order.
///
/// # Errors
/// Those of the file system.
pub(super) fn list(fs: &dyn FileSystem, base: &Path) -> io::Result<Vec<Part>> {
    let Some(name) = base.file_name() else { return Ok(Vec::new()) };
    let first_of = |path: &Path| {
        let own = path.file_name()?.as_encoded_bytes().strip_prefix(name.as_encoded_bytes())?;
        let digits = std::str::from_utf8(own.strip_prefix(b".")?).ok()?;
        let is_number = digits.len() >= 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let first = digits.parse().ok().filter(|_| is_number)?;
        (path_of(base, first).file_name() == path.file_name()).then_some(first)
    };
    let paths = fs.list(folder_of(base))?.into_iter();
    let mut parts: Vec<_> =
        paths.filter_map(|path| first_of(&path).map(|first| Part { first, path })).collect();
    parts.sort_by_key(|part| part.first);
    Ok(parts)
}
