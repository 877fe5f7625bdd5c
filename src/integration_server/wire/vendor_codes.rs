//! The vendor's error codes, anywhere in a text.

use super::{ResponseBody, decode};
use crate::integration_server::model::VendorCode;

/// How much of a refusal is searched, in bytes.
const SEARCHED: usize = 64 * 1024;

/// The first code in the body of a refusal.
pub(super) fn code_of(answer: &ResponseBody) -> Option<VendorCode> {
    code_in(&decode::searchable(answer, SEARCHED))
}

/// The first code in a text: `VIRMT_` or `KSC_` and letters or digits, with no word character on
/// either side.
pub(super) fn code_in(text: &str) -> Option<VendorCode> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c: char| !is_word(c)).find(|word| is_code(word)).map(VendorCode::read)
}

fn is_code(word: &str) -> bool {
    let name = word.strip_prefix("VIRMT_").or_else(|| word.strip_prefix("KSC_"));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
