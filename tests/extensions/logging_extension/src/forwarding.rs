//! A backend of the `log` crate that forwards to Duramen's loggers.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt::Write as _;

use log::kv::{self, VisitSource};

#[repr(C)]
pub struct Text {
    bytes: *const u8,
    length: usize,
}

#[repr(C)]
pub struct Field {
    name: Text,
    value: Text,
}

#[repr(C)]
pub struct Message {
    logger: Text,
    level: c_int,
    text: Text,
    file: Text,
    line: c_int,
    function: Text,
    fields: *const Field,
    field_count: usize,
}

#[repr(C)]
pub struct Forwarder {
    version: u32,
    is_enabled: unsafe extern "C" fn(Text, c_int) -> c_int,
    forward: unsafe extern "C" fn(*const Message) -> c_int,
    flush: unsafe extern "C" fn() -> c_int,
}

unsafe extern "C" {
    fn PyImport_ImportModule(name: *const c_char) -> *mut c_void;
    fn PyCapsule_Import(name: *const c_char, no_block: c_int) -> *mut c_void;
}

const MODULE: &CStr = c"duramen.extensions";
const CAPSULE: &CStr = c"duramen.extensions.forwarder";

impl Text {
    fn of(text: &str) -> Self {
        Self { bytes: text.as_ptr(), length: text.len() }
    }
}

/// `None` where Duramen is not there; the interpreter then has an error set.
///
/// # Safety
/// The thread holds the interpreter.
pub unsafe fn forwarder() -> Option<&'static Forwarder> {
    // SAFETY: by the contract. The table is static; its functions may be called by any thread.
    unsafe {
        if PyImport_ImportModule(MODULE.as_ptr()).is_null() {
            return None;
        }
        let forwarder = PyCapsule_Import(CAPSULE.as_ptr(), 0).cast::<Forwarder>();
        forwarder.as_ref().filter(|forwarder| forwarder.version >= 1)
    }
}

pub struct Backend(pub &'static Forwarder);

impl log::Log for Backend {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        let name = metadata.target().replace("::", ".");
        // SAFETY: the text lives while the function runs.
        unsafe { (self.0.is_enabled)(Text::of(&name), level_of(metadata.level())) == 1 }
    }

    fn log(&self, record: &log::Record<'_>) {
        let (name, text) = (record.target().replace("::", "."), record.args().to_string());
        let mut given = Given(Vec::new());
        let _ = record.key_values().visit(&mut given);
        let fields: Vec<_> =
            given.0.iter().map(|(name, value)| Field { name: Text::of(name), value: Text::of(value) }).collect();
        let message = Message {
            logger: Text::of(&name),
            level: level_of(record.level()),
            text: Text::of(&text),
            file: Text::of(record.file().unwrap_or_default()),
            line: record.line().and_then(|line| line.try_into().ok()).unwrap_or(0),
            function: Text::of(""),
            fields: fields.as_ptr(),
            field_count: fields.len(),
        };
        // SAFETY: what the message points to lives while the function runs.
        unsafe { (self.0.forward)(&message) };
    }

    fn flush(&self) {
        // SAFETY: it has no condition.
        unsafe { (self.0.flush)() };
    }
}

fn level_of(level: log::Level) -> c_int {
    match level {
        log::Level::Error => 40,
        log::Level::Warn => 30,
        log::Level::Info => 20,
        log::Level::Debug => 10,
        log::Level::Trace => 5,
    }
}

struct Given(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Given {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let mut text = String::new();
        let _ = write!(text, "{value}");
        self.0.push((key.to_string(), text));
        Ok(())
    }
}
