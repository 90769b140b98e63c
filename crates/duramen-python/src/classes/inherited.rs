//! Subclasses that have left methods as `logging` has them.

use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::interpreter;
use crate::interpreter::intern;
use crate::way::remembered::{Finding, Remembered};

/// Methods, by their names and by their names with that of the class which defines them.
type Methods = &'static [(&'static str, &'static str)];

/// Which classes have inherited certain methods, native ones, from those of `logging`.
pub(crate) struct Inherited {
    methods: Methods,
    classes: Remembered<Answer>,
}

struct Answer {
    /// The version tag of the class when it was looked at.
    version: u32,
    inherits: bool,
}

impl Finding for Answer {
    fn is_abandoned(&self) -> bool {
        false
    }
}

impl Inherited {
    pub(crate) const fn new(methods: Methods) -> Self {
        Self { methods, classes: Remembered::new() }
    }

    pub(crate) fn methods(&self) -> Methods {
        self.methods
    }

    /// Whether `class` has all of the methods from `logging`. An instance may have others.
    pub(crate) fn is_in(&self, class: &Bound<'_, PyType>) -> PyResult<bool> {
        let version = interpreter::type_version(class);
        if let Some(known) = self.classes.find(class.as_any(), |known| version == Some(known.version)) {
            return Ok(known.inherits);
        }
        let py = class.py();
        let mut inherits = true;
        for (name, qualified) in self.methods {
            // Whatever has the methods that are called can stand where a subclass is expected.
            let Some(method) = class.getattr_opt(PyString::intern(py, name))? else {
                inherits = false;
                continue;
            };
            let native = interpreter::is_native_function(&method) || interpreter::is_slot(&method);
            inherits &= native && method.getattr(intern!(py, "__qualname__"))?.eq(qualified)?;
        }
        // Looking the methods up has given the class a tag, unless the interpreter has none left.
        let version = interpreter::type_version(class).unwrap_or(0);
        let answer: Rc<Answer> = self.classes.put(class.as_any(), Answer { version, inherits });
        Ok(answer.inherits)
    }
}
