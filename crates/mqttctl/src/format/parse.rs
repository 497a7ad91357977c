//! Owns the grammar of `-F`. What a parameter prints is the business of the other modules.

use super::{Piece, field::Field, json::JsonPayload, layout::Layout, time::TimePart};
use std::{fmt, iter::Peekable, str::Chars};

/// What is wrong with a format, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError {
    /// Counted in characters from 1, where the wrong sequence begins.
    position: usize,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Unfinished(char),
    UnknownParameter(char),
    UnknownTime(char),
    UnknownEscape(char),
    TooWide,
}

/// Splits `text` into what is printed as it stands and what is replaced.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Vec::new();
    let mut scanner = Scanner { rest: text.chars().peekable(), position: 0 };
    while let Some(first) = scanner.next() {
        let position = scanner.position;
        let piece = match first {
            '%' => scanner.parameter(),
            '@' => scanner.time(),
            '\\' => scanner.escape(),
            other => Ok(literal(other)),
        };
        push(&mut pieces, piece.map_err(|problem| FormatError { position, problem })?);
    }
    Ok(pieces)
}

/// The characters not read yet, and how many were.
struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    position: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        self.position += 1;
        self.rest.next()
    }

    /// After `%`: flags, width, precision and a letter. `%@H` is the manual's way to write `@H`.
    fn parameter(&mut self) -> Result<Piece, Problem> {
        if self.rest.peek() == Some(&'@') {
            self.next();
            return self.time();
        }
        let layout = Layout {
            left_aligned: self.accept('-'),
            zero_padded: self.accept('0'),
            width: self.number()?,
            precision: if self.accept('.') { Some(self.number()?) } else { None },
        };
        match self.next() {
            None => Err(Problem::Unfinished('%')),
            Some('%') => Ok(literal('%')),
            Some('j') => Ok(Piece::Json(JsonPayload::Quoted)),
            Some('J') => Ok(Piece::Json(JsonPayload::Raw)),
            Some(letter) => match Field::from_letter(letter) {
                Some(field) => Ok(Piece::Field(field, layout)),
                None => Err(Problem::UnknownParameter(letter)),
            },
        }
    }

    /// After `@`: a letter of strftime.
    fn time(&mut self) -> Result<Piece, Problem> {
        match self.next() {
            None => Err(Problem::Unfinished('@')),
            Some('@') => Ok(literal('@')),
            Some(letter) => {
                TimePart::from_letter(letter).map(Piece::Time).ok_or(Problem::UnknownTime(letter))
            }
        }
    }

    /// After `\`.
    fn escape(&mut self) -> Result<Piece, Problem> {
        let byte = match self.next() {
            None => return Err(Problem::Unfinished('\\')),
            Some('\\') => b'\\',
            Some('0') => b'\0',
            Some('a') => 0x07,
            Some('e') => 0x1b,
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('v') => 0x0b,
            Some(letter) => return Err(Problem::UnknownEscape(letter)),
        };
        Ok(Piece::Literal(vec![byte]))
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.rest.peek() == Some(&wanted);
        if found {
            self.next();
        }
        found
    }

    /// Digits, none of them meaning 0. The limit keeps a slip of the finger from asking for gigabytes of blanks.
    fn number(&mut self) -> Result<u16, Problem> {
        let mut number: u16 = 0;
        while let Some(digit) = self.rest.peek().and_then(|letter| letter.to_digit(10)) {
            self.next();
            let digit = u16::try_from(digit).map_err(|_| Problem::TooWide)?;
            number =
                number.checked_mul(10).and_then(|tens| tens.checked_add(digit)).ok_or(Problem::TooWide)?;
        }
        Ok(number)
    }
}

fn literal(letter: char) -> Piece {
    Piece::Literal(letter.encode_utf8(&mut [0; 4]).as_bytes().to_vec())
}

/// Joins neighbouring literals, so that rendering copies each run once.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Literal(run)), Piece::Literal(more)) => run.extend(more),
        (_, piece) => pieces.push(piece),
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "character {}: ", self.position)?;
        match self.problem {
            Problem::Unfinished(start) => write!(formatter, "unfinished {start}"),
            Problem::UnknownParameter(letter) => write!(formatter, "unknown parameter %{letter}"),
            Problem::UnknownTime(letter) => write!(formatter, "unknown time @{letter}"),
            Problem::UnknownEscape(letter) => write!(formatter, "unknown escape \\{letter}"),
            Problem::TooWide => write!(formatter, "a width or precision over {}", u16::MAX),
        }
    }
}

impl std::error::Error for FormatError {}
