//! Lines to files: straight to the descriptor where nobody can tell the difference.
//!
//! The standard library writes a record to a text stream, which encodes it and hands it to a buffer, and
//! flushes both. For a stream that Python's own `open` has made the outcome is one `write` system call.
//! It is made directly, as long as the stream and what lies below it are as they were right after a flush:
//! then nothing waits in them, nobody has closed them, and their settings are those that were seen.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use duramen::fs::Disk;
use duramen::rotation::{Growth, line_end, turn};
use duramen::writer::fsync::Syncer;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes;
use crate::handler::descriptor::Descriptor;
use crate::interpreter::{Marks, Snapshot, intern};

/// A text stream over a buffer over a file, in the state in which nothing waits.
pub(crate) struct DirectFile {
    /// The stream, which holds the buffer, which holds the file.
    layers: [(*mut ffi::PyObject, Snapshot); 3],
    descriptor: Descriptor,
    /// The encoding is one in which only ASCII is the same as in UTF-8.
    only_ascii: bool,
    /// What is known of the length, for files that are rolled over.
    growth: Cell<Growth>,
    /// A regular file or `/dev/null`: writing does not wait for anybody.
    pub(crate) is_prompt: bool,
}

/// What is known of the classes of files that `open` makes.
struct Classes {
    text: Py<PyAny>,
    buffer: Py<PyAny>,
    raw: Py<PyAny>,
    /// The word of a text stream that is zero when newlines are written as they are.
    newline: Marks,
}

static CLASSES: OnceLock<Option<Classes>> = OnceLock::new();

fn classes(py: Python<'_>) -> Option<&'static Classes> {
    if let Some(classes) = CLASSES.get() {
        return classes.as_ref();
    }
    let learned = learn(py).unwrap_or(None);
    CLASSES.get_or_init(|| learned).as_ref()
}

fn learn(py: Python<'_>) -> PyResult<Option<Classes>> {
    if cfg!(not(unix)) {
        return Ok(None);
    }
    let io = py.import(intern!(py, "_io"))?;
    let text = io.getattr(intern!(py, "TextIOWrapper"))?;
    let stream = |newline: Option<&str>| {
        let options = PyDict::new(py);
        options.set_item("newline", newline)?;
        options.set_item("encoding", "utf-8")?;
        text.call((io.call_method0("BytesIO")?,), Some(&options))
    };
    let plain = [stream(None)?, stream(Some(""))?, stream(Some("\n"))?];
    let changed = [stream(Some("\r"))?, stream(Some("\r\n"))?];
    let newline = Marks::zero_only_in(&plain, &changed);
    let (buffer, raw) = (io.getattr("BufferedWriter")?.unbind(), io.getattr("FileIO")?.unbind());
    Ok((newline.count() == 1).then_some(Classes { text: text.unbind(), buffer, raw, newline }))
}

impl DirectFile {
    /// Looks at `stream`, which has just been flushed; `None` for every stream that is another kind.
    pub(crate) fn of(stream: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = stream.py();
        let Some(classes) = classes(py) else { return Ok(None) };
        if !stream.get_type().is(&classes.text) {
            return Ok(None);
        }
        let buffer = stream.getattr(intern!(py, "buffer"))?;
        if !buffer.get_type().is(&classes.buffer) {
            return Ok(None);
        }
        let raw = buffer.getattr(intern!(py, "raw"))?;
        // SAFETY: a live object of the class from which the mark was learned.
        let keeps_newlines = unsafe { classes.newline.are_zero(stream.as_ptr()) };
        if !raw.get_type().is(&classes.raw) || !keeps_newlines {
            return Ok(None);
        }
        let Some(only_ascii) = only_ascii(&stream.getattr(intern!(py, "encoding"))?) else { return Ok(None) };
        for (file, methods) in
            [(stream, &["write", "flush"][..]), (&buffer, &["write", "flush"]), (&raw, &["write"])]
        {
            if has_own(file, methods)? {
                return Ok(None);
            }
        }
        // Another thread may have closed the file since it was flushed: at the end of a process, for instance.
        let number = match raw.call_method0(intern!(py, "fileno")) {
            Ok(number) => number.extract()?,
            Err(error) if classes::is_ordinary(py, &error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let descriptor = Descriptor::new(number);
        let is_prompt = descriptor.is_prompt();
        Ok(Some(Self {
            layers: [stream, &buffer, &raw].map(|layer| (layer.as_ptr(), Snapshot::of(layer))),
            descriptor,
            only_ascii,
            growth: Cell::default(),
            is_prompt,
        }))
    }

    /// Whether this was `stream` when it was looked at.
    pub(crate) fn is_of(&self, stream: &Bound<'_, PyAny>) -> bool {
        self.layers[0].0 == stream.as_ptr()
    }

    /// Whether `line` can be written to the descriptor: nothing has happened to the stream since.
    ///
    /// # Safety
    /// The stream is alive and the thread is attached.
    pub(crate) unsafe fn takes(&self, line: &[u8]) -> bool {
        // SAFETY: while a layer is as it was, it holds the next one.
        let untouched = unsafe { self.layers.iter().all(|(layer, snapshot)| snapshot.holds(*layer)) };
        untouched && self.carries(line)
    }

    /// Whether `line` has the same bytes in the stream's encoding.
    pub(crate) fn carries(&self, line: &[u8]) -> bool {
        !self.only_ascii || line.is_ascii()
    }

    /// Another descriptor of the same open file, for a thread that does not know when the stream is closed.
    pub(crate) fn duplicate(&self) -> std::io::Result<std::fs::File> {
        self.descriptor.duplicate()
    }

    /// Tells `syncer` that the file was written to. What goes wrong is reported.
    pub(crate) fn sync_with(&self, syncer: &Arc<Syncer>) {
        syncer.report(self.descriptor.with(|file| syncer.has_written(file)));
    }

    /// Whether nothing has to be done before a record of this time (seconds since the epoch) is written: the file has not
    /// been replaced at `path`, and has a length at which `is_far` is true, as it is up to `limit` (0: always); as far as is known
    /// without asking the system each time.
    pub(crate) fn is_as_expected(
        &self,
        path: Option<&Path>,
        seconds: f64,
        limit: u64,
        is_far: impl Fn(u64) -> bool,
    ) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "a present time, or one that is far from any")]
        let now = (seconds * 1e9) as i64;
        let mut growth = self.growth.get();
        if growth.wants_look(now) {
            let Ok(Some(status)) = self.descriptor.status() else { return false };
            let is_of_others = status.length > 0 && status.length != growth.length();
            if is_of_others
                && let (Some(path), Some(own)) = (path, status.identity)
                && line_end::lacks_end(&Disk, path, own)
            {
                return false;
            }
            growth.has_looked(status.length, limit, now);
            if let Some(path) = path.filter(|_| growth.wants_path(now)) {
                if turn::is_replaced(&Disk, path, status.identity) {
                    return false;
                }
                growth.has_looked_at_path(now);
            }
            self.growth.set(growth);
        }
        is_far(growth.length())
    }

    /// Writes as much of `line` as the system takes at once: how much that was, or `None` after an error.
    pub(crate) fn write(&self, py: Python<'_>, line: &[u8]) -> Option<usize> {
        let descriptor = &self.descriptor;
        if self.is_prompt { self.write_promptly(line) } else { py.detach(|| descriptor.write(line).ok()) }
    }

    /// The same for a file that is prompt.
    pub(crate) fn write_promptly(&self, line: &[u8]) -> Option<usize> {
        let written = self.descriptor.write(line).ok()?;
        let mut growth = self.growth.get();
        growth.has_written(written);
        self.growth.set(growth);
        Some(written)
    }
}

/// Whether only ASCII has the same bytes in the encoding as in UTF-8; `None` for encodings of other kinds.
fn only_ascii(encoding: &Bound<'_, PyAny>) -> Option<bool> {
    let encoding = encoding.cast_exact::<PyString>().ok()?.to_str().ok()?.to_ascii_lowercase();
    match encoding.as_str() {
        "utf-8" | "utf8" | "utf_8" => Some(false),
        "ascii" | "us-ascii" | "ansi_x3.4-1968" | "latin-1" | "iso-8859-1" | "iso8859-1" | "cp1252" => {
            Some(true)
        }
        _ => None,
    }
}

/// Whether one of the methods has been set on the object itself.
fn has_own(file: &Bound<'_, PyAny>, methods: &[&str]) -> PyResult<bool> {
    let own = file.getattr(intern!(file.py(), "__dict__"))?;
    for method in methods {
        if own.contains(method)? {
            return Ok(true);
        }
    }
    Ok(false)
}
