//! Owns the choice between borrowed and owned packets: each packet type is written once, generic over
//! where its bytes live. What the bytes mean is not known here.

use bytes::Bytes;
use bytestring::ByteString;
use core::{fmt, marker::PhantomData};

/// Where a packet's variable parts live. Implemented by [`Borrowed`] and [`Owned`] alone.
pub trait Storage: sealed::Sealed + Clone + fmt::Debug + PartialEq + Eq {
    /// Binary data: payloads, passwords, raw properties.
    type Bytes: AsRef<[u8]> + Clone + fmt::Debug + PartialEq + Eq + Default;
    /// No binary data, as a constant.
    const NO_BYTES: Self::Bytes;
    /// Text that has been checked to be UTF-8.
    type Text: AsRef<str> + Clone + fmt::Debug + PartialEq + Eq + Default;
}

/// Views into the frame that was decoded: no allocation, no reference count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borrowed<'a>(PhantomData<&'a ()>);

/// Slices of reference counted [`Bytes`]: cheap to clone and to send elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned;

impl<'a> Storage for Borrowed<'a> {
    type Bytes = &'a [u8];
    const NO_BYTES: &'a [u8] = &[];
    type Text = &'a str;
}

impl Storage for Owned {
    type Bytes = Bytes;
    const NO_BYTES: Bytes = Bytes::new();
    type Text = ByteString;
}

/// Shares `part` of `frame` without copying. `part` must be a slice of `frame`.
pub(crate) fn share_bytes(frame: &Bytes, part: &[u8]) -> Bytes {
    if part.is_empty() { Bytes::new() } else { frame.slice_ref(part) }
}

/// Shares checked text of `frame` without copying. `part` must be a slice of `frame`.
pub(crate) fn share_text(frame: &Bytes, part: &str) -> ByteString {
    // The text was checked when it was decoded; the second check is what safe code costs, and only
    // owned packets pay it.
    ByteString::try_from(share_bytes(frame, part.as_bytes())).unwrap_or_default()
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Borrowed<'_> {}
    impl Sealed for super::Owned {}
}
