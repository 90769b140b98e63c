//! Files that several processes write to and roll over: exactly one of them does it, the others follow.
//!
//! [`duramen::rotation::turn`] says how. Handlers whose `doRollover` is another one than `logging`'s may have a way of
//! their own to agree with others, and are left to it.

use std::path::{Path, PathBuf};

use duramen::fs::{Disk, FileIdentity};
use duramen::report;
use duramen::rotation::line_end::{self, Secured};
use duramen::rotation::{Turn, Upkeep, turn};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::handler::rotating::{is_full, is_irregular, os};
use crate::handler::{fsync, schedule, timed_rotating, upkeep};
use crate::interpreter::intern;

/// What decides when the handler's file is rolled over, where `doRollover` is `logging`'s own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Size,
    Time,
}

/// Rolls the handler's file over because it is due, or follows another process that has done so.
///
/// `length` is the number of characters of the record that is to be written.
pub(crate) fn roll_over(handler: &Bound<'_, PyAny>, length: &dyn Fn() -> PyResult<usize>) -> PyResult<()> {
    let py = handler.py();
    let do_rollover = || handler.call_method0(intern!(py, "doRollover")).map(drop);
    let Some(rule) = rule_of(handler)? else { return do_rollover() };
    let path = handler.getattr(intern!(py, "baseFilename"))?.extract::<PathBuf>()?;
    let upkeep = upkeep::of(handler)?;
    let is_timed = rule == Rule::Time || upkeep::has_attribute(handler, intern!(py, "rolloverAt"))?;
    for _ in 0..turn::MOST_ROUNDS {
        let own = identity(handler)?;
        let is_since = match py.detach(|| turn::take(&Disk, &path, own)) {
            Turn::Taken => return Ok(()),
            Turn::Ours(_lock) if is_done_already(handler, rule, upkeep.as_ref())? => true,
            Turn::Ours(_lock) => return do_rollover(),
            Turn::Moved if !reopen(handler)? => return Ok(()),
            // Made for its size, the other one may be due now as well.
            Turn::Moved => false,
        };
        if is_timed {
            schedule::plan_of_others(handler, &path, is_since)?;
        }
        let is_due = is_timed && timed_rotating::is_due(handler)?
            || match rule {
                Rule::Size => is_due_by_size(handler, length)?,
                Rule::Time => is_due_by_size_too(handler, length)?,
            };
        if !is_due {
            return Ok(());
        }
    }
    if is_timed && schedule::is_time(handler)? { schedule::plan_next(handler) } else { Ok(()) }
}

/// The path that the handler's file is to have; `None` for a handler that agrees with others in a way of its own, or that
/// was given another stream.
pub(crate) fn followed_path(handler: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    let py = handler.py();
    if rule_of(handler)?.is_none() || cfg!(not(unix)) {
        return Ok(None);
    }
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    let name = handler.getattr(intern!(py, "stream"))?.getattr_opt(intern!(py, "name")).ok().flatten();
    Ok(if name.is_some_and(|name| name.eq(&path).unwrap_or(false)) { path.extract().ok() } else { None })
}

/// Opens the handler's file anew where somebody else, such as logrotate, has put another one in its place or deleted it.
pub(crate) fn follow(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let (Some(path), Some(own)) = (followed_path(handler)?, status(handler)?) else { return Ok(()) };
    let is_gone = own.links == 0 || turn::is_replaced(&Disk, &path, Some(own.identity));
    if is_gone { reopen(handler).map(drop) } else { Ok(()) }
}

/// What is to be held while a text of so many bytes is written to the handler's file, which has a line without an end no
/// more then: see [`line_end`].
pub(crate) fn secure(handler: &Bound<'_, PyAny>, bytes: usize) -> PyResult<Option<Secured>> {
    let py = handler.py();
    for _ in 0..turn::MOST_ROUNDS {
        let (Some(path), Some(own)) = (followed_path(handler)?, identity(handler)?) else { return Ok(None) };
        if bytes < line_end::PART && !line_end::lacks_end(&Disk, &path, own) {
            return Ok(None);
        }
        match py.detach(|| line_end::secure(&Disk, &path, own)) {
            Ok(secured) => {
                if secured.as_ref().is_some_and(|secured| secured.lacks_end) {
                    end_line(handler, &path)?;
                }
                return Ok(secured);
            }
            Err(line_end::Moved) if !reopen(handler)? => return Ok(None),
            Err(line_end::Moved) => {}
        }
    }
    Ok(None)
}

/// Gives the last line of the handler's file an end, unless the rest of it waits in the stream's buffer or lines end
/// otherwise.
fn end_line(handler: &Bound<'_, PyAny>, path: &Path) -> PyResult<()> {
    let py = handler.py();
    let stream = handler.getattr(intern!(py, "stream"))?;
    let ends_lines =
        handler.getattr(intern!(py, "terminator"))?.call_method1("endswith", ("\n",))?.is_truthy()?;
    let Some(buffer) = stream.getattr_opt(intern!(py, "buffer"))? else { return Ok(()) };
    let waits = !buffer.call_method0("tell")?.eq(buffer.getattr("raw")?.call_method0("tell")?)?;
    if ends_lines && !waits {
        report::error(
            "RotatingFileHandler",
            &format_args!("{}: the last line was cut off, and got an end", path.display()),
        );
        let number = stream.call_method0(intern!(py, "fileno"))?;
        os(py)?.call_method1(intern!(py, "write"), (number, PyBytes::new(py, b"\n")))?;
    }
    Ok(())
}

/// Whether the rollover that the clock asks for has been done by another process, whose file this one has open.
fn is_done_already(handler: &Bound<'_, PyAny>, rule: Rule, upkeep: Option<&Upkeep>) -> PyResult<bool> {
    match upkeep {
        None => Ok(rule == Rule::Time && schedule::is_done_already(handler)?),
        Some(upkeep) => Ok(timed_rotating::is_due_too(handler)? && upkeep::is_done_already(handler, upkeep)?),
    }
}

/// [`is_due_by_size`] for a handler that was made to roll over by time, and has been given a size.
pub(crate) fn is_due_by_size_too(
    handler: &Bound<'_, PyAny>,
    length: &dyn Fn() -> PyResult<usize>,
) -> PyResult<bool> {
    Ok(upkeep::has_attribute(handler, intern!(handler.py(), "maxBytes"))? && is_due_by_size(handler, length)?)
}

/// Whether a record of `length` characters is not to be written to the handler's file any more.
///
/// CPython asks how far this process has got in the file; what others have written counts as well.
pub(crate) fn is_due_by_size(
    handler: &Bound<'_, PyAny>,
    length: &dyn Fn() -> PyResult<usize>,
) -> PyResult<bool> {
    if is_full(handler, length)? {
        return Ok(true);
    }
    let py = handler.py();
    let Ok(most) = handler.getattr(intern!(py, "maxBytes"))?.extract::<u64>() else { return Ok(false) };
    if most == 0 || rule_of(handler)?.is_none() {
        return Ok(false);
    }
    let Some(status) = status(handler)? else { return Ok(false) };
    let reached = status.length > 0 && status.length + length()? as u64 + 1 >= most;
    Ok((reached || status.links == 0) && !is_irregular(handler)?)
}

fn rule_of(handler: &Bound<'_, PyAny>) -> PyResult<Option<Rule>> {
    let py = handler.py();
    let method = handler.getattr(intern!(py, "doRollover"))?;
    let Some(function) = method.getattr_opt(intern!(py, "__func__"))? else { return Ok(None) };
    let text =
        |name| function.getattr_opt(name).ok().flatten().and_then(|text| text.extract::<String>().ok());
    let module = text(intern!(py, "__module__"));
    if !module.is_some_and(|module| matches!(module.as_str(), "logging.handlers" | "duramen.handlers")) {
        return Ok(None);
    }
    Ok(match text(intern!(py, "__qualname__")).as_deref() {
        Some("RotatingFileHandler.doRollover") => Some(Rule::Size),
        Some("TimedRotatingFileHandler.doRollover") => Some(Rule::Time),
        _ => None,
    })
}

struct Status {
    identity: FileIdentity,
    length: u64,
    links: u64,
}

/// What the system knows of the handler's open file; `None` when its stream has no descriptor.
fn status(handler: &Bound<'_, PyAny>) -> PyResult<Option<Status>> {
    let py = handler.py();
    let stream = handler.getattr(intern!(py, "stream"))?;
    if stream.is_none() || cfg!(not(unix)) {
        return Ok(None);
    }
    let found = stream
        .call_method0(intern!(py, "fileno"))
        .and_then(|number| os(py)?.call_method1(intern!(py, "fstat"), (number,)));
    let Ok(found) = found else { return Ok(None) };
    let field = |name| found.getattr(name)?.extract::<u64>();
    Ok(Some(Status {
        identity: FileIdentity {
            device: field(intern!(py, "st_dev"))?,
            inode: field(intern!(py, "st_ino"))?,
        },
        length: field(intern!(py, "st_size"))?,
        links: field(intern!(py, "st_nlink"))?,
    }))
}

fn identity(handler: &Bound<'_, PyAny>) -> PyResult<Option<FileIdentity>> {
    Ok(status(handler)?.map(|status| status.identity))
}

/// Opens the file that is at the handler's path by now. Where that cannot be done, which is reported, the one that is open
/// is written to as it is: false.
fn reopen(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    let name = intern!(py, "stream");
    // First, since opening the file can fail.
    let new = match handler.call_method0(intern!(py, "_open")) {
        Ok(new) => new,
        Err(error) if error.is_instance_of::<PyOSError>(py) => {
            let path = handler.getattr(intern!(py, "baseFilename"))?.str()?.to_string();
            report::error(&path, &format_args!("it is another file, or gone: {}", error.value(py)));
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let stream = handler.getattr(name)?;
    fsync::leave(handler)?;
    handler.setattr(name, new)?;
    stream.call_method0(intern!(py, "close"))?;
    Ok(true)
}
