//! Bytes out of the texts that JSON has for them; None for what is not exactly so.

/// Digits of any case, two to a byte.
pub fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect()
}

/// Either alphabet, padded in full or not at all.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let data = text.get(..text.len().checked_sub(padding)?)?;
    if data.len() % 4 == 1 || (padding > 0 && (padding > 2 || !text.len().is_multiple_of(4))) {
        return None;
    }
    let (mut out, mut bits, mut held) = (Vec::with_capacity(data.len()), 0u32, 0);
    for byte in data {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, held) = (bits << 6 | u32::from(digit), held + 6);
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    if bits == 0 { Some(out) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_ids_are_read_strictly() {
        assert_eq!(base64(b"-_8="), base64(b"+/8"));
        assert_eq!((base64(b"a"), base64(b"ab="), base64(b"ab c"), base64(b"aB==")), (None, None, None, None));
        assert_eq!((hex(b"fF00"), hex(b"f"), hex(b"g0")), (Some(vec![255, 0]), None, None));
    }
}
