//! Where a logging call stands: the nearest frame outside `logging`.

use std::cell::RefCell;

use duramen::record::Caller;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::classes::globals;
use crate::classes::native_method::Call;
use crate::interpreter::{Once, intern};
use crate::{formatter, interpreter};

/// What stands for the call site when it is not known: path, line, function.
pub(crate) const UNKNOWN: (&str, i64, &str) = ("(unknown file)", 0, "(unknown function)");

/// The same as a record shows it.
pub(crate) fn unknown() -> Caller<'static> {
    let (path, line, function) = UNKNOWN;
    let line = u32::try_from(line).unwrap_or(0);
    Caller { pathname: path, filename: path, module: path, line, function }
}

/// `Logger.findCaller`. Native methods have no frames: the innermost one is the caller's own.
pub(crate) fn find_caller<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (stack_info, stack_level) = (call.argument(0), call.argument(1));
    let Some(frame) = find_frame(py, &stack_level)? else {
        let (path, line, function) = UNKNOWN;
        return Ok((path, line, function, py.None()).into_pyobject(py)?.into_any());
    };
    let stack = if stack_info.is_truthy()? { stack_text(&frame)? } else { py.None().into_bound(py) };
    let code = interpreter::frame_code(&frame);
    let site = (
        code.getattr(intern!(py, "co_filename"))?,
        interpreter::frame_line(&frame),
        code.getattr(intern!(py, "co_name"))?,
        stack,
    );
    Ok(site.into_pyobject(py)?.into_any())
}

/// The frame of the logging call, `stack_level` frames of the application up.
pub(crate) fn find_frame<'py>(
    py: Python<'py>,
    stack_level: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(innermost) = interpreter::current_frame(py) else { return Ok(None) };
    if globals::python_minor(py) >= 11 {
        up_among_application_frames(innermost, stack_level).map(Some)
    } else {
        up_then_out_of_logging(innermost, stack_level)
    }
}

/// From CPython 3.11 on: each application frame counts, those of `logging` and of the import system
/// do not. At the bottom of the stack the last frame is taken.
fn up_among_application_frames<'py>(
    innermost: Bound<'py, PyAny>,
    stack_level: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = innermost.py();
    let is_internal = InternalFrames::now(py)?;
    let mut remaining = stack_level.clone();
    let mut found = innermost.clone();
    let mut next = Some(innermost);
    while remaining.gt(0)? {
        let Some(frame) = next else { break };
        if !is_internal.contains(&frame)? {
            remaining = remaining.sub(1)?;
        }
        next = interpreter::frame_back(&frame);
        found = frame;
    }
    Ok(found)
}

/// Which frames belong to `logging` or to the import system.
enum InternalFrames<'py> {
    /// By the interpreter's own rule, with the path of `logging`'s source.
    Own(Bound<'py, PyAny>),
    /// As the application's replacement of `_is_internal_frame` says.
    Replaced(Bound<'py, PyAny>),
}

impl<'py> InternalFrames<'py> {
    fn now(py: Python<'py>) -> PyResult<Self> {
        let source = globals::get(py, intern!(py, "_srcfile"))?;
        let rule = globals::get(py, intern!(py, "_is_internal_frame"))?;
        let file = rule.getattr_opt(intern!(py, "__code__"))?.map(|code| code.getattr("co_filename"));
        // Paths are compared in their normal case, which on Windows is not what stands in a code object.
        let own = cfg!(unix) && matches!(file, Some(Ok(file)) if file.eq(&source)?);
        Ok(if own { Self::Own(source) } else { Self::Replaced(rule) })
    }

    fn contains(&self, frame: &Bound<'py, PyAny>) -> PyResult<bool> {
        match self {
            Self::Replaced(rule) => rule.call1((frame,))?.is_truthy(),
            Self::Own(source) => {
                let py = frame.py();
                let file = interpreter::frame_code(frame).getattr(intern!(py, "co_filename"))?;
                if file.eq(source)? {
                    return Ok(true);
                }
                let name = file.cast::<PyString>()?.to_string_lossy();
                Ok(name.contains("importlib") && name.contains("_bootstrap"))
            }
        }
    }
}

/// Whether frames are told apart by the interpreter's own rule, which looks at the code alone.
pub(crate) fn is_usual(py: Python<'_>) -> PyResult<bool> {
    if globals::python_minor(py) == 10 {
        // There the caller is found by counting frames.
        return Ok(false);
    }
    Ok(matches!(InternalFrames::now(py)?, InternalFrames::Own(_)))
}

thread_local! {
    /// The calls that run in this thread without a frame of their own, which they have in `logging`: for each the
    /// address of the Python frame that it was called from.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Whether `findCaller` of the logger is asked, and one of the application's, which may count the frames of
/// `logging` that it knows to be between itself and the caller.
pub(crate) fn may_count_frames(logger: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = logger.py();
    if !globals::is_true(py, intern!(py, "_srcfile"))? {
        return Ok(false);
    }
    let Some(method) = logger.getattr_opt(intern!(py, "findCaller"))? else { return Ok(false) };
    let function = method.getattr_opt(intern!(py, "__func__"))?;
    Ok(!function.is_some_and(|function| interpreter::is_native_function(&function)))
}

/// Calls `_log` from a frame that stands for the level method's. `_log` itself makes its own, as the function
/// which it replaces.
pub(crate) fn with_frames<'py>(
    logger: &Bound<'py, PyAny>,
    arguments: Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    static FUNCTION_TYPE: Once<Py<PyType>> = Once::new();
    let py = logger.py();
    // Frames of `logging` are told by their file, or by the name of the module in their globals.
    let code = code_of_level_method(&globals::get(py, intern!(py, "_srcfile"))?)?;
    let function = FUNCTION_TYPE.import(py, "types", "FunctionType")?.call1((code, globals::owner(py)))?;
    let keywords = keywords.cloned().unwrap_or_else(|| PyDict::new(py));
    function.call1((logger, arguments, keywords)).map(drop)
}

fn code_of_level_method<'py>(file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static CODE: Once<Py<PyAny>> = Once::new();
    const SOURCE: &str = "def log(self, args, kwargs): self._log(*args, **kwargs)";
    let py = file.py();
    let code = CODE.get_or_try_init(py, || {
        let module = py.import("builtins")?.call_method1("compile", (SOURCE, file.str()?, "exec"))?;
        PyResult::Ok(module.getattr("co_consts")?.get_item(0)?.unbind())
    })?;
    let code = code.bind(py);
    if code.getattr(intern!(py, "co_filename"))?.eq(file)? {
        return Ok(code.clone());
    }
    let changed = PyDict::new(py);
    changed.set_item("co_filename", file.str()?)?;
    code.call_method("replace", (), Some(&changed))
}

/// Runs `body`, what a method does that `findCaller` counts on its way up: `_log`, and those such as `info`.
pub(crate) fn in_call<T>(py: Python<'_>, body: impl FnOnce() -> T) -> T {
    // From CPython 3.11 on frames of `logging` do not count.
    if cfg!(Py_3_11) {
        return body();
    }
    let _running = RunningCall::begin(address(interpreter::current_frame(py).as_ref()));
    body()
}

fn address(frame: Option<&Bound<'_, PyAny>>) -> usize {
    frame.map_or(0, |frame| frame.as_ptr() as usize)
}

/// An entry of `RUNNING`. Green threads end their calls in any order, so that it is found by its frame.
struct RunningCall(usize);

impl RunningCall {
    fn begin(frame: usize) -> Self {
        // A thread that has ended, and is still logging, counts no calls.
        let _ = RUNNING.try_with(|running| running.borrow_mut().push(frame));
        Self(frame)
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        let _ = RUNNING.try_with(|running| {
            let mut running = running.borrow_mut();
            if let Some(last) = running.iter().rposition(|frame| *frame == self.0) {
                running.swap_remove(last);
            }
        });
    }
}

/// The frames from the innermost one on, as `logging` has them: `None` stands for that of a native call.
#[derive(Clone)]
struct Frames<'py> {
    native: usize,
    python: Option<Bound<'py, PyAny>>,
}

impl<'py> Frames<'py> {
    fn from(python: Option<Bound<'py, PyAny>>) -> Self {
        let called_from = address(python.as_ref());
        let count = |running: &RefCell<Vec<usize>>| {
            running.borrow().iter().filter(|frame| **frame == called_from).count()
        };
        Self { native: RUNNING.try_with(count).unwrap_or(0), python }
    }
}

impl<'py> Iterator for Frames<'py> {
    type Item = Option<Bound<'py, PyAny>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.native > 0 {
            self.native -= 1;
            return Some(None);
        }
        let frame = self.python.take()?;
        *self = Self::from(interpreter::frame_back(&frame));
        Some(Some(frame))
    }
}

/// CPython 3.10: every frame counts, then those of `logging` are left. It begins above the two frames that it takes for
/// those of `_log` and of the level method.
fn up_then_out_of_logging<'py>(
    innermost: Bound<'py, PyAny>,
    stack_level: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = innermost.py();
    let mut first = Frames::from(Some(innermost));
    if first.by_ref().take(2).count() < 2 {
        return Err(PyValueError::new_err("call stack is not deep enough"));
    }
    let mut frames = first.clone();
    let mut frame = frames.next();
    let mut remaining = stack_level.clone();
    while frame.is_some() && remaining.gt(1)? {
        frame = frames.next();
        remaining = remaining.sub(1)?;
    }
    if frame.is_none() {
        frame = first.next();
        frames = first;
    }
    let own_source = globals::get(py, intern!(py, "_srcfile"))?;
    let paths = globals::get(py, intern!(py, "os"))?.getattr(intern!(py, "path"))?;
    while let Some(current) = frame {
        if let Some(current) = current {
            let file = interpreter::frame_code(&current).getattr(intern!(py, "co_filename"))?;
            if !paths.call_method1(intern!(py, "normcase"), (file,))?.eq(&own_source)? {
                return Ok(Some(current));
            }
        }
        frame = frames.next();
    }
    Ok(None)
}

/// The stack up to `frame`, as `stack_info` has it.
pub(crate) fn stack_text<'py>(frame: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = frame.py();
    let buffer = globals::get(py, intern!(py, "io"))?.call_method0(intern!(py, "StringIO"))?;
    buffer.call_method1(intern!(py, "write"), ("Stack (most recent call last):\n",))?;
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "file"), &buffer)?;
    globals::get(py, intern!(py, "traceback"))?.call_method(
        intern!(py, "print_stack"),
        (frame,),
        Some(&keywords),
    )?;
    formatter::without_final_newline(&buffer.call_method0(intern!(py, "getvalue"))?)
}
