//! The extra fields of a record on the shortest way: values of the interpreter's own classes, written from where they
//! lie. Nothing runs meanwhile, so that nobody changes the dicts, and all is borrowed.
//!
//! Where another kind of value is met, the line is given up, and the record goes the way of all others, which writes the
//! same for those that are met here.

use std::cell::{Cell, RefCell};

use duramen::Value;
use duramen::formatter::json::{Details, ExceptionPart, ExtraWriter, Members, ValueWriter};
use duramen::formatter::message::Argument;
use duramen::redact::{Redactor as Rules, Verdict};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use smallvec::SmallVec;

use crate::interpreter::plain;
use crate::record::fields;

/// What only the other ways can write.
#[derive(Debug)]
pub(crate) struct NotPlain;

/// The dicts that the extra fields of a record stand in. They are exact dicts, and live.
#[derive(Clone, Copy, Default)]
pub(crate) struct PlainFields<'a, 'py> {
    /// A message that is a dict. Fields of the same name that stand elsewhere are shown in the place of its own.
    pub(crate) message: Option<Borrowed<'a, 'py, PyDict>>,
    /// Whether the entry `message` of that is shown as the text of the message.
    pub(crate) is_message_shown: bool,
    pub(crate) extra: Option<Borrowed<'a, 'py, PyDict>>,
    /// Those that are bound, and those of the span. Of fields with the same name those of the call stay, then the first.
    pub(crate) bound: [Option<Borrowed<'a, 'py, PyDict>>; 2],
}

impl PlainFields<'_, '_> {
    pub(crate) fn are_none(&self) -> bool {
        self.message.is_none() && self.extra.is_none() && self.bound.iter().all(Option::is_none)
    }

    /// Whether `extra` holds names that a record takes, and no others.
    #[inline]
    pub(crate) fn extra_is_free(&self) -> bool {
        self.extra.is_none_or(has_free_names)
    }
}

/// The fields that a layout shows, with their values.
pub(crate) type Shown<'a> = SmallVec<[(&'a str, Value<'a>); 2]>;

/// Puts the fields called `names` together, of which `find` gives the values.
///
/// # Errors
/// Where one is missing, or the interpreter has to be asked for its text.
///
/// # Safety
/// What `find` gives, which runs nothing, is live for `'a`.
#[inline(never)]
pub(crate) unsafe fn shown<'a>(
    py: Python<'_>,
    names: &'a [Py<PyString>],
    mut find: impl FnMut(&Bound<'_, PyString>) -> Option<Object>,
) -> Result<Shown<'a>, NotPlain> {
    let mut shown = Shown::new();
    for name in names {
        let value = find(name.bind(py)).ok_or(NotPlain)?;
        // SAFETY: by the contract, and `names` hold the name.
        let (text, value) = unsafe { (plain::text(name.as_ptr()), plain::argument(value)) };
        let value = match value.ok_or(NotPlain)? {
            Argument::Text(text) => Value::Text(text.into()),
            Argument::Integer(number) => Value::Integer(number),
            Argument::Float(number) => Value::Float(number),
            Argument::Bool(truth) => Value::Bool(truth),
            Argument::None => Value::Null,
        };
        shown.push((text.ok_or(NotPlain)?, value));
    }
    Ok(shown)
}

impl<'a> PlainFields<'a, '_> {
    /// The fields called `names`, if any are asked for, as [`shown`] gives them.
    #[inline]
    pub(crate) fn shown(
        &self,
        py: Python<'_>,
        names: &'a [Py<PyString>],
    ) -> Result<Option<Shown<'a>>, NotPlain> {
        if names.is_empty() { Ok(None) } else { self.find_shown(py, names).map(Some) }
    }

    #[inline(never)]
    fn find_shown(&self, py: Python<'_>, names: &'a [Py<PyString>]) -> Result<Shown<'a>, NotPlain> {
        let [bound, span] = self.bound;
        let sources = [self.extra, bound, span];
        for source in sources.into_iter().flatten() {
            has_plain_names(source)?;
        }
        let find = |name: &Bound<'_, PyString>| {
            sources.into_iter().flatten().find_map(|source| value_of(source, name))
        };
        // SAFETY: the dicts, which nobody changes meanwhile, hold their values.
        unsafe { shown(py, names, find) }
    }
}

/// The value in a dict of which all keys are exact texts: nothing runs.
fn value_of(dict: Borrowed<'_, '_, PyDict>, name: &Bound<'_, PyString>) -> Option<Object> {
    // SAFETY: a live dict and a text; exact texts fail neither to be hashed nor compared.
    let value = unsafe { ffi::PyDict_GetItemWithError(dict.as_ptr(), name.as_ptr()) };
    (!value.is_null()).then_some(value)
}

type Object = *mut ffi::PyObject;

/// The entries of a dict that nobody changes meanwhile, borrowed from it.
pub(crate) fn entries(dict: Borrowed<'_, '_, PyDict>) -> impl Iterator<Item = (Object, Object)> {
    let (dict, mut position) = (dict.as_ptr(), 0);
    // SAFETY: a live dict.
    let length = unsafe { ffi::PyDict_Size(dict) };
    (0..length).map_while(move |_| {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: a live dict, and `position` is what the last call left.
        let found = unsafe { ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) };
        (found != 0).then_some((key, value))
    })
}

/// The text of a message that is a dict: that of its entry `message`, if it has one.
///
/// # Errors
/// Where that is no exact text.
pub(crate) fn message_text<'a>(dict: Borrowed<'a, '_, PyDict>) -> Result<&'a str, NotPlain> {
    // SAFETY: the dict holds its keys and values.
    let text = |object| unsafe { plain::text(object) };
    let entry = entries(dict).find(|(name, _)| text(*name) == Some("message"));
    entry.map_or(Ok(""), |(_, value)| text(value).ok_or(NotPlain))
}

/// Whether the dict has this name. All of its keys are exact texts, and `name` is one: nothing runs.
fn has(dict: Option<Borrowed<'_, '_, PyDict>>, name: Object) -> bool {
    // SAFETY: a live dict, and a name that another live dict holds. Exact texts fail neither to be hashed nor compared.
    dict.is_some_and(|dict| unsafe { ffi::PyDict_Contains(dict.as_ptr(), name) } == 1)
}

/// What a formatter has written before and may write again.
#[derive(Default)]
pub(crate) struct KeptTexts {
    keys: KeptKeys,
    bound: Option<KeptBound>,
}

/// The texts before values, by the interned texts that are the fields' names.
struct KeptKeys([Option<KeptKey>; KeptKeys::SIZE]);

struct KeptKey {
    /// Held, so that no other text gets its address.
    name: Py<PyString>,
    text: Box<[u8]>,
}

/// The fields that were bound last.
struct KeptBound {
    /// Held, so that no other dict gets the address of one; neither they nor their values ever change.
    dicts: [Option<Py<PyDict>>; 2],
    text: Vec<u8>,
}

impl KeptBound {
    #[inline]
    fn is_of(&self, bound: [Option<Borrowed<'_, '_, PyDict>>; 2]) -> bool {
        self.dicts
            .iter()
            .zip(bound)
            .all(|(kept, bound)| kept.as_ref().map(Py::as_ptr) == bound.map(Borrowed::as_ptr))
    }
}

/// Longer texts are not kept.
const LONGEST: usize = 4096;

impl Default for KeptKeys {
    fn default() -> Self {
        Self([const { None }; Self::SIZE])
    }
}

impl KeptKeys {
    const SIZE: usize = 64;

    /// Where a name may be kept. What is kept stays: nothing has to be let go on the shortest way.
    fn places(name: Object) -> [usize; 2] {
        let mixed = (name as usize >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        [mixed >> 58, (mixed >> 52) % Self::SIZE]
    }

    #[inline]
    fn find(&self, name: Object) -> Option<&[u8]> {
        let kept = |place: usize| self.0[place].as_ref().filter(|key| key.name.as_ptr() == name);
        let [first, second] = Self::places(name);
        kept(first).or_else(|| kept(second)).map(|key| &*key.text)
    }

    #[cold]
    fn keep(&mut self, name: Bound<'_, PyString>, text: Vec<u8>) {
        let free = Self::places(name.as_ptr()).into_iter().find(|place| self.0[*place].is_none());
        if let Some(place) = free.filter(|_| text.len() <= LONGEST) {
            self.0[place] = Some(KeptKey { name: name.unbind(), text: text.into() });
        }
    }
}

/// Writes the extra fields of one record.
pub(crate) struct PlainDetails<'a, 'py> {
    py: Python<'py>,
    fields: PlainFields<'a, 'py>,
    /// So many containers may stand inside each other.
    deepest: usize,
    /// Nothing in the fields may be for these rules to mask.
    masking: Option<&'a Rules>,
    kept: &'a RefCell<KeptTexts>,
    has_looked: Cell<bool>,
}

impl<'a, 'py> PlainDetails<'a, 'py> {
    pub(crate) fn new(
        py: Python<'py>,
        fields: PlainFields<'a, 'py>,
        deepest: usize,
        masking: Option<&'a Rules>,
        kept: &'a RefCell<KeptTexts>,
    ) -> Self {
        Self { py, fields, deepest, masking, kept, has_looked: Cell::new(false) }
    }

    /// Whether the line that was written is good: all fields were looked at.
    pub(crate) fn are_good(&self) -> bool {
        self.has_looked.get() || (self.masking.is_none() && self.fields.extra_is_free())
    }

    /// Writes a field of the call, or one that is bound.
    #[inline]
    fn write_field(
        &self,
        (name, value): (Object, Object),
        keys: &mut KeptKeys,
        extra: &mut ExtraWriter<'_>,
    ) -> Result<(), NotPlain> {
        if self.masking.is_none()
            && let Some(key) = keys.find(name)
        {
            return extra.kept(key, |place| self.write(value, place));
        }
        self.write_other_field((name, value), keys, extra)
    }

    fn write_other_field(
        &self,
        (name, value): (Object, Object),
        keys: &mut KeptKeys,
        extra: &mut ExtraWriter<'_>,
    ) -> Result<(), NotPlain> {
        // SAFETY: a dict holds the name.
        let text = unsafe { plain::text(name) }.filter(|text| fields::is_free_name(text)).ok_or(NotPlain)?;
        if let Some(rules) = self.masking {
            // SAFETY: a dict holds the value.
            unsafe { stays(rules, text, value) }.then_some(()).ok_or(NotPlain)?;
        // SAFETY: it is exact text.
        } else if unsafe { plain::is_interned(name) }
            && let Some(key) = extra.key_to_keep(text)
        {
            // SAFETY: as above.
            keys.keep(unsafe { Bound::from_borrowed_ptr(self.py, name).cast_into_unchecked() }, key);
        }
        extra.field(text, |place| self.write(value, place))
    }

    /// Writes the fields of a message that is a dict.
    fn write_message(
        &self,
        message: Borrowed<'_, '_, PyDict>,
        extra: &mut ExtraWriter<'_>,
    ) -> Result<(), NotPlain> {
        let [bound, span] = self.fields.bound;
        let others = [self.fields.extra, bound, span];
        for other in others.into_iter().flatten() {
            has_plain_names(other)?;
        }
        for (name, value) in entries(message) {
            // SAFETY: the dict holds the name.
            let text = unsafe { plain::text(name) }.ok_or(NotPlain)?;
            if self.fields.is_message_shown && text == "message" {
                continue;
            }
            if fields::is_own_attribute(text) || !others.into_iter().any(|other| has(other, name)) {
                extra.entry(text, |place| self.write(value, place))?;
            }
        }
        Ok(())
    }

    fn write_bound(&self, kept: &mut KeptTexts, extra: &mut ExtraWriter<'_>) -> Result<(), NotPlain> {
        let given = self.fields.extra;
        let [first, second] = self.fields.bound;
        let last = kept.bound.as_ref().filter(|last| last.is_of([first, second]));
        if last.is_none() {
            [first, second].into_iter().flatten().try_for_each(has_plain_names)?;
        }
        // The names of `extra` are plain: they have just been written.
        let is_free = |name| !has(first, name) && !has(second, name);
        let is_alone = given.is_none_or(|given| entries(given).all(|(name, _)| is_free(name)));
        if let Some(last) = last.filter(|_| is_alone && self.masking.is_none()) {
            return extra.kept(&last.text, |_| Ok(()));
        }
        let start = extra.position();
        let mut is_constant = is_alone && self.masking.is_none();
        for (bound, before) in [(first, None), (second, first)] {
            for (name, value) in bound.into_iter().flat_map(entries) {
                if (is_alone || !has(given, name)) && !has(before, name) {
                    self.write_field((name, value), &mut kept.keys, extra)?;
                }
                // SAFETY: the dict holds the value.
                is_constant &= unsafe { plain::argument(value) }.is_some();
            }
        }
        if let Some(text) = extra.since(start).filter(|text| is_constant && text.len() <= LONGEST) {
            let held = |dict: Borrowed<'_, '_, PyDict>| dict.to_owned().unbind();
            let now = KeptBound { dicts: [first, second].map(|dict| dict.map(held)), text: text.to_vec() };
            if let Some(last) = kept.bound.replace(now) {
                // Let go without asking whether the thread is attached. Nothing runs: they hold plain values alone.
                drop(last.dicts.map(|dict| dict.map(|dict| dict.into_bound(self.py))));
            }
        }
        Ok(())
    }

    #[inline]
    fn write(&self, value: Object, place: ValueWriter<'_>) -> Result<(), NotPlain> {
        // SAFETY: a dict holds the value, and nothing runs.
        unsafe { write(value, place, self.deepest) }
    }
}

impl Details for PlainDetails<'_, '_> {
    type Error = NotPlain;

    fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> Result<(), NotPlain> {
        let mut kept = self.kept.try_borrow_mut().map_err(|_| NotPlain)?;
        if let Some(message) = self.fields.message {
            self.write_message(message, extra)?;
        }
        if let Some(given) = self.fields.extra {
            for field in entries(given) {
                self.write_field(field, &mut kept.keys, extra)?;
            }
        }
        if self.fields.bound.iter().any(Option::is_some) {
            self.write_bound(&mut kept, extra)?;
        }
        self.has_looked.set(true);
        Ok(())
    }

    fn write_named(&self, name: &str, place: ValueWriter<'_>) -> Result<bool, NotPlain> {
        let PlainFields { message, extra, bound: [bound, span], .. } = self.fields;
        for source in [extra, bound, span, message].into_iter().flatten() {
            has_plain_names(source)?;
            // SAFETY: the dict holds its keys.
            let found = entries(source).find(|(key, _)| unsafe { plain::text(*key) } == Some(name));
            if let Some((_, value)) = found {
                return self.write(value, place).map(|()| true);
            }
        }
        Ok(false)
    }

    fn write_part(&self, _part: ExceptionPart, _place: ValueWriter<'_>) -> Result<bool, NotPlain> {
        Ok(false)
    }

    fn write_exception(&self, _members: &mut Members<'_>) -> Result<bool, NotPlain> {
        Ok(false)
    }
}

#[inline(never)]
fn has_free_names(dict: Borrowed<'_, '_, PyDict>) -> bool {
    // SAFETY: the dict holds its keys.
    entries(dict).all(|(name, _)| unsafe { plain::text(name) }.is_some_and(fields::is_free_name))
}

/// Refuses a dict with keys that are no exact texts.
fn has_plain_names(dict: Borrowed<'_, '_, PyDict>) -> Result<(), NotPlain> {
    // SAFETY: the dict holds its keys.
    entries(dict).all(|(name, _)| unsafe { plain::text(name) }.is_some()).then_some(()).ok_or(NotPlain)
}

/// Whether masking leaves the field alone, as far as that is known.
///
/// # Safety
/// `value` is live, and the thread is attached.
unsafe fn stays(rules: &Rules, name: &str, value: Object) -> bool {
    if rules.known_verdict_of(name) != Some(Verdict::Search) {
        return false;
    }
    // SAFETY: by the contract.
    match unsafe { plain::argument(value) } {
        Some(Argument::Text(text)) => rules.masked_text(text).is_unchanged(),
        Some(Argument::Integer(number)) => rules.masked_text(&number.to_string()).is_unchanged(),
        Some(Argument::Float(_) | Argument::Bool(_) | Argument::None) => true,
        None => false,
    }
}

/// Writes a value that is text, a number, a truth, `None`, or a dict, a list or a tuple of such, `levels` deep at most.
///
/// # Safety
/// `value` is live, the thread is attached, and nothing runs.
#[inline]
unsafe fn write(value: Object, place: ValueWriter<'_>, levels: usize) -> Result<(), NotPlain> {
    // SAFETY: by the contract.
    match unsafe { plain::argument(value) } {
        Some(Argument::Text(text)) => place.text(text),
        Some(Argument::Integer(number)) => place.integer(number),
        Some(Argument::Float(number)) => place.float(number),
        Some(Argument::Bool(truth)) => place.boolean(truth),
        Some(Argument::None) => place.null(),
        // SAFETY: by the contract.
        None => return unsafe { write_container(value, place, levels) },
    }
    Ok(())
}

/// # Safety
/// As for [`write`].
#[inline(never)]
unsafe fn write_container(value: Object, place: ValueWriter<'_>, levels: usize) -> Result<(), NotPlain> {
    // Cycles end here too.
    let levels = levels.checked_sub(1).ok_or(NotPlain)?;
    // SAFETY: by the contract; a container holds what is in it, and its class is looked at first.
    unsafe {
        let class = ffi::Py_TYPE(value);
        if class == &raw mut ffi::PyDict_Type {
            let dict = Borrowed::from_ptr(Python::assume_attached(), value).cast_unchecked();
            return place.object(|members| {
                entries(dict).try_for_each(|(name, value)| {
                    write(value, members.member(plain::text(name).ok_or(NotPlain)?), levels)
                })
            });
        }
        let item: unsafe fn(Object, isize) -> Object = if class == &raw mut ffi::PyList_Type {
            |list, index| ffi::PyList_GET_ITEM(list, index)
        } else if class == &raw mut ffi::PyTuple_Type {
            |tuple, index| ffi::PyTuple_GET_ITEM(tuple, index)
        } else {
            return Err(NotPlain);
        };
        place.list(|elements| {
            (0..ffi::Py_SIZE(value))
                .try_for_each(|index| write(item(value, index), elements.element(), levels))
        })
    }
}
