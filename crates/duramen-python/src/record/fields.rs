//! The names of a record's own attributes, which extra fields stand beside.

use duramen::formatter::Field;
pub(crate) use duramen::record::is_attribute as is_own_attribute;

use crate::record::shape::Attribute;

/// The fields of a record that are text, with their attributes.
pub(crate) const TEXTS: [(Field, Attribute); 9] = [
    (Field::Name, Attribute::Name),
    (Field::Levelname, Attribute::Levelname),
    (Field::Pathname, Attribute::Pathname),
    (Field::Filename, Attribute::Filename),
    (Field::Module, Attribute::Module),
    (Field::FuncName, Attribute::FuncName),
    (Field::ThreadName, Attribute::ThreadName),
    (Field::ProcessName, Attribute::ProcessName),
    (Field::TaskName, Attribute::TaskName),
];

/// Whether `extra` may hold a field of this name without changing what the record does.
pub(crate) fn is_free_name(name: &str) -> bool {
    !is_own_attribute(name) && name != "getMessage" && !name.starts_with("__")
}
