//! Owns the parts of a packet as they are shown: a tree of named values. How the tree is laid out is not known here.

/// A named part of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// The name the specification gives it.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) value: Value<'a>,
    /// Whether a packet may hold several of this name.
    pub(super) multiplicity: Multiplicity,
}

/// How often a name may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multiplicity {
    /// At most once.
    One,
    /// Any number of times.
    Many,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// Binary data, which may be text all the same.
    Bytes(&'a [u8]),
    /// A number.
    Number(u32),
    /// A flag.
    Flag(bool),
    /// A reason code or return code, as it stands on the wire, and its name.
    Code(u8, &'static str),
    /// The name and value of a User Property.
    Pair(&'a str, &'a str),
    /// More fields.
    Fields(Vec<Field<'a>>),
}

impl<'a> Field<'a> {
    /// A field that occurs once.
    pub(super) const fn one(name: &'static str, value: Value<'a>) -> Self {
        Self { name, value, multiplicity: Multiplicity::One }
    }

    /// One of several fields of a name.
    pub(super) const fn many(name: &'static str, value: Value<'a>) -> Self {
        Self { name, value, multiplicity: Multiplicity::Many }
    }
}
