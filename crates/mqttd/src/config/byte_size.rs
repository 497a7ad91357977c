//! Owns how a number of bytes is written: `1 MiB`. How many are allowed is the catalogue's
//! business.

/// Largest first, so that the first that divides a size is the shortest way to write it.
const UNITS: [(&str, u64); 10] = [
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a whole number with a unit, such as `1 MiB`, `1MiB` or `64 kB`. `None` for anything else,
/// and beyond 64 bits.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*bytes)
}

/// The shortest exact way to write a size with a binary unit, or `None` when it is less than a KiB
/// or no multiple of it.
pub(super) fn with_unit(bytes: u64) -> Option<String> {
    let mut binary = UNITS.iter().filter(|(name, _)| name.ends_with("iB"));
    let (name, unit) = binary.find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit))?;
    Some(format!("{} {name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_with_a_known_unit() {
        for (text, expected) in [
            ("1 MiB", Some(1_048_576)),
            ("1MiB", Some(1_048_576)),
            (" 64 KiB ", Some(65_536)),
            ("5 B", Some(5)),
            ("2 kB", Some(2_000)),
            ("3 GB", Some(3_000_000_000)),
            ("16383 PiB", Some(16_383 << 50)),
            ("16384 PiB", None),
            ("1", None),
            ("1.5 MiB", None),
            ("-1 MiB", None),
            ("1 mib", None),
            ("1 M", None),
            ("MiB", None),
            ("1 MiB/s", None),
            ("99999999999999999999 B", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_size_is_written_exactly_or_not_at_all() {
        for (bytes, expected) in [
            (0, None),
            (1_000, None),
            (1_023, None),
            (1_024, Some("1 KiB")),
            (1_025, None),
            (1_536, None),
            (1_048_576, Some("1 MiB")),
            (1_049_600, Some("1025 KiB")),
            (1 << 50, Some("1 PiB")),
        ] {
            assert_eq!(with_unit(bytes).as_deref(), expected, "{bytes}");
            assert_eq!(with_unit(bytes).map_or(Some(bytes), |text| parse(&text)), Some(bytes));
        }
    }
}
