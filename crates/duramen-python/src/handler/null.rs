//! `NullHandler`: takes records and does nothing.

use pyo3::prelude::*;

use crate::classes::native_method::{Call, Method};
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[
    ("handle", do_nothing),
    ("emit", do_nothing),
    ("createLock", have_no_lock),
    ("_at_fork_reinit", do_nothing),
];

fn do_nothing<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.none()
}

fn have_no_lock<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.setattr(intern!(call.py(), "lock"), call.py().None())?;
    call.none()
}
