//! A call of a logging method, and what its keywords ask for.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use crate::interpreter::intern;
use crate::interpreter::plain;
use crate::record::call_site::{self, SiteAndStack};
use crate::record::{context, fields};
use crate::way::settings::Settings;
use crate::{interpreter, logger};

/// A call of a logging method whose level is enabled.
pub(crate) struct LoggingCall<'a, 'py> {
    pub(crate) logger: &'a Bound<'py, PyAny>,
    pub(crate) level: i64,
    pub(crate) template: Borrowed<'a, 'py, PyAny>,
    pub(crate) arguments: &'a [Borrowed<'a, 'py, PyAny>],
    pub(crate) keywords: Keywords<'a, 'py>,
}

/// The keyword arguments of a logging call.
#[derive(Clone, Copy)]
pub(crate) enum Keywords<'a, 'py> {
    None,
    Dict(&'a Bound<'py, PyDict>),
    /// As the interpreter hands them over.
    Given {
        names: Borrowed<'a, 'py, PyTuple>,
        values: &'a [Borrowed<'a, 'py, PyAny>],
    },
    /// `extra` alone.
    Extra(Borrowed<'a, 'py, PyAny>),
}

impl<'py> Keywords<'_, 'py> {
    /// As a dict, or `None` when there are none.
    pub(crate) fn dict(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        Ok(match self {
            Self::None => None,
            Self::Dict(dict) => Some((*dict).clone()),
            Self::Given { names, values } => {
                let dict = PyDict::new(py);
                for (name, value) in names.iter_borrowed().zip(*values) {
                    dict.set_item(name, value)?;
                }
                Some(dict)
            }
            Self::Extra(extra) => {
                let dict = PyDict::new(py);
                dict.set_item(intern!(py, "extra"), extra)?;
                Some(dict)
            }
        })
    }
}

/// The keywords of a logging call that the native way knows.
#[derive(Default)]
pub(crate) struct Options<'py> {
    pub(super) extra: Option<Bound<'py, PyDict>>,
    /// As a record holds it: the triple of an exception, or what was given in its place.
    pub(super) exc_info: Option<Bound<'py, PyAny>>,
    pub(super) has_exception: bool,
    pub(super) wants_stack: bool,
    /// So many frames of the application up the call is meant to stand; one, unless the call says so.
    stack_level: Option<Bound<'py, PyInt>>,
}

impl<'py> Options<'py> {
    /// Whether nothing was given, and no fields are bound.
    pub(crate) fn are_none(&self) -> bool {
        self.extra.is_none() && self.exc_info.is_none() && !self.wants_stack && self.stack_level.is_none()
    }

    /// Where the call stands, and the stack there, if it is wanted; `None` when that is not known or not of the usual kind.
    pub(crate) fn site(&self, py: Python<'py>, settings: &Settings) -> PyResult<Option<SiteAndStack<'py>>> {
        if !self.wants_stack && self.stack_level.is_none() {
            return Ok(call_site::current(py, settings)?.map(|site| (site, None)));
        }
        let level = self.stack_level.clone().unwrap_or_else(|| PyInt::new(py, 1));
        call_site::above(py, settings, level.as_any(), self.wants_stack)
    }

    /// The extra fields with those that are bound; none of them has the name of a record's own.
    pub(crate) fn extra(&self) -> Option<&Bound<'py, PyDict>> {
        self.extra.as_ref()
    }

    /// `exc_info` as a record holds it.
    pub(crate) fn exc_info(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.exc_info.clone().unwrap_or_else(|| py.None().into_bound(py))
    }

    /// The triple of the exception that the record is about.
    pub(crate) fn exception(&self) -> Option<&Bound<'py, PyAny>> {
        self.exc_info.as_ref().filter(|_| self.has_exception)
    }

    /// `None` for keywords that only the Python way knows, and for an `extra` that it refuses.
    pub(super) fn of(py: Python<'py>, keywords: Keywords<'_, 'py>) -> PyResult<Option<Self>> {
        let mut options = Self::default();
        let usual = match keywords {
            Keywords::None => true,
            Keywords::Dict(dict) => options.take_all(dict.iter())?,
            Keywords::Given { names, values } => options.take_all(
                names.iter_borrowed().zip(values).map(|(name, value)| (name.to_owned(), (*value).to_owned())),
            )?,
            Keywords::Extra(extra) => options.take_extra(extra.to_owned()),
        };
        if !usual {
            return Ok(None);
        }
        options.extra = context::with_bound(py, options.extra.take())?;
        Ok(Some(options))
    }

    fn take_all(
        &mut self,
        keywords: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    ) -> PyResult<bool> {
        for (name, value) in keywords {
            let py = name.py();
            let usual = if name.is(intern!(py, "extra")) || name.eq(intern!(py, "extra"))? {
                self.take_extra(value)
            } else if name.eq(intern!(py, "exc_info"))? {
                self.take_exception(&value)?
            } else if name.eq(intern!(py, "stack_info"))? {
                self.wants_stack = value.is_truthy()?;
                true
            } else if name.eq(intern!(py, "stacklevel"))? {
                self.stack_level = value.cast_into_exact().ok();
                self.stack_level.is_some()
            } else {
                false
            };
            if !usual {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take_extra(&mut self, extra: Bound<'py, PyAny>) -> bool {
        if extra.is_none() {
            return true;
        }
        let Ok(extra) = extra.cast_into_exact::<PyDict>() else { return false };
        // SAFETY: the entry holds its key.
        let is_free =
            |key: &Bound<'_, PyAny>| unsafe { plain::text(key.as_ptr()) }.is_some_and(fields::is_free_name);
        let free = interpreter::entries(&extra).all(|(key, _)| is_free(&key));
        self.extra = free.then_some(extra);
        free
    }

    fn take_exception(&mut self, given: &Bound<'py, PyAny>) -> PyResult<bool> {
        let exception = logger::exception_triple(given)?;
        self.has_exception = exception.is_truthy()?;
        let usual = exception.cast_exact::<PyTuple>().is_ok_and(|triple| triple.len() == 3);
        self.exc_info = Some(exception);
        Ok(usual || !self.has_exception)
    }
}
