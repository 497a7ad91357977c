//! Owns what makes bytes an MQTT string: UTF-8 without U+0000. Topics add rules of their own.

use crate::error::Violation;

/// Checks that `bytes` are a UTF-8 Encoded String `[MQTT5-1.5.4-1]` `[MQTT5-1.5.4-2]`. A byte order
/// mark is kept like any other character `[MQTT5-1.5.4-3]`; surrogates are no UTF-8.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Violation> {
    let text = core::str::from_utf8(bytes).map_err(|_| Violation::TextNotUtf8)?;
    if bytes.contains(&0) { Err(Violation::TextHasNul) } else { Ok(text) }
}
