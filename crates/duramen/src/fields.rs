//! Fields that are bound: to a logger, or to a thread.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::Value;
use crate::record::is_attribute;
use crate::value::ToValue;

/// Fields in the order in which they were first bound. A list never changes, so that its clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Option<Arc<[Field]>>);

type Field = (Cow<'static, str>, Value<'static>);

impl Fields {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.0.iter().flat_map(|fields| fields.iter()).map(|(name, value)| (&**name, value.borrowed()))
    }

    /// These fields and `more`, of which those with the same name replace earlier ones.
    pub(crate) fn with<K: Into<Cow<'static, str>>, V: ToValue>(
        &self,
        more: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let mut fields = self.0.as_deref().unwrap_or_default().to_vec();
        for (name, value) in more {
            let name = on_records(name.into());
            let value = value.to_value().into_owned();
            match fields.iter_mut().find(|(other, _)| *other == name) {
                Some((_, place)) => *place = value,
                None => fields.push((name, value)),
            }
        }
        Self::from(fields)
    }

    /// These fields but those called so.
    pub(crate) fn without<K: AsRef<str>>(&self, names: impl IntoIterator<Item = K>) -> Self {
        let mut fields = self.0.as_deref().unwrap_or_default().to_vec();
        for name in names {
            let name = on_records(Cow::Borrowed(name.as_ref()));
            fields.retain(|(other, _)| *other != name);
        }
        Self::from(fields)
    }

    pub(crate) fn to_vec(&self) -> Vec<(String, Value<'static>)> {
        self.iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect()
    }
}

impl From<Vec<Field>> for Fields {
    fn from(fields: Vec<Field>) -> Self {
        Self(if fields.is_empty() { None } else { Some(fields.into()) })
    }
}

/// The fields of one record. So many need no memory of their own.
pub(crate) type Joined<'f> = SmallVec<[(&'f str, Value<'f>); 16]>;

/// The fields of a call, then those of the others that have another name than all before.
pub(crate) fn joined<'f>(
    given: &'f [(&'f str, Value<'f>)],
    others: impl IntoIterator<Item = (&'f str, Value<'f>)>,
) -> Joined<'f> {
    let mut all: Joined<'f> = given.iter().map(|(name, value)| (*name, value.borrowed())).collect();
    for (name, value) in others {
        if !all.iter().any(|(other, _)| *other == name) {
            all.push((name, value));
        }
    }
    all
}

/// The name that a bound field has on records, the same as in Python: those of a record's own attributes get an underscore.
fn on_records(name: Cow<'_, str>) -> Cow<'_, str> {
    if is_attribute(&name) || name == "getMessage" || name.starts_with("__") {
        Cow::Owned(format!("{name}_"))
    } else {
        name
    }
}
