//! Layouts that were compiled, by the class of the style and its text.

use std::collections::HashMap;
use std::sync::Arc;

use duramen::formatter::{Field, Layout, brace, dollar, percent};
use parking_lot::RwLock;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::classes;
use crate::classes::globals;

/// `None` where only the interpreter renders it.
type Layouts = HashMap<&'static str, HashMap<String, Option<Arc<Layout>>>>;

static LAYOUTS: RwLock<Option<Layouts>> = RwLock::new(None);

/// A program that makes layouts without end must not fill the memory.
const MOST_LAYOUTS: usize = 1024;

/// The layout of `style` with this text; `None` where only the interpreter renders it.
pub(crate) fn compiled(style: &Bound<'_, PyAny>, text: &Bound<'_, PyString>) -> Option<Arc<Layout>> {
    let class = classes::known(style).map_or("", |class| class.name);
    // Lone surrogates have no UTF-8 form.
    let text = text.to_str().ok()?;
    let known = LAYOUTS.read();
    if let Some(layout) = known.as_ref().and_then(|layouts| layouts.get(class)?.get(text)) {
        return layout.clone();
    }
    drop(known);
    // Before CPython 3.12 records have no name of a task, and what a layout that asks for it does is an error.
    let exists = |layout: &Layout| globals::python_minor(style.py()) >= 12 || !layout.uses(Field::TaskName);
    let layout = compile(class, text).filter(exists).map(Arc::new);
    let mut known = LAYOUTS.write();
    let layouts = known.get_or_insert_default().entry(class).or_default();
    if layouts.len() >= MOST_LAYOUTS {
        layouts.clear();
    }
    layouts.insert(text.to_owned(), layout.clone());
    layout
}

/// Extra fields are attributes that a record has or has not: the interpreter says what comes of one that is missing.
fn compile(class: &str, text: &str) -> Option<Layout> {
    match class {
        "PercentStyle" => percent::compile_with_extra(text).ok(),
        "StrFormatStyle" => brace::compile_with_extra(text).ok(),
        "StringTemplateStyle" => dollar::compile_with_extra(text).ok(),
        _ => None,
    }
}
