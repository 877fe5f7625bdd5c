//! Where the parts of a JSON text end (RFC 8259). Each function takes the position of the beginning,
//! and returns the position after the part or else that of the first byte that breaks the grammar.

/// The most levels of arrays and objects in a value; `serde_json` reads no deeper ones either.
const MAX_DEPTH: u32 = 128;

/// The byte 1 in each byte of a word.
const EACH_BYTE: u64 = u64::MAX / 0xff;

/// The text breaks the grammar at this position, which is its end if it is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub at: usize,
}

type End = Result<usize, Broken>;

#[inline]
pub(super) fn space_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// One of the bytes that give JSON its structure, after any space.
#[inline]
pub(super) fn token_end(bytes: &[u8], at: usize, token: u8) -> End {
    let at = space_end(bytes, at);
    if bytes.get(at) == Some(&token) { Ok(at + 1) } else { Err(Broken { at }) }
}

/// Any value, after any space.
pub(super) fn value_end(bytes: &[u8], mut at: usize) -> End {
    // The arrays and objects around the position, one bit for each: whether it is an object.
    let mut around: u128 = 0;
    let mut depth = 0;
    loop {
        at = space_end(bytes, at);
        at = match bytes.get(at) {
            Some(b'"') => string_end(bytes, at + 1)?,
            Some(opening @ (b'{' | b'[')) => {
                let is_object = *opening == b'{';
                let first = space_end(bytes, at + 1);
                if depth == MAX_DEPTH {
                    return Err(Broken { at });
                }
                if bytes.get(first) == Some(if is_object { &b'}' } else { &b']' }) {
                    first + 1
                } else {
                    around = around << 1 | u128::from(is_object);
                    depth += 1;
                    at = if is_object { key_end(bytes, first)? } else { first };
                    continue;
                }
            }
            Some(b'-' | b'0'..=b'9') => number_end(bytes, at)?,
            Some(b't') => word_end(bytes, at, b"true")?,
            Some(b'f') => word_end(bytes, at, b"false")?,
            Some(b'n') => word_end(bytes, at, b"null")?,
            _ => return Err(Broken { at }),
        };
        loop {
            if depth == 0 {
                return Ok(at);
            }
            let is_object = around & 1 == 1;
            at = space_end(bytes, at);
            match bytes.get(at) {
                Some(b',') if is_object => {
                    at = key_end(bytes, at + 1)?;
                    break;
                }
                Some(b',') => {
                    at += 1;
                    break;
                }
                Some(b'}') if is_object => {}
                Some(b']') if !is_object => {}
                _ => return Err(Broken { at }),
            }
            at += 1;
            around >>= 1;
            depth -= 1;
        }
    }
}

/// A string, from behind its first quote.
#[inline]
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> End {
    loop {
        at = plain_end(bytes, at);
        at = match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => escape_end(bytes, at + 1)?,
            _ => return Err(Broken { at }),
        };
    }
}

/// A key with its colon, after any space.
fn key_end(bytes: &[u8], at: usize) -> End {
    let at = token_end(bytes, at, b'"')?;
    token_end(bytes, string_end(bytes, at)?, b':')
}

/// The part of a string before a quote, a backslash or a control character.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        // A subtraction sets the high bit of each byte below the subtrahend, and perhaps of bytes
        // above it, which do not matter: the lowest one counts. Of all bytes only a quote and the
        // control characters are below 0x21 once their second bit is inverted.
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (EACH_BYTE * 2);
        let backslash = word ^ (EACH_BYTE * u64::from(b'\\'));
        let found = (quote.wrapping_sub(EACH_BYTE * 0x21) & !quote)
            | (backslash.wrapping_sub(EACH_BYTE) & !backslash);
        let found = found & (EACH_BYTE * 0x80);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += size_of::<u64>();
    }
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
    while bytes.get(at).is_some_and(is_plain) {
        at += 1;
    }
    at
}

/// An escape, from behind its backslash.
#[cold]
fn escape_end(bytes: &[u8], at: usize) -> End {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => {
            let digits = bytes[at + 1..].iter().take(4).take_while(|byte| byte.is_ascii_hexdigit());
            match digits.count() {
                4 => Ok(at + 5),
                fewer => Err(Broken { at: at + 1 + fewer }),
            }
        }
        _ => Err(Broken { at }),
    }
}

#[inline]
fn number_end(bytes: &[u8], at: usize) -> End {
    let mut at = at + usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits_end(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let has_sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(bytes, at + 1 + usize::from(has_sign))?;
    }
    Ok(at)
}

#[inline]
fn digits_end(bytes: &[u8], start: usize) -> End {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start { Err(Broken { at }) } else { Ok(at) }
}

#[inline]
fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> End {
    let rest = &bytes[at..];
    if rest.starts_with(word) {
        return Ok(at + word.len());
    }
    let same = rest.iter().zip(word).take_while(|(byte, expected)| byte == expected).count();
    Err(Broken { at: at + same })
}
