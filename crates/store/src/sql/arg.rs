//! What goes into a statement and what comes out of a row.

use std::borrow::Cow;

/// A value for a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arg<'a> {
    /// Nothing.
    Null,
    /// A number, an amount, a time, a flag.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

impl Arg<'_> {
    /// The same, owning what it holds.
    pub(crate) fn to_owned_arg(&self) -> Arg<'static> {
        match self {
            Self::Null => Arg::Null,
            Self::Int(number) => Arg::Int(*number),
            Self::Text(text) => Arg::Text(text.clone().into_owned().into()),
            Self::Blob(bytes) => Arg::Blob(bytes.clone().into_owned().into()),
        }
    }
}

/// What can stand for a placeholder.
pub(crate) trait ToArg {
    /// As it is stored.
    fn arg(&self) -> Arg<'_>;
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl ToArg for $number {
            fn arg(&self) -> Arg<'_> {
                Arg::Int(i64::from(*self))
            }
        }
    )+};
}

numbers!(i64, i32, u32, u16, u8, bool);

impl ToArg for str {
    fn arg(&self) -> Arg<'_> {
        Arg::Text(self.into())
    }
}

impl ToArg for String {
    fn arg(&self) -> Arg<'_> {
        Arg::Text(self.as_str().into())
    }
}

impl ToArg for Vec<u8> {
    fn arg(&self) -> Arg<'_> {
        Arg::Blob(self.as_slice().into())
    }
}

impl ToArg for [u8; 32] {
    fn arg(&self) -> Arg<'_> {
        Arg::Blob(self.as_slice().into())
    }
}

impl<T: ToArg> ToArg for Option<T> {
    fn arg(&self) -> Arg<'_> {
        self.as_ref().map_or(Arg::Null, ToArg::arg)
    }
}

impl<T: ToArg + ?Sized> ToArg for &T {
    fn arg(&self) -> Arg<'_> {
        (**self).arg()
    }
}

/// Values for the placeholders of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::sql::arg::ToArg::arg(&$value)),*]
    };
}
pub(crate) use params;

/// A cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A number, an amount, a time, a flag.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// What a cell can become.
pub(crate) trait FromValue: Sized {
    /// The value, if the cell holds one of this kind.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }
}

macro_rules! smaller {
    ($($number:ty),+) => {$(
        impl FromValue for $number {
            fn from_value(value: Value<'_>) -> Option<Self> {
                i64::from_value(value).and_then(|number| number.try_into().ok())
            }
        }
    )+};
}

smaller!(i32, u32, u16, u8);

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl FromValue for [u8; 32] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}
