//! Owns the `@` sequences: one letter of strftime each, as the C locale prints it. The clock is read elsewhere.

use jiff::{
    Zoned,
    fmt::{StdIoWrite, strtime::BrokenDownTime},
};
use std::io::Write;

/// A part of a time, as a format of the date library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimePart(&'static str);

/// `%I`: ISO 8601 date and time with the offset.
pub(super) const ISO_8601: TimePart = TimePart("%FT%T%z");

/// Up to the seconds, for JSON.
pub(super) const SECONDS: TimePart = TimePart("%FT%T");

/// The offset alone, for JSON.
pub(super) const OFFSET: TimePart = TimePart("%z");

impl TimePart {
    /// What `@letter` prints, if strftime knows the letter.
    pub(super) const fn from_letter(letter: char) -> Option<Self> {
        Some(Self(match letter {
            'a' => "%a",
            'A' => "%A",
            'b' | 'h' => "%b",
            'B' => "%B",
            'c' => "%a %b %e %H:%M:%S %Y",
            'C' => "%C",
            'd' => "%d",
            'D' | 'x' => "%m/%d/%y",
            'e' => "%e",
            'F' => "%F",
            'g' => "%g",
            'G' => "%G",
            'H' => "%H",
            'I' => "%I",
            'j' => "%j",
            'k' => "%k",
            'l' => "%l",
            'm' => "%m",
            'M' => "%M",
            'n' => "\n",
            'N' => "%9f",
            'p' => "%p",
            'P' => "%P",
            'r' => "%I:%M:%S %p",
            'R' => "%R",
            's' => "%s",
            'S' => "%S",
            't' => "\t",
            'T' | 'X' => "%T",
            'u' => "%u",
            'U' => "%U",
            'V' => "%V",
            'w' => "%w",
            'W' => "%W",
            'y' => "%y",
            'Y' => "%Y",
            'z' => "%z",
            'Z' => "%Z",
            '%' => "%%",
            _ => return None,
        }))
    }

    /// Appends this part of `time`.
    pub(super) fn append(self, time: &Zoned, out: &mut Vec<u8>) {
        // Every format above is one that the library knows, which the test below proves, and a vector takes everything.
        let _ = BrokenDownTime::from(time).format(self.0, StdIoWrite(out));
    }
}

/// Appends seconds since 1970 and nanoseconds.
pub(super) fn append_unix(time: &Zoned, out: &mut Vec<u8>) {
    let timestamp = time.timestamp();
    // Writing into a vector cannot fail.
    let _ = write!(out, "{}.{:09}", timestamp.as_second(), timestamp.subsec_nanosecond());
}

#[cfg(test)]
mod tests {
    use super::TimePart;
    use jiff::{
        Timestamp,
        tz::{Offset, TimeZone},
    };

    #[test]
    fn every_letter_prints_what_strftime_prints_in_the_c_locale() {
        let time = Timestamp::new(1_772_580_005, 7).unwrap().to_zoned(TimeZone::fixed(Offset::constant(-3)));
        let printed: String = ('\0'..='\u{7f}')
            .filter_map(|letter| {
                let mut out = Vec::new();
                TimePart::from_letter(letter)?.append(&time, &mut out);
                Some(format!("{letter} {:?}\n", String::from_utf8(out).unwrap()))
            })
            .collect();
        insta::assert_snapshot!(printed, @r#"
        % "%"
        A "Tuesday"
        B "March"
        C "20"
        D "03/03/26"
        F "2026-03-03"
        G "2026"
        H "20"
        I "08"
        M "20"
        N "000000007"
        P "pm"
        R "20:20"
        S "05"
        T "20:20:05"
        U "09"
        V "10"
        W "09"
        X "20:20:05"
        Y "2026"
        Z "-03"
        a "Tue"
        b "Mar"
        c "Tue Mar  3 20:20:05 2026"
        d "03"
        e " 3"
        g "26"
        h "Mar"
        j "062"
        k "20"
        l " 8"
        m "03"
        n "\n"
        p "PM"
        r "08:20:05 PM"
        s "1772580005"
        t "\t"
        u "2"
        w "2"
        x "03/03/26"
        y "26"
        z "-0300"
        "#);
    }
}
