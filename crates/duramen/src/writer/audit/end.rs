//! Where an audit trail ends, whoever has written it.

use std::io;

use super::head::Head;
use super::line::Link;
use super::note::Note;
use super::tail::{self, Begin};
use super::{AuditTrail, parts};
use crate::fs::{FileIdentity, LogFile};

/// The end of the trail as this process knows it.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) file: Option<(Box<dyn LogFile>, Option<FileIdentity>)>,
    pub(super) length: u64,
    pub(super) last: Link,
    pub(super) begin: Option<Begin>,
    /// A commit that failed left the file with so many bytes.
    pub(super) left_at: Option<u64>,
    /// When the ages of files were looked at, in seconds since the epoch.
    pub(super) looked_at: Option<i64>,
    pub(super) removed: u64,
}

impl Default for Open {
    /// Nothing is known yet.
    fn default() -> Self {
        Self {
            file: None,
            length: 0,
            last: Link::BEGIN,
            begin: None,
            left_at: None,
            looked_at: None,
            removed: 0,
        }
    }
}

impl AuditTrail {
    /// Finds the end of the trail, whoever has written it; gives what is to be noted of that.
    pub(super) fn catch_up(&self, open: &mut Open) -> io::Result<Vec<Note>> {
        let named = match self.fs.status(&self.path) {
            Ok(status) => Some(status),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let (Some(named), Some((file, identity))) = (named, &open.file)
            && named.identity == *identity
        {
            if open.left_at == Some(named.length) {
                file.truncate(open.length)?;
                open.left_at = None;
                return Ok(Vec::new());
            }
            if named.length == open.length {
                return Ok(Vec::new());
            }
        }
        self.look(open)
    }

    /// Opens the file and reads where the trail ends.
    fn look(&self, open: &mut Open) -> io::Result<Vec<Note>> {
        // What this process has written last counts even where all files are gone.
        let known = open.last;
        open.file = None;
        open.left_at = None;
        let file = self.fs.open(&self.path, false)?;
        let status = file.status()?;
        let head = Head::read(self.fs.as_ref(), &self.head_path, &self.options.key)?;
        let mut notes = Vec::new();
        open.length = status.length;
        open.begin = tail::begin(self.fs.as_ref(), &self.path)?;
        match head {
            Some(head) if head.length == status.length && status.length > 0 => open.last = head.last,
            head => {
                let mut tail = tail::read(self.fs.as_ref(), &self.path)?;
                if !tail.torn.is_empty() {
                    file.truncate(tail.whole)?;
                    open.length = tail.whole;
                    let torn = String::from_utf8_lossy(&std::mem::take(&mut tail.torn)).into_owned();
                    notes.push(Note { torn: Some(torn), ..Note::default() });
                }
                let of_file = tail.last.unwrap_or(self.last_of_parts()?);
                // A head of another key is none; the file that begins then says which key it is.
                let is_other_key = head.is_none()
                    && Head::is_of_another_key(self.fs.as_ref(), &self.head_path, &self.options.key)?;
                if head.is_none() && of_file.number > 0 && !is_other_key {
                    notes.push(Note { head_missing: true, ..Note::default() });
                }
                let of_head = head.map_or(Link::BEGIN, |head| head.last);
                // Lines that are missing leave a gap in the numbers.
                open.last =
                    [of_file, of_head, known].into_iter().max_by_key(|link| link.number).unwrap_or(known);
                open.file = Some((file, status.identity));
                if is_other_key && open.length > 0 {
                    self.roll_over(open)?;
                }
                return Ok(notes);
            }
        }
        open.file = Some((file, status.identity));
        Ok(notes)
    }

    /// The last line of the files before the current one.
    fn last_of_parts(&self) -> io::Result<Link> {
        let parts = parts::list(self.fs.as_ref(), &self.path)?;
        let Some(part) = parts.last() else { return Ok(Link::BEGIN) };
        Ok(tail::read(self.fs.as_ref(), &part.path)?.last.unwrap_or(Link::BEGIN))
    }
}
