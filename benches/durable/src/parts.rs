//! Owns the list of what can be measured. How is in each part's file.

mod fan_out;
mod offline;
mod publishers;
mod restart;
mod space;

use crate::bench::Part;
use crate::device;

pub(crate) use offline::FILL;
pub(crate) use publishers::{PART as PUBLISHERS, THOUSAND};
pub(crate) use restart::{PART as RESTART, TEN_THOUSAND_SESSIONS};

/// Each part by its name.
pub(crate) const ALL: [(&str, Part); 6] = [
    (device::PART, device::measure),
    (publishers::PART, publishers::measure),
    (fan_out::PART, fan_out::measure),
    (offline::PART, offline::measure),
    (restart::PART, restart::measure),
    (space::PART, space::measure),
];
