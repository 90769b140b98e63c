//! The folder of journals, as who opens it finds it.

use std::io;
use std::path::{Path, PathBuf};

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
}

/// Takes the journals in `folder` whose processes have ended. Those of living ones, of other users, and those that
/// somebody else is delivering are left alone; nothing in them stops who asks.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("1-0-0000000000000001.journal"), "no journal at all").unwrap();
/// let left = duramen::spool::recover(folder.path());
/// assert_eq!((left.orphans.len(), left.set_aside), (0, 1)); // it has another name now
/// ```
pub fn recover(folder: &Path) -> Recovered {
    let mut found = Recovered::default();
    for path in journals_in(folder).unwrap_or_default() {
        if is_named_as_own(&path) {
            continue;
        }
        match Orphan::claim(&path) {
            Ok(Claim::LeftAlone) => found.left_alone += 1,
            Ok(Claim::Unreadable(reason)) => {
                set_aside(&path, &reason);
                found.set_aside += 1;
            }
            Ok(Claim::Orphan(orphan)) => {
                let orphan = orphan.for_delivery();
                let contents = orphan.contents();
                found.damaged += contents.damaged;
                found.set_aside += u64::from(contents.damaged > 0 || contents.has_wrong_length);
                if !contents.entries.is_empty() {
                    found.orphans.push(orphan);
                }
            }
            Err(error) => {
                found.failed += 1;
                report::error("journal", &format_args!("{}: {error}", path.display()));
            }
        }
    }
    found.orphans.sort_by_key(|orphan| orphan.contents().header.made);
    remove_unfinished(folder);
    found
}

/// A journal, or what has the name of one.
///
/// ```
/// use duramen::spool::{self, Listed, ListedAs};
///
/// # let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("1-0-0000000000000001.journal"), "no journal at all").unwrap();
/// let listed: Vec<Listed> = spool::list(folder.path()).unwrap();
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
/// # assert!(!duramen::spool::list(folder.path()).unwrap().iter().any(is_broken));
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

/// The journals in `folder`, with the oldest names first; nothing is changed. Those that this process writes or delivers are not
/// among them.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// assert!(duramen::spool::list(folder.path()).unwrap().is_empty());
/// ```
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let list = |path: PathBuf| Listed { kind: listed_as(&path), path };
    // A file that is opened and closed loses the lock that this process has on it.
    let is_own = |path: &PathBuf| is_named_as_own(path) || is_claimed(path);
    Ok(journals_in(folder)?.into_iter().filter(|path| !is_own(path)).map(list).collect())
}

fn listed_as(path: &Path) -> ListedAs {
    match Orphan::claim(path) {
        Ok(Claim::Orphan(orphan)) => ListedAs::Orphaned(orphan),
        Ok(Claim::Unreadable(reason)) => ListedAs::Unreadable(reason),
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
