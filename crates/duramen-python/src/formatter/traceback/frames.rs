//! The texts of frames, remembered by the place in the code and by the source that they show.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTraceback, PyTuple};
use smallvec::SmallVec;

use super::modules::Modules;
use crate::interpreter::{self, Attached, intern};

/// A frame as tracebacks show it.
pub(super) struct Frame {
    /// Kept alive, so that its address stays its own.
    code: Py<PyAny>,
    instruction: i32,
    line: i32,
    /// The state of the modules that wrote the text.
    modules: u64,
    file: Py<PyString>,
    name: Py<PyAny>,
    source: Source,
    /// With its newline.
    pub(super) text: Box<str>,
}

/// Where the lines of a frame come from.
enum Source {
    /// There is none: `<string>`.
    None,
    /// An entry of `linecache`, as it is there still.
    Entry { entry: Py<PyTuple>, file: Option<File> },
}

/// A file, and what it was like when its lines were read.
#[derive(PartialEq)]
struct File {
    path: PathBuf,
    stamp: Stamp,
}

/// What changes with a file's content.
#[derive(Clone, Copy, PartialEq)]
struct Stamp {
    size: u64,
    /// Since 1970.
    seconds: u64,
    nanoseconds: u32,
}

/// Each place in the code has one place here, which it may share with others: the last one stays.
const SIZE: usize = 512;

static KNOWN: Attached<[Option<Rc<Frame>>; SIZE]> = Attached::new([const { None }; SIZE]);

/// The frame of an entry of a traceback; `None` when its text cannot be remembered.
pub(super) fn of(entry: &Bound<'_, PyTraceback>, modules: &Modules) -> PyResult<Option<Rc<Frame>>> {
    let py = entry.py();
    let code = interpreter::frame_code(&entry.getattr(intern!(py, "tb_frame"))?);
    let instruction = entry.getattr(intern!(py, "tb_lasti"))?.extract()?;
    // CPython 3.12 and later allow places without a line.
    let Ok(line) = entry.getattr(intern!(py, "tb_lineno"))?.extract() else { return Ok(None) };
    let index = ((code.as_ptr() as usize >> 4) ^ usize::try_from(instruction).unwrap_or(0)) % SIZE;
    // SAFETY: attached; the reference lives only for the clone.
    let known = unsafe { (*KNOWN.get())[index].clone() };
    if let Some(known) = known
        && known.code.is(&code)
        && (known.instruction, known.line, known.modules) == (instruction, line, modules.number)
        && known.source.is_that_of(known.file.bind(py), modules)?
    {
        return Ok(Some(known));
    }
    let Some(frame) = Frame::read(entry, code, instruction, line, modules)?.map(Rc::new) else {
        return Ok(None);
    };
    // SAFETY: attached; the previous entry is dropped after the place has the new one.
    let previous = unsafe { (*KNOWN.get())[index].replace(Rc::clone(&frame)) };
    drop(previous);
    Ok(Some(frame))
}

impl Frame {
    fn read(
        entry: &Bound<'_, PyTraceback>,
        code: Bound<'_, PyAny>,
        instruction: i32,
        line: i32,
        modules: &Modules,
    ) -> PyResult<Option<Self>> {
        let py = entry.py();
        let written = modules.format_tb.bind(py).call1((entry, 1))?;
        let Ok(file) = code.getattr(intern!(py, "co_filename"))?.cast_into_exact::<PyString>() else {
            return Ok(None);
        };
        let name = code.getattr(intern!(py, "co_name"))?;
        let Ok(written) = written.cast_exact::<PyList>() else { return Ok(None) };
        let [text] =
            written.iter().collect::<Vec<_>>().try_into().unwrap_or_else(|_| [py.None().into_bound(py)]);
        let Ok(text) = text.extract::<String>() else { return Ok(None) };
        // A line that differs from the entry's, as in tracebacks that a program has made, is not known by it.
        if !text.starts_with(&format!("  File \"{file}\", line {line}, in {name}\n")) {
            return Ok(None);
        }
        let Some(source) = Source::read(&file, modules)? else { return Ok(None) };
        Ok(Some(Self {
            code: code.unbind(),
            instruction,
            line,
            modules: modules.number,
            file: file.unbind(),
            name: name.unbind(),
            source,
            text: text.into(),
        }))
    }

    /// The file that the lines were read from, if they were read from one.
    fn opened(&self) -> Option<&File> {
        match &self.source {
            Source::Entry { file, .. } => file.as_ref(),
            Source::None => None,
        }
    }

    /// Whether both stand in the same line of the same function, as far as a reader can tell.
    pub(super) fn looks_like(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        Ok(self.line == other.line
            && self.file.bind(py).as_any().eq(&other.file)?
            && self.name.bind(py).eq(&other.name)?)
    }
}

impl Source {
    /// The source of the lines of `file`, which have just been shown; `None` when a change of it could not be told.
    fn read(file: &Bound<'_, PyString>, modules: &Modules) -> PyResult<Option<Self>> {
        let Some(entry) = modules.cache.bind(file.py()).get_item(file)? else {
            // For other names the interpreter looks for a file each time.
            let text = file.to_str().unwrap_or_default();
            return Ok((text.starts_with('<') && text.ends_with('>')).then_some(Self::None));
        };
        let Ok(entry) = entry.cast_into_exact::<PyTuple>() else { return Ok(None) };
        let Ok((size, time, _, path)) =
            entry.extract::<(u64, Option<f64>, Bound<'_, PyAny>, Bound<'_, PyAny>)>()
        else {
            return Ok(None);
        };
        let file = match time {
            // The lines came from the loader of the module, and are not looked at again.
            None => None,
            Some(time) => {
                let Ok(path) = path.extract::<PathBuf>() else { return Ok(None) };
                let stamp = Stamp::of(&path).filter(|stamp| stamp.size == size && stamp.has_time(time));
                let Some(stamp) = stamp else { return Ok(None) };
                Some(File { path, stamp })
            }
        };
        Ok(Some(Self::Entry { entry: entry.unbind(), file }))
    }

    /// Whether `linecache` has the same lines of `name` still.
    fn is_that_of(&self, name: &Bound<'_, PyString>, modules: &Modules) -> PyResult<bool> {
        let found = modules.cache.bind(name.py()).get_item(name)?;
        Ok(match self {
            Self::None => found.is_none(),
            Self::Entry { entry, .. } => found.is_some_and(|found| found.is(entry)),
        })
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { size: found.len(), seconds: modified.as_secs(), nanoseconds: modified.subsec_nanos() })
    }

    /// Whether `os.stat` gives this `st_mtime` for the file.
    fn has_time(&self, time: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "the interpreter computes it so")]
        let seconds = self.seconds as f64;
        (seconds + 1e-9 * f64::from(self.nanoseconds)).to_bits() == time.to_bits()
    }
}

/// The files that a traceback shows lines of, each by a frame in it.
#[derive(Default)]
pub(super) struct Sources(SmallVec<[Rc<Frame>; 4]>);

impl Sources {
    pub(super) fn add(&mut self, frame: &Rc<Frame>) {
        let file = frame.opened();
        if file.is_some() && !self.0.iter().any(|known| known.opened() == file) {
            self.0.push(Rc::clone(frame));
        }
    }

    /// Looks whether the files are as they were when their lines were read.
    pub(super) fn are_unchanged(&self, py: Python<'_>) -> bool {
        let files: SmallVec<[&File; 4]> = self.0.iter().filter_map(|frame| frame.opened()).collect();
        // A disk may be slow.
        files.is_empty() || py.detach(|| files.iter().all(|file| Stamp::of(&file.path) == Some(file.stamp)))
    }
}
