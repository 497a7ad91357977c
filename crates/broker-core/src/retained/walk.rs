//! How a Topic Filter moves through topics that are sorted level by level: what matches, and where to
//! look next. The topics themselves are in the map.

use core::cmp::Ordering;

/// Stands for `/` in a key, because it sorts below every byte a topic may hold: so what lies under a
/// topic follows it at once, before its siblings. A topic holds no NUL `[MQTT5-4.7.3-2]` `[MQTT311-4.7.3-2]`.
const SEPARATOR: u8 = 0;
/// The least byte of a level's text.
const LEAST: u8 = 1;

/// The key of a topic in the map.
pub(super) fn key_of(topic: &str) -> Vec<u8> {
    topic.bytes().map(|byte| if byte == b'/' { SEPARATOR } else { byte }).collect()
}

/// A Topic Filter taken apart.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    levels: Vec<Level<'a>>,
    /// Whether the filter ends in `#`, which is then no part of `levels`.
    multi_level: bool,
}

#[derive(Debug)]
enum Level<'a> {
    Text(&'a [u8]),
    Plus,
}

/// What a key is to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Whether the topic matches.
    pub(super) matches: bool,
    /// Where the next one that can match lies.
    pub(super) then: Then,
}

/// Where the next topic that can match lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Right behind this one.
    Follow,
    /// At the key the step wrote, or behind it.
    Seek,
    /// Nowhere.
    End,
}

impl<'a> Walk<'a> {
    pub(super) fn new(filter: &'a str) -> Self {
        let multi_level = filter.ends_with('#');
        let texts = filter.split('/').filter(|&text| text != "#");
        let levels =
            texts.map(|text| if text == "+" { Level::Plus } else { Level::Text(text.as_bytes()) }).collect();
        Self { levels, multi_level }
    }

    /// Where the first topic that can match lies, or behind it: the levels before the first wildcard.
    pub(super) fn first_key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        for (depth, level) in self.levels.iter().enumerate() {
            if depth > 0 {
                key.push(SEPARATOR);
            }
            match level {
                Level::Text(text) => key.extend_from_slice(text),
                Level::Plus => break,
            }
        }
        key
    }

    /// Compares a key with the filter, and writes where to seek into `next` if the step says so: always
    /// behind the key.
    pub(super) fn step(&self, key: &[u8], next: &mut Vec<u8>) -> Step {
        // [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]: a leading wildcard does not match a leading `$`.
        if key.first() == Some(&b'$') && !matches!(self.levels.first(), Some(Level::Text(_))) {
            write(next, &[&[b'$' + 1]]);
            return Step::miss(Then::Seek);
        }
        let mut rest = Some(0);
        let mut last_plus_end = None;
        for level in &self.levels {
            let Some(start) = rest else {
                // The topic is a parent of what can match, which lies below it.
                let text = match level {
                    Level::Text(text) => *text,
                    Level::Plus => &[],
                };
                write(next, &[key, &[SEPARATOR], text]);
                return Step::miss(Then::Seek);
            };
            let length = key[start..].iter().position(|&byte| byte == SEPARATOR);
            let end = length.map_or(key.len(), |length| start + length);
            rest = length.map(|_| end + 1);
            match level {
                Level::Plus => last_plus_end = Some(end),
                Level::Text(text) => match key[start..end].cmp(text) {
                    Ordering::Equal => {}
                    Ordering::Less => {
                        write(next, &[&key[..start], text]);
                        return Step::miss(Then::Seek);
                    }
                    Ordering::Greater => return Step::miss(next_sibling(key, last_plus_end, next)),
                },
            }
        }
        if self.multi_level {
            // The level before `#` matches too, not only what lies below it.
            return Step { matches: true, then: Then::Follow };
        }
        Step { matches: rest.is_none(), then: next_sibling(key, last_plus_end, next) }
    }
}

impl Step {
    fn miss(then: Then) -> Self {
        Self { matches: false, then }
    }
}

/// Seeks behind everything below the level that the last `+` stands for: with that level as it is,
/// nothing further can match.
fn next_sibling(key: &[u8], last_plus_end: Option<usize>, next: &mut Vec<u8>) -> Then {
    let Some(end) = last_plus_end else { return Then::End };
    write(next, &[&key[..end], &[LEAST]]);
    Then::Seek
}

fn write(next: &mut Vec<u8>, parts: &[&[u8]]) {
    next.clear();
    for part in parts {
        next.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, topic: &str, expected: Step, sought: &str) {
        let mut next = Vec::new();
        let step = Walk::new(filter).step(&key_of(topic), &mut next);
        let next =
            String::from_utf8(next).expect("keys here are text").replace('\0', "/").replace('\u{1}', "!");
        assert_eq!((step, next.as_str()), (expected, sought), "{filter} at {topic}");
    }

    #[test]
    fn a_step_seeks_as_far_as_nothing_can_match() {
        let hit = |then| Step { matches: true, then };
        let miss = Step::miss;
        check("a/b", "a/b", hit(Then::End), "");
        check("a/b", "a", miss(Then::Seek), "a/b");
        check("a/b", "a/a/x", miss(Then::Seek), "a/b");
        check("a/b", "a/b/c", miss(Then::End), "");
        check("a/b", "a/c", miss(Then::End), "");
        check("+/b", "a/b", hit(Then::Seek), "a!");
        check("+/b", "a/a", miss(Then::Seek), "a/b");
        check("+/b", "a/c", miss(Then::Seek), "a!");
        check("+/b/+", "a/b/c/d", miss(Then::Seek), "a/b/c!");
        check("+/+/x", "a/b/y", miss(Then::Seek), "a/b!");
        check("a/+", "a", miss(Then::Seek), "a/");
        check("a/+", "a/", hit(Then::Seek), "a/!");
        check("a/#", "a", hit(Then::Follow), "");
        check("a/#", "a/b/c", hit(Then::Follow), "");
        check("a/#", "ab", miss(Then::End), "");
        check("#", "a", hit(Then::Follow), "");
        check("#", "$SYS/a", miss(Then::Seek), "%");
        check("+/a", "$SYS/a", miss(Then::Seek), "%");
        check("$SYS/#", "$SYS/a", hit(Then::Follow), "");
    }

    #[test]
    fn a_walk_starts_behind_the_levels_before_the_first_wildcard() {
        for (filter, expected) in
            [("a/b", "a/b"), ("a/+/b", "a/"), ("a/b/#", "a/b"), ("#", ""), ("+/a", ""), ("/+", "/")]
        {
            assert_eq!(Walk::new(filter).first_key(), key_of(expected), "{filter}");
        }
    }
}
