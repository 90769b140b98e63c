//! The text of an exception as `traceback.print_exception` writes it, put together from texts of frames that were
//! written before.
//!
//! What a frame looks like depends on the place in the code and on the source file alone, and finding it out costs
//! far more than all else in a call of `Logger.exception`. So the interpreter's own text of each frame is
//! remembered ([`frames`]), as long as the modules that write it are as the interpreter ships them ([`modules`]).
//! Whatever is more than a chain of plain exceptions is left to these modules.

mod frames;
mod modules;

use std::rc::Rc;

use pyo3::exceptions::{PyAttributeError, PyBaseException, PyImportError, PyNameError, PySyntaxError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTraceback, PyTuple};

use crate::classes::globals;
use crate::interpreter::intern;
use frames::{Frame, Sources};
use modules::Modules;

/// So many frames in a row of the same line are written; of more, only the number.
const MOST_REPEATED: usize = 3;

/// The text of the triple `(class, exception, traceback)` without the last newline; `None` when only the
/// interpreter's own way gives it.
///
/// # Errors
/// Those of the exception's own attributes.
pub(crate) fn text<'py>(triple: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = triple.py();
    let Ok(triple) = triple.cast_exact::<PyTuple>() else { return Ok(None) };
    if triple.len() != 3 {
        return Ok(None);
    }
    let state = modules::current(py)?;
    let Some(modules) = state.shipped(py)? else { return Ok(None) };
    let Some(chain) = chain(triple.get_item(1)?, triple.get_item(2)?)? else { return Ok(None) };
    let mut sources = Sources::default();
    let mut text = String::new();
    for link in chain.iter().rev() {
        if !link.write(modules, &mut sources, &mut text)? {
            return Ok(None);
        }
    }
    if !sources.are_unchanged(py) {
        return Ok(None);
    }
    Ok(Some(PyString::new(py, text.strip_suffix('\n').unwrap_or(&text))))
}

/// Writes the text of an exception, a triple or the exception alone, to `file`, by the interpreter's own way.
pub(crate) fn print<'py>(exception: Bound<'py, PyTuple>, file: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = file.py();
    let print = globals::get(py, intern!(py, "traceback"))?.getattr(intern!(py, "print_exception"))?;
    // What stands in the place of the function may know the names of its parameters, or only their order.
    if globals::python_minor(py) >= 13 {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "limit"), py.None())?;
        keywords.set_item(intern!(py, "file"), file)?;
        print.call(exception, Some(&keywords))?;
    } else {
        let limit_and_file = PyTuple::new(py, [&py.None().into_bound(py), file])?;
        print.call1(exception.as_sequence().concat(limit_and_file.as_sequence())?.to_tuple()?)?;
    }
    Ok(())
}

/// How an exception came of the one that is written before it.
#[derive(Clone, Copy)]
enum Joint {
    Cause,
    Context,
}

/// An exception of a chain.
struct Link<'py> {
    exception: Bound<'py, PyAny>,
    traceback: Bound<'py, PyAny>,
    /// For all but the first.
    joint: Option<Joint>,
}

/// The exception and those that led to it; `None` when one of them is no plain one.
fn chain<'py>(
    exception: Bound<'py, PyAny>,
    traceback: Bound<'py, PyAny>,
) -> PyResult<Option<Vec<Link<'py>>>> {
    let py = exception.py();
    let mut chain = vec![Link { exception, traceback, joint: None }];
    loop {
        let last = &chain[chain.len() - 1].exception;
        if !is_plain(last)? {
            return Ok(None);
        }
        // An exception that was met before ends the chain.
        let is_new = |found: &Bound<'py, PyAny>| {
            !found.is_none() && !chain.iter().any(|link| link.exception.is(found))
        };
        let cause = last.getattr(intern!(py, "__cause__"))?;
        let (previous, joint) = if is_new(&cause) {
            (cause, Joint::Cause)
        } else {
            let context = last.getattr(intern!(py, "__context__"))?;
            if last.getattr(intern!(py, "__suppress_context__"))?.is_truthy()? || !is_new(&context) {
                return Ok(Some(chain));
            }
            (context, Joint::Context)
        };
        let last = chain.len() - 1;
        chain[last].joint = Some(joint);
        let traceback = previous.getattr(intern!(py, "__traceback__"))?;
        chain.push(Link { exception: previous, traceback, joint: None });
    }
}

/// Whether the last line of the exception's text is its class and its message.
fn is_plain(exception: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = exception.py();
    if !exception.is_instance_of::<PyBaseException>()
        || exception.is_instance_of::<PySyntaxError>()
        || !exception.is_truthy()?
    {
        return Ok(false);
    }
    let minor = globals::python_minor(py);
    if minor >= 11 && (is_group(exception)? || is_set(exception, intern!(py, "__notes__"))?) {
        return Ok(false);
    }
    // CPython 3.12 and later look for names that may have been meant.
    let suggests = minor >= 12
        && if exception.is_instance_of::<PyNameError>() || exception.is_instance_of::<PyAttributeError>() {
            is_set(exception, intern!(py, "name"))?
        } else {
            exception.is_instance_of::<PyImportError>() && is_set(exception, intern!(py, "name_from"))?
        };
    Ok(!suggests)
}

fn is_group(exception: &Bound<'_, PyAny>) -> PyResult<bool> {
    exception
        .is_instance(&globals::get_builtin(exception.py(), intern!(exception.py(), "BaseExceptionGroup"))?)
}

fn is_set(exception: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    Ok(exception.getattr_opt(name)?.is_some_and(|value| !value.is_none()))
}

impl Link<'_> {
    /// Appends the text; `false` when a part of it is of an unusual kind.
    fn write(&self, modules: &Modules, sources: &mut Sources, text: &mut String) -> PyResult<bool> {
        match self.joint {
            Some(Joint::Cause) => text.push_str(&modules.cause_message),
            Some(Joint::Context) => text.push_str(&modules.context_message),
            None => (),
        }
        Ok(self.write_frames(modules, sources, text)? && self.write_last_line(text)?)
    }

    fn write_frames(&self, modules: &Modules, sources: &mut Sources, text: &mut String) -> PyResult<bool> {
        let py = self.traceback.py();
        if self.traceback.is_none() {
            return Ok(true);
        }
        text.push_str("Traceback (most recent call last):\n");
        let mut next = self.traceback.clone();
        let mut last: Option<Rc<Frame>> = None;
        let mut in_a_row = 0;
        while !next.is_none() {
            let Ok(entry) = next.cast_exact::<PyTraceback>() else { return Ok(false) };
            let Some(frame) = frames::of(entry, modules)? else { return Ok(false) };
            if last.map_or(Ok(false), |last| last.looks_like(py, &frame))? {
                in_a_row += 1;
            } else {
                write_number_of_repeated(in_a_row, text);
                in_a_row = 1;
            }
            if in_a_row <= MOST_REPEATED {
                text.push_str(&frame.text);
            }
            sources.add(&frame);
            last = Some(frame);
            next = entry.getattr(intern!(py, "tb_next"))?;
        }
        write_number_of_repeated(in_a_row, text);
        Ok(true)
    }

    fn write_last_line(&self, text: &mut String) -> PyResult<bool> {
        let py = self.exception.py();
        let class = self.exception.get_type();
        let [module, name] =
            [intern!(py, "__module__"), intern!(py, "__qualname__")].map(|part| class.getattr(part));
        let (module, name) = (module?, name?);
        // What fails here fails in the interpreter's own way again, which says so in the text.
        let Ok(message) = self.exception.str() else { return Ok(false) };
        let parts = [module.cast_exact::<PyString>(), name.cast_exact(), message.cast_exact()];
        let [Ok(module), Ok(name), Ok(message)] = parts else { return Ok(false) };
        let [Ok(module), Ok(name), Ok(message)] = [module, name, message].map(|part| part.to_str()) else {
            return Ok(false);
        };
        if module != "__main__" && module != "builtins" {
            text.extend([module, "."]);
        }
        text.push_str(name);
        if !message.is_empty() {
            text.extend([": ", message]);
        }
        text.push('\n');
        Ok(true)
    }
}

/// Writes how many frames have been left out of so many of the same line.
fn write_number_of_repeated(in_a_row: usize, text: &mut String) {
    if let Some(more @ 1..) = in_a_row.checked_sub(MOST_REPEATED) {
        let plural = if more > 1 { "s" } else { "" };
        text.extend(["  [Previous line repeated ", &more.to_string(), " more time", plural, "]\n"]);
    }
}
