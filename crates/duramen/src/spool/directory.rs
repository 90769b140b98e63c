//! The folder of journals, as who opens it finds it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::claims::is_claimed;
use super::orphan::{Claim, read_whole, set_aside};
use super::own::{SUFFIX, SUFFIX_OF_NEW, is_own};
use super::{Contents, Orphan, Unreadable, system};
use crate::report;

/// What processes that have ended left in a folder.
///
/// ```
/// use duramen::spool::{self, Recovered};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let left: Recovered = spool::recover(folder.path());
/// for orphan in &left.orphans {
///     let (count, outcome) = orphan.deliver();
///     println!("{count} entries of {}: {outcome:?}", orphan.path().display());
/// }
/// assert_eq!((left.orphans.len(), left.set_aside, left.damaged, left.failed, left.left_alone), (0, 0, 0, 0, 0));
/// ```
#[derive(Default)]
pub struct Recovered {
    /// Journals with entries to deliver, the oldest first.
    pub orphans: Vec<Orphan>,
    /// Files that were no journals, or damaged ones: they have another name now.
    pub set_aside: u64,
    /// Entries that were damaged.
    pub damaged: u64,
    /// Files that the system did not let be read.
    pub failed: u64,
    /// Journals that were left alone: their processes live, they belong to other users, or somebody delivers them.
    pub left_alone: u64,
    /// Journals that have not been looked at, since each that is taken has a file open and its lines in memory: for
    /// [`recover_rest`], when these are delivered.
    pub rest: Vec<PathBuf>,
}

/// So many journals are taken at a time, and no more when they have this many bytes.
const MOST_AT_ONCE: usize = 32;
const MOST_BYTES_AT_ONCE: usize = 64 * 1024 * 1024;

/// Takes the journals in `folder` whose processes have ended, the oldest of them where there are many. Those of living
/// ones, of other users, and those that somebody else is delivering are left alone; nothing in them stops who asks.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("1-0-0000000000000001.journal"), "no journal at all").unwrap();
/// let left = duramen::spool::recover(folder.path());
/// assert_eq!((left.orphans.len(), left.set_aside), (0, 1)); // it has another name now
/// ```
pub fn recover(folder: &Path) -> Recovered {
    // What it finds is removed later, when the process may be in another folder.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut found = Recovered::default();
    match journals_in(&folder) {
        Ok(mut paths) => {
            paths.sort_by_cached_key(|path| last_change(path));
            found = recover_rest(paths);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            found.failed += 1;
            report::error(
                "journal",
                &format_args!("{}: it cannot be looked through: {error}", folder.display()),
            );
        }
    }
    remove_unfinished(&folder);
    found
}

/// The same for the rest of what is in a folder: call it until there is none.
///
/// ```
/// use duramen::spool::{self, Recovered};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let mut left: Recovered = spool::recover(folder.path());
/// loop {
///     for orphan in left.orphans {
///         orphan.deliver();
///     }
///     if left.rest.is_empty() {
///         break;
///     }
///     left = spool::recover_rest(left.rest);
/// }
/// ```
pub fn recover_rest(rest: Vec<PathBuf>) -> Recovered {
    let mut found = Recovered::default();
    let mut bytes = 0;
    let mut rest = rest.into_iter();
    while found.orphans.len() < MOST_AT_ONCE
        && bytes < MOST_BYTES_AT_ONCE
        && let Some(path) = rest.next()
    {
        if is_named_as_own(&path) {
            continue;
        }
        if let Err(error) = found.take(&path) {
            let are_files_short = system::is_out_of_files(&error);
            if are_files_short && !found.orphans.is_empty() {
                // Those that are taken give some back.
                found.rest.push(path);
                break;
            }
            report::error("journal", &format_args!("{}: {error}", path.display()));
            found.failed += if are_files_short { 1 + rest.by_ref().count() as u64 } else { 1 };
        }
        bytes = found.orphans.iter().map(Orphan::kept_bytes).sum();
    }
    found.rest.extend(rest);
    found.orphans.sort_by_key(|orphan| orphan.contents().header.made);
    found
}

impl Recovered {
    fn take(&mut self, path: &Path) -> io::Result<()> {
        match Orphan::claim(path)? {
            Claim::LeftAlone => self.left_alone += 1,
            Claim::Unreadable(reason, _held) => {
                set_aside(path, &reason);
                self.set_aside += 1;
            }
            Claim::Orphan(orphan) => {
                let orphan = orphan.for_delivery();
                let contents = orphan.contents();
                self.damaged += contents.damaged;
                self.set_aside += u64::from(contents.damaged > 0 || contents.has_wrong_length);
                if !contents.entries.is_empty() {
                    self.orphans.push(orphan);
                }
            }
        }
        Ok(())
    }
}

/// When a file was written to last, as far as the system tells.
fn last_change(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().and_then(|metadata| metadata.modified()).ok()
}

/// A journal, or what has the name of one.
///
/// ```
/// use duramen::spool::{self, Listed, ListedAs};
///
/// # let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("1-0-0000000000000001.journal"), "no journal at all").unwrap();
/// let listed: Vec<Listed> = spool::list(folder.path()).unwrap().collect();
/// match &listed[0].kind {
///     ListedAs::Living(contents) => println!("process {} has {}", contents.header.process, contents.entries.len()),
///     ListedAs::Orphaned(orphan) => println!("{} to deliver", orphan.contents().entries.len()),
///     ListedAs::Unreadable(reason) => assert_eq!(reason.to_string(), "it is no journal"),
///     ListedAs::Refused(error) => println!("{error:?}"),
/// }
/// ```
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub kind: ListedAs,
}

/// What a file with the name of a journal is.
///
/// ```
/// use duramen::spool::{Listed, ListedAs};
///
/// /// Whether somebody should look at it.
/// fn is_broken(listed: &Listed) -> bool {
///     matches!(listed.kind, ListedAs::Unreadable(_) | ListedAs::Refused(_))
/// }
/// # let folder = tempfile::tempdir().unwrap();
/// # assert!(!duramen::spool::list(folder.path()).unwrap().any(|listed| is_broken(&listed)));
/// ```
pub enum ListedAs {
    /// Its process lives, or somebody delivers it.
    Living(Contents),
    /// Its process has ended.
    Orphaned(Orphan),
    /// It is no journal.
    Unreadable(Unreadable),
    /// The system does not let it be read.
    Refused(Option<io::Error>),
}

/// The journals in `folder`, in the order of their names, each opened when it is asked for; nothing is changed. Those that this
/// process writes or delivers are not among them.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// assert!(duramen::spool::list(folder.path()).unwrap().next().is_none());
/// ```
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path) -> io::Result<impl Iterator<Item = Listed>> {
    let list = |path: PathBuf| Listed { kind: listed_as(&path), path };
    // A file that is opened and closed loses the lock that this process has on it.
    let is_own = |path: &PathBuf| is_named_as_own(path) || is_claimed(path);
    Ok(journals_in(folder)?.into_iter().filter(move |path| !is_own(path)).map(list))
}

fn listed_as(path: &Path) -> ListedAs {
    match Orphan::claim(path) {
        Ok(Claim::Orphan(orphan)) => ListedAs::Orphaned(orphan),
        Ok(Claim::Unreadable(reason, _)) => ListedAs::Unreadable(reason),
        Ok(Claim::LeftAlone) => match system::open_own(path) {
            Ok(Some(file)) => match read_whole(&file) {
                Ok(Ok((_, contents))) => ListedAs::Living(contents),
                Ok(Err(reason)) => ListedAs::Unreadable(reason),
                Err(error) => ListedAs::Refused(Some(error)),
            },
            Ok(None) => ListedAs::Refused(None),
            Err(error) => ListedAs::Refused(Some(error)),
        },
        Err(error) => ListedAs::Refused(Some(error)),
    }
}

fn journals_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = paths_ending_in(folder, SUFFIX)?;
    paths.sort();
    Ok(paths)
}

fn paths_ending_in(folder: &Path, suffix: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().ends_with(suffix.as_bytes()) {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

fn is_named_as_own(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(is_own)
}

/// Removes files of processes that ended while they made a journal.
fn remove_unfinished(folder: &Path) {
    for path in paths_ending_in(folder, SUFFIX_OF_NEW).unwrap_or_default() {
        if is_named_as_own(&path) {
            continue;
        }
        if let Ok(Some(file)) = system::open_own(&path)
            && matches!(system::lock_for_life(&file), Ok(true))
        {
            let _ = std::fs::remove_file(&path);
        }
    }
}
