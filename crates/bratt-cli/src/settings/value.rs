//! The types that settings have.

use toml::Value;

/// A type that settings can have.
pub trait Setting: Sized {
    /// What it looks like.
    const EXPECTED: &'static str;
    /// Reads it.
    fn read(value: &Value) -> Option<Self>;
    /// Writes it.
    fn value(&self) -> Value;
}

impl Setting for String {
    const EXPECTED: &'static str = "text";
    fn read(value: &Value) -> Option<String> {
        value.as_str().map(str::to_string)
    }
    fn value(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Setting for f64 {
    const EXPECTED: &'static str = "a finite number";
    fn read(value: &Value) -> Option<f64> {
        let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
        number.filter(|n| n.is_finite())
    }
    fn value(&self) -> Value {
        Value::Float(*self)
    }
}

impl Setting for u64 {
    const EXPECTED: &'static str = "a whole number of at least 0";
    fn read(value: &Value) -> Option<u64> {
        value.as_integer().and_then(|n| n.try_into().ok())
    }
    fn value(&self) -> Value {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";
    fn read(value: &Value) -> Option<bool> {
        value.as_bool()
    }
    fn value(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Setting for Vec<usize> {
    const EXPECTED: &'static str = "whole numbers above 0, as [512, 256]";
    fn read(value: &Value) -> Option<Vec<usize>> {
        let units = |v: &Value| v.as_integer().and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
        let list: Vec<usize> = value.as_array()?.iter().map(units).collect::<Option<_>>()?;
        (!list.is_empty()).then_some(list)
    }
    fn value(&self) -> Value {
        Value::Array(self.iter().map(|&n| Value::Integer(n as i64)).collect())
    }
}
