//! JSON as Python's `json` module reads and writes it; what it may read otherwise is odd.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use crate::text;
use crate::wire::{Odd, Read};

/// The value of a JSON text; None where Python finds no JSON either.
pub fn parse(source: &str) -> Read<Option<Value>> {
    if source.contains("$serde_json") || has_endless_number(source) {
        return Err(Odd);
    }
    match serde_json::from_str(source) {
        Ok(value) => Ok(Some(value)),
        Err(_) if is_more_in_python(source) => Err(Odd),
        Err(_) => Ok(None),
    }
}

/// Python knows NaN, Infinity, halves of surrogates, and deeper nesting.
fn is_more_in_python(source: &str) -> bool {
    ["NaN", "Infinity", "\\ud", "\\uD"].iter().any(|word| source.contains(word))
        || source.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > 100
}

/// Python refuses whole numbers of more than 4300 digits.
fn has_endless_number(source: &str) -> bool {
    source.len() > 4300 && source.as_bytes().split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > 4300)
}

/// Whether a number is written as a whole one that fits 64 bits.
pub fn is_plain_integer(number: &Number) -> bool {
    is_integer(number) && number.as_i64().is_some() && number.to_string() != "-0"
}

fn is_integer(number: &Number) -> bool {
    !number.to_string().contains(['.', 'e', 'E'])
}

fn double(number: &Number) -> Read<f64> {
    let value: f64 = number.to_string().parse().map_err(|_| Odd)?;
    if value.is_finite() { Ok(value) } else { Err(Odd) }
}

/// `json.dumps(value)` with its defaults.
pub fn dumps(value: &Value, out: &mut String) -> Read<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
        Value::Number(number) if is_integer(number) => {
            let text = number.to_string();
            out.push_str(if text == "-0" { "0" } else { &text });
        }
        Value::Number(number) => {
            let mut raw = Vec::new();
            text::double(double(number)?, &mut raw, ["NaN", "Infinity", "-Infinity"]);
            out.push_str(std::str::from_utf8(&raw).map_err(|_| Odd)?);
        }
        Value::String(text) => ascii(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                dumps(item, out)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                ascii(key, out);
                out.push_str(": ");
                dumps(item, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// A JSON text in ASCII.
pub fn ascii(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            ' '..='~' => out.push(letter),
            _ => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// The canonical form of RFC 8785.
pub fn canonical(value: &Value, out: &mut Vec<u8>) -> Read<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(is) => out.extend_from_slice(if *is { b"true" } else { b"false" }),
        Value::Number(number) if is_integer(number) => {
            let whole = number.as_i64().ok_or(Odd)?;
            if whole.unsigned_abs() > 9_007_199_254_740_991 {
                return Err(Odd);
            }
            text::integer(whole, out);
        }
        Value::Number(number) => ecmascript(double(number)?, out),
        Value::String(text) => text::quoted(text.as_bytes(), out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                canonical(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => sorted(map, out)?,
    }
    Ok(())
}

fn sorted(map: &Map<String, Value>, out: &mut Vec<u8>) -> Read<()> {
    let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
    pairs.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
    out.push(b'{');
    for (index, (key, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        text::quoted(key.as_bytes(), out);
        out.push(b':');
        canonical(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// A double as ECMAScript writes it.
fn ecmascript(number: f64, out: &mut Vec<u8>) {
    let (sign, digits, exponent) = text::parts(number);
    if digits == "0" {
        return out.push(b'0');
    }
    out.extend_from_slice(sign.as_bytes());
    let places = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    if places <= point && point <= 21 {
        out.extend_from_slice(digits.as_bytes());
        out.extend(std::iter::repeat_n(b'0', usize::try_from(point - places).unwrap_or(0)));
    } else if 0 < point && point <= 21 {
        let (before, after) = digits.split_at_checked(usize::try_from(point).unwrap_or(0)).unwrap_or((&digits, ""));
        out.extend_from_slice(before.as_bytes());
        out.push(b'.');
        out.extend_from_slice(after.as_bytes());
    } else if -6 < point && point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', usize::try_from(-point).unwrap_or(0)));
        out.extend_from_slice(digits.as_bytes());
    } else {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        out.extend_from_slice(first.as_bytes());
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest.as_bytes());
        }
        out.push(b'e');
        out.push(if exponent < 0 { b'-' } else { b'+' });
        text::integer(i64::from(exponent.unsigned_abs()), out);
    }
}
