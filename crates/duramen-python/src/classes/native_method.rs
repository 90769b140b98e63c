//! Native methods for the classes of `logging`.
//!
//! A native method replaces one that the interpreter defines in Python. Its parameters and defaults are
//! read from the function that it replaces: they differ between the versions of CPython, and the running
//! interpreter is the one place that knows them.

use std::cell::Cell;

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::handler::further_options::further_keywords;
use crate::interpreter::{self, Entry, intern};

/// More than any method of `logging` has (`TimedRotatingFileHandler.__init__`: 10).
const MOST_PARAMETERS: usize = 14;

/// Flags of a code object, as `inspect` documents them.
const CO_VARARGS: u32 = 0x04;
const CO_VARKEYWORDS: u32 = 0x08;

/// What runs when a native method is called.
pub(crate) type Body = for<'a, 'py> fn(&Call<'a, 'py>) -> PyResult<Bound<'py, PyAny>>;

/// A native method before it belongs to a class: its name and what runs when it is called.
pub(crate) type Method = (&'static str, Body);

/// What a native method is made of.
pub(crate) struct Definition {
    signature: Signature,
    body: Body,
    replaces_whole_function: bool,
}

impl Definition {
    /// Whether the function that the method replaces does the same; else it is only an outline.
    pub(crate) fn replaces_whole_function(&self) -> bool {
        self.replaces_whole_function
    }

    /// Binds the arguments and runs the method.
    pub(crate) fn call<'a, 'py>(
        &'a self,
        py: Python<'py>,
        arguments: &'a [Borrowed<'a, 'py, PyAny>],
        keywords: Option<Borrowed<'a, 'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        refuse_deep_recursion()?;
        (self.body)(&self.signature.bind(py, arguments, keywords)?)
    }
}

thread_local! {
    /// What a native method leaves free of this thread's stack at least, in bytes; 0 while it is not known.
    static LEAST_FREE_STACK: Cell<usize> = const { Cell::new(0) };
}

/// Enough for the whole way of a record, and for the interpreter's own frames until the next native method.
const ENOUGH_STACK: usize = 256 * 1024;

/// A handler that logs to itself ends with `RecursionError` and not with an overflow of the stack: the
/// interpreter counts its own frames, but native ones take stack too.
pub(crate) fn refuse_deep_recursion() -> PyResult<()> {
    let Some(free) = stacker::remaining_stack() else { return Ok(()) };
    if LEAST_FREE_STACK.get() == 0 {
        // A thread may have been given a stack that is smaller than what is left free elsewhere.
        LEAST_FREE_STACK.set((free / 2).min(ENOUGH_STACK));
    }
    if free < LEAST_FREE_STACK.get() {
        return Err(PyRecursionError::new_err("maximum recursion depth exceeded while logging"));
    }
    Ok(())
}

/// The native method that replaces `function` and runs `body`, called through `entry`.
pub(crate) fn replacement<'py>(
    function: &Bound<'py, PyAny>,
    body: Body,
    entry: Entry,
) -> PyResult<Bound<'py, PyAny>> {
    let signature = Signature::of_function(function)?;
    // Duramen's own classes have their methods here alone.
    let module: String = function.getattr(intern!(function.py(), "__module__"))?.extract()?;
    let replaces_whole_function = module != "duramen.formatters";
    let definition = Definition { signature, body, replaces_whole_function };
    interpreter::native_function(function, definition, entry)
}

/// The parameters of a native method.
pub(crate) struct Signature {
    /// As in error messages: `Class.method`.
    qualified_name: String,
    /// First `self` and the others that can be given by position, then the keyword-only ones.
    parameters: Vec<Parameter>,
    by_position: usize,
    /// Whether `*args` takes further positional arguments, `**kwargs` further keywords.
    takes_rest: bool,
    takes_keywords: bool,
    /// Keywords that the function which it replaces does not take.
    further_keywords: &'static [&'static str],
}

struct Parameter {
    name: Py<PyString>,
    default: Option<Py<PyAny>>,
}

impl Signature {
    /// Reads the signature of a Python function that is a method.
    pub(crate) fn of_function(function: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = function.py();
        let code = function.getattr(intern!(py, "__code__"))?;
        let qualified_name: String = function.getattr(intern!(py, "__qualname__"))?.extract()?;
        let names = code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>()?;
        let flags: u32 = code.getattr(intern!(py, "co_flags"))?.extract()?;
        let positional: usize = code.getattr(intern!(py, "co_argcount"))?.extract()?;
        let keyword_only: usize = code.getattr(intern!(py, "co_kwonlyargcount"))?.extract()?;
        let defaults: Option<Vec<Py<PyAny>>> = function.getattr(intern!(py, "__defaults__"))?.extract()?;
        let defaults = defaults.unwrap_or_default();
        let keyword_defaults: Option<Bound<'_, PyDict>> =
            function.getattr(intern!(py, "__kwdefaults__"))?.extract()?;
        let first_default = positional - defaults.len();
        let mut parameters = Vec::with_capacity(positional + keyword_only);
        for (index, name) in names.iter().take(positional + keyword_only).enumerate() {
            let default = match &keyword_defaults {
                _ if is_optional_here(&qualified_name, index) => Some(py.Ellipsis()),
                _ if index < first_default => None,
                _ if index < positional => Some(defaults[index - first_default].clone_ref(py)),
                Some(keyword_defaults) => keyword_defaults.get_item(&name)?.map(Bound::unbind),
                None => None,
            };
            parameters.push(Parameter { name: name.cast_into::<PyString>()?.unbind(), default });
        }
        if parameters.len() > MOST_PARAMETERS {
            return Err(PyValueError::new_err("too many parameters for a native method"));
        }
        Ok(Self {
            further_keywords: further_keywords(&qualified_name),
            qualified_name,
            parameters,
            by_position: positional,
            takes_rest: flags & CO_VARARGS != 0,
            takes_keywords: flags & CO_VARKEYWORDS != 0,
        })
    }

    fn bind<'a, 'py>(
        &'a self,
        py: Python<'py>,
        arguments: &'a [Borrowed<'a, 'py, PyAny>],
        keywords: Option<Borrowed<'a, 'py, PyTuple>>,
    ) -> PyResult<Call<'a, 'py>> {
        let positional = arguments.len() - keywords.map_or(0, |keywords| keywords.len());
        let (arguments, keyword_values) = arguments.split_at(positional);
        let direct = positional.min(self.by_position);
        if positional > direct && !self.takes_rest {
            return Err(self.too_many(positional));
        }
        let mut values = [None; MOST_PARAMETERS];
        for (slot, argument) in values.iter_mut().zip(&arguments[..direct]) {
            *slot = Some(*argument);
        }
        let rest = &arguments[direct..];
        let mut extra_keywords = None;
        if let Some(keywords) = keywords {
            self.bind_keywords(&mut values, &mut extra_keywords, keywords, keyword_values)?;
        }
        for (slot, parameter) in values.iter_mut().zip(&self.parameters) {
            if slot.is_none() {
                *slot = parameter.default.as_ref().map(|default| default.bind_borrowed(py));
            }
        }
        if values[..self.parameters.len()].iter().any(Option::is_none) {
            return Err(self.missing(py, &values));
        }
        let object = values[0].map_or_else(|| py.None().into_bound(py), |object| (*object).clone());
        Ok(Call { object, values, rest, extra_keywords })
    }

    fn bind_keywords<'a, 'py>(
        &self,
        values: &mut Values<'a, 'py>,
        extra_keywords: &mut Option<Bound<'py, PyDict>>,
        keywords: Borrowed<'a, 'py, PyTuple>,
        given: &'a [Borrowed<'a, 'py, PyAny>],
    ) -> PyResult<()> {
        let py = keywords.py();
        for (keyword, value) in keywords.iter_borrowed().zip(given) {
            let Some(index) = self.position_of(py, keyword)? else {
                if !self.takes_keywords && !self.is_further(keyword) {
                    return Err(PyTypeError::new_err(format!(
                        "{}() got an unexpected keyword argument '{}'",
                        self.qualified_name, *keyword
                    )));
                }
                extra_keywords.get_or_insert_with(|| PyDict::new(py)).set_item(keyword, value)?;
                continue;
            };
            if values[index].is_some() {
                return Err(PyTypeError::new_err(format!(
                    "{}() got multiple values for argument '{}'",
                    self.qualified_name, *keyword
                )));
            }
            values[index] = Some(*value);
        }
        Ok(())
    }

    fn is_further(&self, keyword: Borrowed<'_, '_, PyAny>) -> bool {
        !self.further_keywords.is_empty()
            && keyword.extract::<&str>().is_ok_and(|keyword| self.further_keywords.contains(&keyword))
    }

    fn position_of(&self, py: Python<'_>, keyword: Borrowed<'_, '_, PyAny>) -> PyResult<Option<usize>> {
        // Names in calls are interned as those in code objects are: identity answers nearly always.
        if let Some(index) = self.parameters.iter().position(|parameter| parameter.name.bind(py).is(keyword))
        {
            return Ok(Some(index));
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            if keyword.eq(&parameter.name)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn too_many(&self, given: usize) -> PyErr {
        let most = self.by_position;
        let optional = self.parameters[..self.by_position]
            .iter()
            .filter(|parameter| parameter.default.is_some())
            .count();
        let takes = match optional {
            0 => format!("{most} positional argument{}", if most == 1 { "" } else { "s" }),
            _ => format!("from {} to {most} positional arguments", most - optional),
        };
        PyTypeError::new_err(format!("{}() takes {takes} but {given} were given", self.qualified_name))
    }

    fn missing(&self, py: Python<'_>, values: &Values<'_, '_>) -> PyErr {
        let names_without_value = |range: std::ops::Range<usize>| -> Vec<String> {
            range
                .filter(|&index| values[index].is_none() && self.parameters[index].default.is_none())
                .map(|index| format!("'{}'", self.parameters[index].name.bind(py)))
                .collect()
        };
        let mut kind = "positional";
        let mut names = names_without_value(0..self.by_position);
        if names.is_empty() {
            kind = "keyword-only";
            names = names_without_value(self.by_position..self.parameters.len());
        }
        let plural = if names.len() == 1 { "" } else { "s" };
        let listed = match names.as_slice() {
            [first, second] => format!("{first} and {second}"),
            [first @ .., last] if !first.is_empty() => format!("{}, and {last}", first.join(", ")),
            _ => names.concat(),
        };
        PyTypeError::new_err(format!(
            "{}() missing {} required {kind} argument{plural}: {listed}",
            self.qualified_name,
            names.len()
        ))
    }
}

/// Whether the parameter at `index`, which CPython's method asks for, may be left out: the method gets `...` then.
fn is_optional_here(qualified_name: &str, index: usize) -> bool {
    // `QueueHandler` makes its own queue.
    qualified_name == "QueueHandler.__init__" && index == 1
}

/// A value for each parameter.
type Values<'a, 'py> = [Option<Borrowed<'a, 'py, PyAny>>; MOST_PARAMETERS];

/// One call of a native method: the object and its bound arguments.
pub(crate) struct Call<'a, 'py> {
    /// The object that the method is called on.
    pub(crate) object: Bound<'py, PyAny>,
    values: Values<'a, 'py>,
    /// What `*args` takes.
    pub(crate) rest: &'a [Borrowed<'a, 'py, PyAny>],
    /// What `**kwargs` takes, or keywords that only the native method has; `None` when there are none.
    pub(crate) extra_keywords: Option<Bound<'py, PyDict>>,
}

impl<'a, 'py> Call<'a, 'py> {
    pub(crate) fn py(&self) -> Python<'py> {
        self.object.py()
    }

    /// The argument at `index` after `self`: the caller's or the default.
    ///
    /// # Panics
    /// When the method has no such parameter, which is a mistake in this crate.
    pub(crate) fn argument(&self, index: usize) -> Borrowed<'a, 'py, PyAny> {
        self.values[index + 1].expect("a bound signature fills every parameter")
    }

    /// What `*args` takes, as a tuple.
    pub(crate) fn rest_tuple(&self) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(self.py(), self.rest)
    }

    /// Python's `None`, which most methods return.
    #[expect(clippy::unnecessary_wraps, reason = "it is the whole result of a method")]
    pub(crate) fn none(&self) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.py().None().into_bound(self.py()))
    }
}
