//! Files of an audit trail that are deleted for their age.

use std::io;
use std::path::{Path, PathBuf};

use super::end::Open;
use super::{AuditTrail, parts};

/// A clock may be ahead of the time that has passed by this much, in seconds, before retention believes it no longer.
const BELIEVED_AHEAD: i64 = 3600;

/// Between two looks at the age of files, in seconds.
const RETENTION_PAUSE: i64 = 3600;

impl AuditTrail {
    /// The files that have reached their age, with the numbers of their last lines; none under a hold.
    pub(super) fn too_old(&self, open: &mut Open) -> io::Result<Vec<(PathBuf, u64)>> {
        let Some(age) = self.options.max_age else { return Ok(Vec::new()) };
        let now = self.believed_now();
        if open.looked_at.is_some_and(|looked| (looked..looked + RETENTION_PAUSE).contains(&now)) {
            return Ok(Vec::new());
        }
        open.looked_at = Some(now);
        if self.options.legal_hold || self.fs.exists(&hold_path(&self.path)) {
            return Ok(Vec::new());
        }
        let parts = parts::list(self.fs.as_ref(), &self.path)?;
        let mut old = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let modified = self.fs.status(&part.path)?.modified;
            let passed = u64::try_from(now.saturating_sub(modified)).unwrap_or(0);
            if passed <= age.as_secs() {
                break;
            }
            let after = parts.get(index + 1).map(|part| part.first);
            let after = after.or(open.begin.map(|begin| begin.first)).unwrap_or(open.last.number + 1);
            old.push((part.path.clone(), after - 1));
        }
        Ok(old)
    }

    /// The present time for retention, in seconds since the epoch: a clock that has jumped ahead is not believed.
    fn believed_now(&self) -> i64 {
        let (wall, elapsed) = self.began;
        let passed = self.clock.elapsed().saturating_sub(elapsed).as_secs();
        let latest = wall.saturating_add_unsigned(passed).saturating_add(BELIEVED_AHEAD);
        self.clock.now_seconds().min(latest)
    }
}

/// The file that keeps all files of the trail at `path` from being deleted while it is there.
fn hold_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".hold");
    name.into()
}
