//! Owns the catalogue of what can be wrong with the bytes of a journal. Whether a flaw is a torn tail or damage is for
//! recovery and inspection to say.

use std::error::Error;
use std::fmt;

use crate::Position;
use crate::format::segment_name;

/// What is wrong at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The file is shorter than a segment's header.
    SegmentHeaderShort,
    /// The file does not begin like a segment.
    SegmentMagic,
    /// The header's checksum does not match.
    SegmentHeaderChecksum,
    /// The header is of a newer version of the format, this one.
    NewerVersion(u16),
    /// The header names another first position, this one, than the file's name.
    Misnamed(Position),
    /// The header names a floor, this one, that is behind the segment's beginning.
    FloorAhead(Position),
    /// No valid batch begins here.
    BatchHeader,
    /// The batch is longer than what is left of the segment.
    BatchLength,
    /// The batch holds another number of records than its header says.
    BatchRecords,
    /// The record is longer than what is left of the batch.
    RecordLength,
    /// The record's checksum does not match.
    RecordChecksum,
    /// The segment with the records from here on is not there; the next one that is begins at this position.
    Missing(Position),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SegmentHeaderShort => write!(f, "the file is shorter than a segment's header"),
            Self::SegmentMagic => write!(f, "the file does not begin like a segment of a journal"),
            Self::SegmentHeaderChecksum => write!(f, "the checksum of the segment's header is wrong"),
            Self::NewerVersion(version) => write!(f, "the segment has the newer format version {version}"),
            Self::Misnamed(first) => {
                write!(f, "the header is that of the segment {}", segment_name(first.get()))
            }
            Self::FloorAhead(floor) => write!(f, "the header names a floor that is ahead of it, {floor}"),
            Self::BatchHeader => write!(f, "no valid batch header"),
            Self::BatchLength => write!(f, "the batch is longer than what is left of the segment"),
            Self::BatchRecords => write!(f, "the batch holds another number of records than its header says"),
            Self::RecordLength => write!(f, "the record is longer than what is left of the batch"),
            Self::RecordChecksum => write!(f, "the checksum of the record is wrong"),
            Self::Missing(next) => {
                write!(f, "records are missing from here up to {}", segment_name(next.get()))
            }
        }
    }
}

/// A flaw and its place: bytes that were once on disk are not what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The path of the file.
    pub file: String,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// What is wrong there.
    pub flaw: Flaw,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, offset {}: {}", self.file, self.offset, self.flaw)
    }
}

impl Error for Damage {}
