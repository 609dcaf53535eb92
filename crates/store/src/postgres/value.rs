//! Values on their way to PostgreSQL and back.

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::sql::fault::Fault;
use crate::sql::{Arg, Source, Value};

type Refusal = Box<dyn std::error::Error + Sync + Send>;

/// Type of a placeholder for which this is the first value.
pub(super) fn type_of(arg: &Arg<'_>) -> Type {
    match arg {
        Arg::Null => Type::UNKNOWN,
        Arg::Int(_) => Type::INT8,
        Arg::Text(_) => Type::TEXT,
        Arg::Blob(_) => Type::BYTEA,
    }
}

impl ToSql for Arg<'_> {
    /// As the server wants it: it decides the type of each placeholder.
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Refusal> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => whole(*number, wanted, out),
            Self::Text(text) if text.contains('\0') => {
                // PostgreSQL keeps no zero character
                text.replace('\0', "\u{FFFD}").to_sql(wanted, out)
            }
            Self::Text(text) => text.as_ref().to_sql(wanted, out),
            Self::Blob(bytes) => bytes.as_ref().to_sql(wanted, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn whole(number: i64, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Refusal> {
    match *wanted {
        Type::BOOL => (number != 0).to_sql(wanted, out),
        Type::INT4 => i32::try_from(number)?.to_sql(wanted, out),
        Type::INT2 => i16::try_from(number)?.to_sql(wanted, out),
        Type::INT8 => number.to_sql(wanted, out),
        _ => Err(format!("a number cannot stand for {wanted}").into()),
    }
}

/// A NUMERIC without a fraction, which is what sums of whole numbers are.
struct Whole(i64);

impl<'a> FromSql<'a> for Whole {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Refusal> {
        let (head, digits) = raw.split_at_checked(8).ok_or("too short")?;
        let word = |at: usize| i16::from_be_bytes([head[at], head[at + 1]]);
        let (weight, sign) = (word(2), word(4));
        let mut number: i128 = 0;
        let (digits, _) = digits.as_chunks::<2>();
        for digit in digits {
            number = number * 10_000 + i128::from(i16::from_be_bytes(*digit));
        }
        let missing = i32::from(weight) + 1 - i32::try_from(digits.len())?;
        let zeros = u32::try_from(missing).map_err(|_| "not a whole number")?;
        let scaled = 10_000_i128
            .checked_pow(zeros)
            .and_then(|scale| number.checked_mul(scale));
        let number = scaled.ok_or("too large")?;
        let number = if sign == 0x4000 { -number } else { number };
        Ok(Self(i64::try_from(number)?))
    }

    fn accepts(found: &Type) -> bool {
        *found == Type::NUMERIC
    }
}

impl Source for tokio_postgres::Row {
    fn cell(&self, at: usize) -> Result<Value<'_>, Fault> {
        let Some(column) = self.columns().get(at) else {
            return Err(Fault::Wrong(format!("corrupt row: it has no column {at}")));
        };
        let int = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
        let found = match *column.type_() {
            Type::INT8 => self.try_get(at).map(int),
            Type::INT4 => self
                .try_get::<_, Option<i32>>(at)
                .map(|one| int(one.map(i64::from))),
            Type::INT2 => self
                .try_get::<_, Option<i16>>(at)
                .map(|one| int(one.map(i64::from))),
            Type::BOOL => self
                .try_get::<_, Option<bool>>(at)
                .map(|one| int(one.map(i64::from))),
            Type::NUMERIC => self
                .try_get::<_, Option<Whole>>(at)
                .map(|one| int(one.map(|one| one.0))),
            Type::BYTEA => {
                let bytes = self.try_get::<_, Option<&[u8]>>(at);
                bytes.map(|bytes| bytes.map_or(Value::Null, Value::Blob))
            }
            _ => {
                let text = self.try_get::<_, Option<&str>>(at);
                text.map(|text| text.map_or(Value::Null, Value::Text))
            }
        };
        found.map_err(|error| {
            Fault::Wrong(format!("corrupt row: column {}: {error}", column.name()))
        })
    }

    fn column(&self, at: usize) -> String {
        self.columns()
            .get(at)
            .map_or("?", |column| column.name())
            .to_owned()
    }
}
