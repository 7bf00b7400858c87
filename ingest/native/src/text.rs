//! Values as the text under which they are kept: what Python's `repr`, `json.dumps` and `b64encode` would write.

use std::io::Write;

use crate::wire::{DEEPEST, Odd, Read, Value, items, pair, value};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The letter of the kind of a value and its text, appended to `out`.
#[inline]
pub fn write(found: Value<'_>, out: &mut Vec<u8>) -> Read<u8> {
    Ok(match found {
        Value::Text(text) => {
            out.extend_from_slice(text);
            b's'
        }
        Value::Empty => b'n',
        Value::Bool(is) => {
            out.extend_from_slice(if is { b"true" } else { b"false" });
            b'b'
        }
        Value::Int(number) => {
            integer(number, out);
            b'i'
        }
        Value::Double(number) => {
            double(number, out, ["nan", "inf", "-inf"]);
            b'd'
        }
        Value::Array(_) => {
            json(found, out, 0)?;
            b'a'
        }
        Value::List(_) => {
            json(found, out, 0)?;
            b'k'
        }
        Value::Raw(bytes) => {
            base64(bytes, out);
            b'y'
        }
    })
}

fn json(found: Value<'_>, out: &mut Vec<u8>, depth: u32) -> Read<()> {
    if depth > DEEPEST {
        return Err(Odd);
    }
    match found {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::Text(text) => quoted(text, out),
        Value::Bool(is) => out.extend_from_slice(if is { b"true" } else { b"false" }),
        Value::Int(number) => integer(number, out),
        Value::Double(number) => double(number, out, ["NaN", "Infinity", "-Infinity"]),
        Value::Raw(bytes) => {
            out.push(b'"');
            base64(bytes, out);
            out.push(b'"');
        }
        Value::Array(message) => {
            out.push(b'[');
            for (index, item) in items(message).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json(value(item?)?, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::List(message) => {
            let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
            for item in items(message) {
                let (key, inner) = pair(item?)?;
                match pairs.iter_mut().find(|known| known.0 == key) {
                    Some(known) => known.1 = inner,
                    None => pairs.push((key, inner)),
                }
            }
            out.push(b'{');
            for (index, (key, inner)) in pairs.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                quoted(key, out);
                out.push(b':');
                json(value(inner)?, out, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// A JSON text as `json.dumps` writes it with `ensure_ascii=False`.
pub fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (index, &byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0c => b'f',
            0x08 => b'b',
            0..0x20 => 0,
            _ => continue,
        };
        out.extend_from_slice(text.get(plain..index).unwrap_or_default());
        plain = index + 1;
        if short == 0 {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(text.get(plain..).unwrap_or_default());
    out.push(b'"');
}

pub fn integer(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A double as Python's `repr` writes it: the shortest digits that read back the same.
pub fn double(number: f64, out: &mut Vec<u8>, [nan, above, below]: [&str; 3]) {
    if number.is_nan() {
        return out.extend_from_slice(nan.as_bytes());
    }
    if number.is_infinite() {
        return out.extend_from_slice(if number > 0.0 { above } else { below }.as_bytes());
    }
    let (sign, digits, exponent) = parts(number);
    out.extend_from_slice(sign.as_bytes());
    if (-4..16).contains(&exponent) {
        fixed(&digits, exponent, out);
    } else {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        out.extend_from_slice(first.as_bytes());
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest.as_bytes());
        }
        let _ = write!(out, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
    }
}

/// Sign, significant digits and decimal exponent of a finite number.
pub fn parts(number: f64) -> (&'static str, String, i32) {
    let text = shortest(number.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
    (if number.is_sign_negative() { "-" } else { "" }, digits, exponent.parse().unwrap_or(0))
}

/// The shortest digits that read back the same; of two equally near ones the even one, as Python chooses.
fn shortest(number: f64) -> String {
    let short = format!("{number:e}");
    let digits = short.split('e').next().unwrap_or("").bytes().filter(u8::is_ascii_digit).count();
    let exact = format!("{number:.0$e}", digits.saturating_sub(1));
    if exact.parse() == Ok(number) { exact } else { short }
}

fn fixed(digits: &str, exponent: i32, out: &mut Vec<u8>) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', usize::try_from(-exponent - 1).unwrap_or(0)));
        return out.extend_from_slice(digits.as_bytes());
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    match digits.split_at_checked(whole) {
        Some((before, after)) if !after.is_empty() => {
            out.extend_from_slice(before.as_bytes());
            out.push(b'.');
            out.extend_from_slice(after.as_bytes());
        }
        _ => {
            out.extend_from_slice(digits.as_bytes());
            out.extend(std::iter::repeat_n(b'0', whole.saturating_sub(digits.len())));
            out.extend_from_slice(b".0");
        }
    }
}

pub fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let letter = BASE64.get((bits >> (18 - 6 * index) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if index > chunk.len() { b'=' } else { letter });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: f64) -> String {
        let mut out = Vec::new();
        double(number, &mut out, ["nan", "inf", "-inf"]);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn doubles_are_written_as_python_writes_them() {
        for (number, text) in [
            (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1e15, "1000000000000000.0"),
            (1.5e-5, "1.5e-05"), (0.0001, "0.0001"), (123456.75, "123456.75"), (5e-324, "5e-324"), (1e100, "1e+100"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (0.000_151_157_379_150_390_63, "0.00015115737915039062"),
            (2e-5, "2e-05"), (f64::NAN, "nan"), (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(shown(number), text);
        }
    }

    #[test]
    fn base64_pads() {
        for (bytes, text) in [(&b""[..], ""), (b"a", "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj"), (b"\xff\xfe\xfd", "//79")] {
            let mut out = Vec::new();
            base64(bytes, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
