//! What can be a field's value.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::Value;

/// What a field can hold with its type, as in `info!(log, "paid"; amount = 12.5)`.
///
/// It is there for integers, floats, `bool`, `char`, texts, `()`, [`Option`], slices and vectors, maps with texts as
/// keys, [`Value`] itself, and references and smart pointers to these. An `f32` becomes the `f64` that is the same number,
/// with the digits that this has. All else goes by its `Display`
/// (`key = %value`) or its `Debug` (`key = ?value`), or has this trait:
///
/// ```
/// use duramen::{Value, value::ToValue};
///
/// struct UserId(u32);
///
/// impl ToValue for UserId {
///     fn to_value(&self) -> Value<'_> {
///         self.0.to_value()
///     }
/// }
///
/// assert_eq!(UserId(7).to_value(), Value::Integer(7));
/// assert_eq!(Some("ada").to_value(), Value::Text("ada".into()));
/// assert_eq!(u64::MAX.to_value(), Value::BigInteger("18446744073709551615".into()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no typed value of a field",
    note = "write `key = %value` for its `Display`, `key = ?value` for its `Debug`, or implement `ToValue`"
)]
pub trait ToValue {
    /// The value. It borrows texts, so that numbers and texts need no memory of their own; whole numbers beyond 64
    /// bits with a sign, lists and maps do.
    fn to_value(&self) -> Value<'_>;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl ToValue for $integer {
            fn to_value(&self) -> Value<'_> {
                Value::Integer((*self).into())
            }
        }
    )*};
}

macro_rules! integers_that_may_be_larger {
    ($($integer:ty),*) => {$(
        impl ToValue for $integer {
            fn to_value(&self) -> Value<'_> {
                let integer = i64::try_from(*self).map(Value::Integer);
                integer.unwrap_or_else(|_| Value::BigInteger(self.to_string().into()))
            }
        }
    )*};
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: ToValue + ?Sized> ToValue for $pointer {
            fn to_value(&self) -> Value<'_> {
                (**self).to_value()
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32);
integers_that_may_be_larger!(isize, i128, u64, usize, u128);
pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        self.borrowed()
    }
}

impl ToValue for () {
    fn to_value(&self) -> Value<'_> {
        Value::Null
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl ToValue for f32 {
    fn to_value(&self) -> Value<'_> {
        Value::Float((*self).into())
    }
}

impl ToValue for f64 {
    fn to_value(&self) -> Value<'_> {
        Value::Float(*self)
    }
}

impl ToValue for char {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.to_string().into())
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.into())
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        self.as_str().to_value()
    }
}

impl<T: ToValue + ToOwned + ?Sized> ToValue for Cow<'_, T> {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: ToValue> ToValue for [T] {
    fn to_value(&self) -> Value<'_> {
        Value::List(self.iter().map(ToValue::to_value).collect())
    }
}

impl<T: ToValue, const N: usize> ToValue for [T; N] {
    fn to_value(&self) -> Value<'_> {
        self.as_slice().to_value()
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_slice().to_value()
    }
}

impl<K: AsRef<str>, T: ToValue> ToValue for BTreeMap<K, T> {
    fn to_value(&self) -> Value<'_> {
        map_of(self)
    }
}

impl<K: AsRef<str>, T: ToValue, S> ToValue for HashMap<K, T, S> {
    fn to_value(&self) -> Value<'_> {
        map_of(self)
    }
}

fn map_of<'a, K: AsRef<str> + 'a, T: ToValue + 'a>(
    entries: impl IntoIterator<Item = (&'a K, &'a T)>,
) -> Value<'a> {
    Value::Map(
        entries.into_iter().map(|(key, value)| (Cow::Borrowed(key.as_ref()), value.to_value())).collect(),
    )
}
