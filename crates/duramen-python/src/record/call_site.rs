//! Where a logging call stands, remembered by the place in the code.

use std::cell::RefCell;
use std::rc::Rc;

use duramen::record::Caller;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use crate::classes;
use crate::interpreter::{self, Attached, intern};
use crate::record;
use crate::record::Parts;
use crate::record::caller;
use crate::record::template::Template;
use crate::way::settings::Settings;

/// What records show of a place in the source.
pub(crate) struct CallSite {
    pub(crate) path: Box<str>,
    pub(crate) file: Box<str>,
    pub(crate) module: Box<str>,
    pub(crate) line: u32,
    pub(crate) function: Box<str>,
    /// Path, file, module and function as Python has them.
    objects: [Py<PyString>; 4],
    line_object: Py<PyInt>,
    /// What records from here have in common.
    template: RefCell<Option<Rc<Template>>>,
}

/// A place: a code object, kept alive so that its address stays its own, and an instruction in it.
struct Known {
    code: Py<PyAny>,
    instruction: i32,
    /// The globals with which the frame was found to be the caller's.
    globals: u64,
    site: Rc<CallSite>,
}

/// Each place in the code has one place here, which it may share with others: the last one stays. So a
/// program that makes code without end does not fill the memory.
const SIZE: usize = 512;

static KNOWN: Attached<[Option<Known>; SIZE]> = Attached::new([const { None }; SIZE]);

/// Where the running logging call stands; `None` when that is not known or not of the usual kind.
pub(crate) fn current(py: Python<'_>, settings: &Settings) -> PyResult<Option<Rc<CallSite>>> {
    if !settings.finds_callers {
        return Ok(None);
    }
    let Some((code, instruction)) = interpreter::current_instruction(py) else { return Ok(None) };
    if let Some(site) = known_at(&code, instruction, settings) {
        return Ok(Some(site));
    }
    let found = caller::in_call(py, || caller::find_frame(py, PyInt::new(py, 1).as_any()))?;
    let Some(frame) = found else { return Ok(None) };
    let Some(site) = CallSite::of(&frame)?.map(Rc::new) else { return Ok(None) };
    // Only the innermost frame is found again by its place; one of `logging` leads on to another.
    if caller::is_usual(py)? && interpreter::frame_code(&frame).is(&code) {
        let index = index_of(&code, instruction);
        let globals = settings.version();
        let known = Known { code: code.unbind(), instruction, globals, site: Rc::clone(&site) };
        // SAFETY: attached; the previous entry is dropped after the place has the new one.
        let previous = unsafe { (*KNOWN.get())[index].replace(known) };
        drop(previous);
    }
    Ok(Some(site))
}

/// Where a call stands, and the text of the stack there, if that is wanted.
pub(crate) type SiteAndStack<'py> = (Rc<CallSite>, Option<Bound<'py, PyString>>);

/// Where a call stands that says how many frames up it is meant, with the stack up to there if that is wanted; `None` when
/// it is not known or not of the usual kind.
pub(crate) fn above<'py>(
    py: Python<'py>,
    settings: &Settings,
    stack_level: &Bound<'py, PyAny>,
    wants_stack: bool,
) -> PyResult<Option<SiteAndStack<'py>>> {
    if !settings.finds_callers {
        return Ok(None);
    }
    let found = match caller::in_call(py, || caller::find_frame(py, stack_level)) {
        Err(error) if classes::is_ordinary(py, &error) => return Ok(None),
        found => found?,
    };
    let Some(frame) = found else { return Ok(None) };
    let Some(site) = CallSite::of(&frame)? else { return Ok(None) };
    let stack = if wants_stack {
        let Ok(text) = caller::stack_text(&frame)?.cast_into_exact() else { return Ok(None) };
        Some(text)
    } else {
        None
    };
    Ok(Some((Rc::new(site), stack)))
}

/// The same as [`current`] without asking for what is not remembered.
pub(crate) fn remembered(py: Python<'_>, settings: &Settings) -> Option<Rc<CallSite>> {
    settings.finds_callers.then_some(())?;
    let (code, instruction) = interpreter::current_instruction(py)?;
    known_at(&code, instruction, settings)
}

fn index_of(code: &Bound<'_, PyAny>, instruction: i32) -> usize {
    ((code.as_ptr() as usize >> 4) ^ usize::try_from(instruction).unwrap_or(0)) % SIZE
}

fn known_at(code: &Bound<'_, PyAny>, instruction: i32, settings: &Settings) -> Option<Rc<CallSite>> {
    // SAFETY: attached; the reference lives only for the comparison and the clone.
    let known = unsafe { (*KNOWN.get())[index_of(code, instruction)].as_ref()? };
    let holds = known.code.as_ptr() == code.as_ptr()
        && known.instruction == instruction
        && known.globals == settings.version();
    holds.then(|| Rc::clone(&known.site))
}

impl CallSite {
    /// As a record shows it.
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller {
            pathname: &self.path,
            filename: &self.file,
            module: &self.module,
            line: self.line,
            function: &self.function,
        }
    }

    fn of(frame: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = frame.py();
        let code = interpreter::frame_code(frame);
        let path = code.getattr(intern!(py, "co_filename"))?;
        let (file, module) = record::file_and_module(&path)?;
        let function = code.getattr(intern!(py, "co_name"))?;
        let texts = [path, file, module, function];
        let mut owned = Vec::with_capacity(texts.len());
        let mut objects = Vec::with_capacity(texts.len());
        for text in texts {
            let Ok(text) = text.cast_into_exact::<PyString>() else { return Ok(None) };
            let Ok(utf8) = text.to_str() else { return Ok(None) };
            owned.push(Box::from(utf8));
            objects.push(text.unbind());
        }
        let [path, file, module, function] = <[Box<str>; 4]>::try_from(owned).unwrap_or_default();
        let Ok(objects) = objects.try_into() else { return Ok(None) };
        let line = interpreter::frame_line(frame);
        let line_object = PyInt::new(py, line).unbind();
        Ok(Some(Self {
            path,
            file,
            module,
            line,
            function,
            objects,
            line_object,
            template: RefCell::default(),
        }))
    }

    /// The template for records from here, made from `parts`, which are those of one, if there is none.
    pub(crate) fn template(&self, parts: &Parts<'_>) -> PyResult<Rc<Template>> {
        if let Some(template) = &*self.template.borrow() {
            return Ok(Rc::clone(template));
        }
        let template = Rc::new(Template::of(parts)?);
        // Making it has run no code that could have come here.
        self.template.replace(Some(Rc::clone(&template)));
        Ok(template)
    }

    /// Path, file, module, function and line as Python has them.
    pub(crate) fn borrowed_objects<'a, 'py: 'a>(&'a self, py: Python<'py>) -> [Borrowed<'a, 'py, PyAny>; 5] {
        let [path, file, module, function] =
            self.objects.each_ref().map(|text| text.bind(py).as_any().as_borrowed());
        [path, file, module, function, self.line_object.bind(py).as_any().as_borrowed()]
    }

    /// Path, file, module and function as Python has them.
    pub(crate) fn objects<'py>(&self, py: Python<'py>) -> [Bound<'py, PyString>; 4] {
        self.objects.each_ref().map(|text| text.bind(py).clone())
    }
}
